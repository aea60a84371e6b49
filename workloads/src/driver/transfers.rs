//! The loop of operations that hold two locks at once: transfers between accounts.
//!
//! One operation: think, ask for the one lock, and while holding it for the other; move an amount from the first account
//! to the second, hold, give both back in the reverse order. The two differ, and the order in which they are taken was
//! decided when they were drawn. What all accounts hold together never changes, whoever transfers what; and each account
//! counts its transfers as the guarded data of [`super::mutex`] do.
//!
//! Probes see two acquires an operation. That the second lock is asked for under the first they are told beforehand, so
//! that the loops in which that never happens have nothing to look for.

use impls::machine::{Atomic, Line, Machine, Ordering};
use impls::mutex::RawMutex;
use impls::probe::Event;
use record::Sum;

use super::Launch;
use super::arena::Placed;
use super::control::{Control, nap};
use super::draw::{Draw, pair};
use super::mutex::{Guarded, disown, own};
use super::stage::{self, Hands, Pace, Script, Subject};

/// What each account holds at first.
const BALANCE: u64 = 1_000_000;
/// Amounts differ, so that what one loses is not what another finds.
const AMOUNTS: u64 = 1023;

/// What a lock guards here. Atomics, relaxed, for the reason of [`Guarded`].
#[repr(C)]
struct Account<M: Machine> {
    guarded: Guarded<M>,
    /// Wraps around: who transfers does not look at what is there.
    balance: M::AtomicU64,
}

/// The locks of one slice and their accounts.
struct Accounts<M: Machine, L> {
    locks: Vec<Placed<L>>,
    accounts: Vec<Placed<Line<Account<M>>>>,
}

/// One worker's access to them.
struct AccountHands<'a, M: Machine, L: RawMutex<M>> {
    subject: &'a Accounts<M, L>,
    contexts: Vec<L::Context>,
}

/// The accounts of a slice.
pub(super) fn subject<M: Machine, L: RawMutex<M>>(
    launch: &Launch<'_>,
    build: &(dyn Fn() -> L + Sync),
    draw: &mut Draw,
) -> Box<dyn Subject<M>> {
    let account = || Line(Account { guarded: Guarded::new(), balance: M::AtomicU64::new(BALANCE) });
    let locks = launch.point.locks;
    Box::new(Accounts::<M, L> {
        locks: (0..locks).map(|_| Placed::new(build(), draw)).collect(),
        accounts: (0..locks).map(|_| Placed::new(account(), draw)).collect(),
    })
}

impl<M: Machine, L: RawMutex<M>> Subject<M> for Accounts<M, L> {
    fn hands(&self) -> Box<dyn Hands<M> + '_> {
        let contexts = self.locks.iter().map(|lock| lock.context()).collect();
        Box::new(AccountHands { subject: self, contexts })
    }
    fn waiting(&self) -> u64 {
        self.locks.iter().map(|lock| u64::from(lock.count().saturating_sub(1))).sum()
    }
    fn observed(&self) -> u64 {
        self.accounts.iter().map(|account| account.guarded.counter.load(Ordering::Acquire)).sum()
    }
    fn sum(&self) -> Option<Sum> {
        let balances = self.accounts.iter().map(|account| account.balance.load(Ordering::Acquire));
        Some(Sum {
            before: BALANCE.wrapping_mul(self.accounts.len() as u64),
            after: balances.fold(0, u64::wrapping_add),
        })
    }
    fn objects(&self) -> Vec<usize> {
        self.locks.iter().map(|lock| core::ptr::from_ref(&**lock).addr()).collect()
    }
}

impl<M: Machine, L: RawMutex<M>> Hands<M> for AccountHands<'_, M, L> {
    /// The measured loop.
    #[inline(never)]
    fn operate(&mut self, script: &mut Script, control: &Control<M>, signal: u32) -> u64 {
        let mut done = 0;
        let mut intended_ns = 0;
        while control.signal() == signal {
            match &mut script.pace {
                Pace::Think(table) => M::work(table.step()),
                Pace::Arrive(table) => {
                    intended_ns = stage::await_arrival::<M>(control, signal, intended_ns, table.step());
                    if intended_ns == 0 {
                        break;
                    }
                }
            }
            let (first, second) = pair(script.pick.step());
            let hold = script.hold.step();
            let amount = (done & AMOUNTS) + 1;
            self.transfer([first, second], script.index, amount, intended_ns, || M::work(hold));
            done += 1;
        }
        done
    }

    /// From the first two accounts, in ascending order: a holder that sleeps need not be one that waits for ever.
    #[cold]
    fn stall(&mut self, script: &mut Script, length_ns: u64) {
        self.transfer([0, 1], script.index, 1, 0, || {
            let until_ns = M::now_ns() + length_ns;
            while M::now_ns() < until_ns {
                nap::<M, _>(|| M::park_until(until_ns));
            }
        });
    }
}

impl<M: Machine, L: RawMutex<M>> AccountHands<'_, M, L> {
    /// Takes both, moves `amount`, does `work`, gives both back.
    #[inline(always)]
    fn transfer(
        &mut self,
        [first, second]: [usize; 2],
        worker: u32,
        amount: u64,
        intended_ns: u64,
        work: impl FnOnce(),
    ) {
        let Accounts { locks, accounts } = self.subject;
        let (from, to) = (&*accounts[first], &*accounts[second]);
        let [one, other] = [first, second].map(|lock| core::ptr::from_ref(&*locks[lock]).addr());

        M::event(Event::Request { intended_ns }, one);
        locks[first].lock(&mut self.contexts[first]);
        M::event(Event::Acquired, one);
        let mine = own::<M>(&from.guarded, worker, one);
        let paid = from.balance.load(Ordering::Relaxed);

        M::event(Event::Nested { held: one }, other);
        M::event(Event::Request { intended_ns: 0 }, other);
        locks[second].lock(&mut self.contexts[second]);
        M::event(Event::Acquired, other);
        let theirs = own::<M>(&to.guarded, worker, other);
        let got = to.balance.load(Ordering::Relaxed);

        work();
        // Stored at the end: whatever another thread did meanwhile in an account that is not its own is undone, and the
        // sum tells.
        from.balance.store(paid.wrapping_sub(amount), Ordering::Relaxed);
        to.balance.store(got.wrapping_add(amount), Ordering::Relaxed);
        disown::<M>(&to.guarded, theirs);
        disown::<M>(&from.guarded, mine);

        M::event(Event::Releasing, other);
        locks[second].unlock(&mut self.contexts[second]);
        M::event(Event::Releasing, one);
        locks[first].unlock(&mut self.contexts[first]);
    }
}
