//! Every mutex guards plain data on threads of this computer: a program for sanitizers.
//!
//! ThreadSanitizer follows what the locks' own orderings order, not what this computer's memory happens to do: two
//! sections that no Acquire and Release keep apart are a data race to it also on x86. `scripts/sanitize` builds this with
//! a sanitizer and runs it. With the id of a mutex, only that one runs, broken ones included: a sanitizer that says
//! nothing of `mutex/mutant-relaxed-release` sees nothing.

#![allow(clippy::print_stdout, reason = "who was run is this program's result")]

use std::cell::UnsafeCell;
use std::env;
use std::process::ExitCode;

use impls::card::{Capability, Defaults, Role};
use impls::machine::Machine;
use impls::machine::os::Os;
use impls::mutex::{MutexImpl, MutexVisitor, RawMutex};

const THREADS: usize = 3;
/// An interpreter takes a thousand times as long.
const SECTIONS: u64 = if cfg!(miri) { 20 } else { 2_000 };

struct Guarded<L> {
    lock: L,
    data: UnsafeCell<[u64; 4]>,
}

// SAFETY: `data` is reached under the lock; whether that suffices is what the sanitizer is asked.
unsafe impl<L: Sync> Sync for Guarded<L> {}

struct Guards {
    only: Option<String>,
    ran: usize,
}

impl MutexVisitor for Guards {
    fn visit<I: MutexImpl>(&mut self) {
        let id = I::CARD.id;
        if I::CARD.role == Role::Floor || self.only.as_ref().is_some_and(|only| only != id) {
            return;
        }
        if cfg!(miri) && I::CARD.offers(Capability::CrossProcess) {
            return println!("{id}: skipped: Miri does not know locks of files");
        }
        let guarded = Guarded { lock: I::build::<Os, Defaults>(Defaults), data: UnsafeCell::new([0; 4]) };
        // The whole of it: a closure that names the field would not see that it may be shared.
        let shared = &guarded;
        <Os>::run(THREADS, &[], 1, &|index| {
            let mut context = shared.lock.context();
            for round in 0..SECTIONS {
                // Every door: a third by a try, a third by a deadline.
                let entered = match (round + index as u64) % 3 {
                    0 if I::CARD.offers(Capability::TryLock) => shared.lock.try_lock(&mut context),
                    1 if I::CARD.offers(Capability::Timeout) => {
                        shared.lock.lock_until(&mut context, <Os>::now_ns() + 20_000)
                    }
                    _ => {
                        shared.lock.lock(&mut context);
                        true
                    }
                };
                if entered {
                    // SAFETY: the lock excludes the other threads, or the sanitizer says that it does not.
                    let data = unsafe { &mut *shared.data.get() };
                    data.iter_mut().for_each(|word| *word += 1);
                    shared.lock.unlock(&mut context);
                }
            }
        });
        let data = guarded.data.into_inner();
        println!("{id}: {} sections", data[0]);
        self.ran += 1;
    }
}

fn main() -> ExitCode {
    let mut guards = Guards { only: env::args().nth(1), ran: 0 };
    impls::mutex::visit_all(&mut guards);
    if guards.only.is_some() {
        impls::suite::mutants::visit_all(&mut guards);
    }
    println!("{} mutexes", guards.ran);
    if guards.ran == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
