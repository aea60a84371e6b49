//! Conformance batteries: what a registration line brings along.
//!
//! The functions are generic and public, so that a user's crate tests a lock of its own with one line:
//! `impls::mutex_battery!(MyLock);`. A test of what a card does not claim ends at once; that no card drops a claim is
//! for the golden table to see.
//!
//! | module | holds |
//! |---|---|
//! | [`mutex`] | the battery of the mutex family |
//! | [`mutants`] | broken mutexes, which the battery and the runner must catch |
//! | [`planted`] | slower twins of sound mutexes, which `guard` must catch |
//! | [`tunable`] | locks whose best parameter is known, for searches to find |
//! | [`simulated`] | short programs on simulated machines, with one seed after another |
//! | [`troubled`] | machines whose sleeps end for no reason, or whose clock steps back |
//! | [`explored`] | short programs under many schedules, and the shortest schedule that fails |
//! | [`told`] | locks that tell what threads do with them, for tests that hang |
//! | [`wait_for`] | who waits for whom, in words |
//! | [`watch`] | a probe by which a test sees that a thread waits |
//! | [`models`] | the programs that model checkers explore |
//! | [`battery`] | its tests by name, for programs that are no test binaries |
//! | [`child`] | misuse in a process of its own |

pub mod battery;
pub mod child;
pub mod explored;
pub mod models;
pub mod mutants;
pub mod mutex;
pub mod planted;
pub mod simulated;
pub mod told;
pub mod troubled;
pub mod tunable;
pub mod wait_for;
pub mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How long a test of a battery may take before it counts as hanging.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Runs `body` on a thread of its own and returns what it returns, or panics as it panics. If it does not end within
/// `limit`, panics with `what` and who waits for whom; the thread is left behind.
pub fn within<R: Send + 'static>(
    limit: Duration,
    what: &str,
    body: impl FnOnce() -> R + Send + 'static,
) -> R {
    let (sender, receiver) = mpsc::channel();
    let board = Arc::new(told::Board::default());
    let told = Arc::clone(&board);
    std::thread::spawn(move || {
        told.serve();
        // The receiver may have given up, and then nobody wants the result.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(body)));
    });
    match receiver.recv_timeout(limit) {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => panic!("{what}: no end within {limit:?}: {}", board.picture()),
    }
}

/// Waits until `condition` holds; panics with `what` if that takes 20 s.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    const PATIENCE: Duration = Duration::from_secs(20);
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without text")
}
