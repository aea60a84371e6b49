//! The loop of operations that hold two locks at once: transfers between accounts.
//!
//! One operation: think, ask for the one lock, and while holding it for the other; move an amount from the first account
//! to the second, hold, give both back in the reverse order. The two differ, and the order in which they are taken was
//! decided when they were drawn. What all accounts hold together never changes, whoever transfers what; and each account
//! counts its transfers as the guarded data of [`super::mutex`] do.
//!
//! The loop calls the locks through a table of functions: compiled once more for each lock, it would lengthen every build by
//! half. The calls cost every lock the same, a ns or two.
//!
//! Probes see two acquires an operation. That the second lock is asked for under the first they are told beforehand, so
//! that the loops in which that never happens have nothing to look for.

use impls::machine::{Atomic, Line, Machine, Ordering};
use impls::mutex::RawMutex;
use impls::probe::Event;
use record::Sum;

use super::Launch;
use super::arena::Placed;
use super::control::{Control, nap_for};
use super::draw::{Draw, pair};
use super::mutex::{self, Guarded, disown, own};
use super::stage::{self, Hands, Script, Subject};

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

/// The locks of one slice, whatever their type.
trait Locks<M: Machine>: Sync {
    /// One worker's access to each.
    fn grips(&self) -> Vec<Box<dyn Grip + '_>>;
    /// Where each lies.
    fn objects(&self) -> Vec<usize>;
    /// Threads that wait.
    fn waiting(&self) -> u64;
}

/// One worker's access to one lock.
trait Grip {
    fn lock(&mut self);
    fn unlock(&mut self);
}

struct Typed<'a, M: Machine, L: RawMutex<M>> {
    lock: &'a L,
    context: L::Context,
}

impl<M: Machine, L: RawMutex<M>> Locks<M> for Vec<Placed<L>> {
    fn grips(&self) -> Vec<Box<dyn Grip + '_>> {
        fn grip<M: Machine, L: RawMutex<M>>(lock: &L) -> Box<dyn Grip + '_> {
            Box::new(Typed::<M, L> { lock, context: lock.context() })
        }
        self.iter().map(|lock| grip::<M, L>(lock)).collect()
    }
    fn objects(&self) -> Vec<usize> {
        mutex::objects(self)
    }
    fn waiting(&self) -> u64 {
        mutex::waiting(self)
    }
}

impl<M: Machine, L: RawMutex<M>> Grip for Typed<'_, M, L> {
    fn lock(&mut self) {
        self.lock.lock(&mut self.context);
    }
    fn unlock(&mut self) {
        self.lock.unlock(&mut self.context);
    }
}

/// The locks of one slice and their accounts.
struct Accounts<M: Machine> {
    locks: Box<dyn Locks<M>>,
    accounts: Vec<Placed<Line<Account<M>>>>,
}

/// One worker's access to them.
struct AccountHands<'a, M: Machine> {
    accounts: &'a [Placed<Line<Account<M>>>],
    grips: Vec<Box<dyn Grip + 'a>>,
    /// Where the locks lie. Not asked of the grips: without a probe nobody wants to know, and a call would be made.
    objects: Vec<usize>,
}

/// The accounts of a slice.
pub(super) fn subject<M: Machine, L: RawMutex<M>>(
    launch: &Launch<'_>,
    build: &(dyn Fn() -> L + Sync),
    draw: &mut Draw,
) -> Box<dyn Subject<M>> {
    let count = launch.point.locks;
    let locks: Vec<Placed<L>> = (0..count).map(|_| Placed::new(build(), draw)).collect();
    accounts(Box::new(locks), count, draw)
}

fn accounts<M: Machine>(locks: Box<dyn Locks<M>>, count: u32, draw: &mut Draw) -> Box<dyn Subject<M>> {
    let account = || Line(Account { guarded: Guarded::new(), balance: M::AtomicU64::new(BALANCE) });
    Box::new(Accounts::<M> { locks, accounts: (0..count).map(|_| Placed::new(account(), draw)).collect() })
}

impl<M: Machine> Subject<M> for Accounts<M> {
    fn hands(&self) -> Box<dyn Hands<M> + '_> {
        let (grips, objects) = (self.locks.grips(), self.locks.objects());
        Box::new(AccountHands { accounts: &self.accounts, grips, objects })
    }
    fn waiting(&self) -> u64 {
        self.locks.waiting()
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
        self.locks.objects()
    }
}

impl<M: Machine> Hands<M> for AccountHands<'_, M> {
    /// The measured loop.
    #[inline(never)]
    fn operate(&mut self, script: &mut Script, control: &Control<M>, signal: u32) -> u64 {
        let mut done = 0;
        let mut intended_ns = 0;
        while control.signal() == signal {
            if !stage::begin::<M>(&mut script.pace, control, signal, &mut intended_ns) {
                break;
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
        self.transfer([0, 1], script.index, 1, 0, || nap_for::<M>(length_ns));
    }
}

impl<M: Machine> AccountHands<'_, M> {
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
        let (from, to) = (&*self.accounts[first], &*self.accounts[second]);
        let (one, other) = (self.objects[first], self.objects[second]);

        M::event(Event::Request { intended_ns }, one);
        self.grips[first].lock();
        M::event(Event::Acquired, one);
        let mine = own::<M>(&from.guarded, worker, one);
        let paid = from.balance.load(Ordering::Relaxed);

        M::event(Event::Nested { held: one }, other);
        M::event(Event::Request { intended_ns: 0 }, other);
        self.grips[second].lock();
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
        self.grips[second].unlock();
        M::event(Event::Releasing, one);
        self.grips[first].unlock();
    }
}
