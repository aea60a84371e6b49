//! The spinning mutex of the crate `spin`, measured beside ours.
//!
//! - **Source**: spin 0.12, `src/mutex/spin.rs`.
//! - **Idea**: test-and-test-and-set on a bool, with a pause a poll; made for kernels, where nobody can sleep.
//! - **Fairness**: none.
//! - **Differs from upstream**: the crate speaks another version of `lock_api`, so its two calls are passed on here to
//!   [`crate::mutex::lock_api`].

use core::mem::forget;

use ::lock_api::{GuardSend, RawMutex};

use crate::card::{Card, Role};
use crate::mutex::lock_api::{self, LockApi, LockApiMutex};

/// The lock.
pub type Mutex<M> = lock_api::Mutex<M, Spin>;

/// The registration.
pub type PeerSpin = LockApi<Spin>;

/// The crate's mutex and its card.
pub struct Spin;

impl LockApiMutex for Spin {
    const CARD: Card = Card {
        year: 2014,
        source: "spin 0.12, src/mutex/spin.rs",
        role: Role::Peer,
        pathologies: &["a preempted holder makes all waiters burn their slices"],
        ..lock_api::card("mutex/peer-spin", "spin::Mutex: test-and-test-and-set, made for kernels")
    };
    type Raw = SpinMutex;
}

/// The crate's mutex under the trait's current version.
pub struct SpinMutex(spin::mutex::SpinMutex<()>);

// SAFETY: the guard state is the crate's own guard, forgotten: the lock is held until `unlock`, whatever becomes of the
// state. The crate's mutex excludes.
unsafe impl RawMutex for SpinMutex {
    type Guard = GuardSend;

    const INIT: Self = SpinMutex(spin::mutex::SpinMutex::new(()));

    #[inline(always)]
    fn lock(&self) -> GuardSend {
        forget(self.0.lock());
        GuardSend::new()
    }

    #[inline(always)]
    fn try_lock(&self) -> Option<GuardSend> {
        self.0.try_lock().map(|guard| {
            forget(guard);
            GuardSend::new()
        })
    }

    #[inline(always)]
    unsafe fn unlock(&self, _: GuardSend) {
        // SAFETY: the caller shows the state of its acquisition, and that acquisition's guard was forgotten.
        unsafe { self.0.force_unlock() };
    }

    fn is_locked(&self) -> bool {
        self.0.is_locked()
    }
}
