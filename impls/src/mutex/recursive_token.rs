//! A recursive lock whose owner is a token: whoever shows the owner's token may lock again, on any thread.
//!
//! - **Source**: the remedy where threads have no public number, as goroutines have none: the caller brings one along.
//! - **Delta**: against `recursive_thread`: ownership can be passed on with the token.
//! - **Idea**: the context holds the token. [`Context::new`] takes the caller's; [`RawMutex::context`] draws one that
//!   nobody else has.
//! - **Differs from upstream**: token 0 is refused. It stands for "nobody", so that in a plain version a caller who shows
//!   it enters an unlocked lock without locking it.
//! - **Fairness**: barging, without bound (a futex of three states underneath).
//! - **Cost**: over `futex_drepper`, three plain words.
//! - **Pathology**: two callers that happen to choose the same token enter together; the lock cannot tell them apart.
//!
//! ## State, invariants, orderings
//! Those of [`crate::wait::reentrant`]; an owner is a token. Passing a token from thread to thread must order the two
//! uses, as any channel, join or lock does.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::card::{Capability, Card, Fairness, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::wait::reentrant::{Reentrant, Refused};

/// The lock.
#[repr(C, align(64))]
pub struct Mutex<M: Machine>(Reentrant<M>);

/// The registration.
pub struct RecursiveToken;

impl MutexImpl for RecursiveToken {
    const CARD: Card = Card {
        id: "mutex/recursive-token",
        summary: "who shows the owner's token may lock again",
        year: 2020,
        source: "folklore of languages whose threads have no public number",
        role: Role::Design,
        fairness: Fairness::Barging,
        runs: Runs::AnyMachine,
        can: &[
            Capability::TryLock,
            Capability::Timeout,
            Capability::IsLocked,
            Capability::Recursive,
            Capability::DetectsUnlocked,
            Capability::DetectsForeign,
            Capability::Observable,
        ],
        params: &[],
        follows: Some("mutex/recursive-thread"),
        pathologies: &["callers that choose the same token enter together"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M>;
    fn build<M: Machine, S: ParamSource>(_: S) -> Mutex<M> {
        Mutex(Reentrant::default())
    }
}

/// A token. A thread that receives it may unlock, and lock again.
#[derive(Debug, PartialEq, Eq)]
pub struct Context(u64);

/// The token that stands for nobody.
const RESERVED: u64 = 0;
/// Drawn tokens have this bit, so that they stay clear of the small numbers that callers choose.
const DRAWN: u64 = 1 << 63;

impl Context {
    /// The caller's own token. Panics on 0, which stands for nobody.
    pub fn new(token: u64) -> Self {
        let id = RecursiveToken::CARD.id;
        assert!(token != RESERVED, "{id}: token {RESERVED} is reserved for nobody: use any other");
        Context(token)
    }

    fn drawn() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        // Relaxed: the number must be unique, nothing is published with it.
        Context(DRAWN | LAST.fetch_add(1, Ordering::Relaxed))
    }
}

impl<M: Machine> RawMutex<M> for Mutex<M> {
    type Context = Context;
    fn context(&self) -> Context {
        Context::drawn()
    }

    #[inline]
    fn lock(&self, token: &mut Context) {
        self.0.lock(token.0);
    }
    #[inline]
    fn try_lock(&self, token: &mut Context) -> bool {
        self.0.try_lock(token.0)
    }
    #[inline]
    fn lock_until(&self, token: &mut Context, deadline_ns: u64) -> bool {
        self.0.lock_until(token.0, deadline_ns)
    }
    #[inline]
    fn unlock(&self, token: &mut Context) {
        if let Err(refused) = self.0.unlock(token.0) {
            refuse(token.0, refused);
        }
    }
    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}

#[cold]
fn refuse(me: u64, refused: Refused) -> ! {
    let id = RecursiveToken::CARD.id;
    match refused {
        Refused::Unlocked => misuse::unlock_of_unlocked(id),
        Refused::OwnedBy(owner) => {
            misuse::foreign_unlock(id, format_args!("token {me}"), format_args!("token {owner}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::Defaults;
    use crate::machine::os::Os;

    #[test]
    #[should_panic(expected = "mutex/recursive-token: token 0 is reserved")]
    fn the_reserved_token_is_refused() {
        Context::new(0);
    }

    #[test]
    #[should_panic(expected = "mutex/recursive-token: unlock by token 8, but the owner is token 7")]
    fn a_foreign_unlock_names_both_tokens() {
        let lock = RecursiveToken::build::<Os, _>(Defaults);
        lock.lock(&mut Context::new(7));
        lock.unlock(&mut Context::new(8));
    }

    #[test]
    fn the_lock_goes_with_the_token() {
        let lock = RecursiveToken::build::<Os, _>(Defaults);
        let mut token = Context::new(7);
        lock.lock(&mut token);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                lock.lock(&mut token); // The same token again, on another thread.
                lock.unlock(&mut token);
                lock.unlock(&mut token);
            });
        });
        assert!(!lock.is_locked());
    }
}
