//! Ten thousand simulated threads, and what they take of this computer. A process of its own: memory is measured.
#![cfg(target_os = "linux")]

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering as Plain};

use impls::machine::sim::preset::Preset;
use impls::machine::sim::{Setup, Sim, simulate};
use impls::machine::{Atomic, AtomicInt, Machine, Ordering};
use impls::mutex::clh::Clh;
use impls::mutex::{MutexImpl, RawMutex};
use impls::probe::NoProbe;

type S = Sim<NoProbe>;

const THREADS: usize = 10_000;
const BYTES_MAX: u64 = 8 << 10;

/// Resident memory of this process, bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    // SAFETY: the call takes a number and returns one.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64;
    text.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * page
}

#[test]
fn ten_thousand_threads_fit() {
    let preset = Rc::new(Preset::builtin("bergamo-256").unwrap());
    let setup = Setup { preset, observe: false, marks: 0, marks_from: 0 };
    let before = resident();
    let most = AtomicU64::new(0);
    let (done, _) = simulate(&setup, || {
        let lock = Clh::build::<S, impls::card::Defaults>(impls::card::Defaults);
        let done = <S as Machine>::AtomicU64::new(0);
        S::run(THREADS, &[], 1, &|index| {
            let mut context = lock.context();
            lock.lock(&mut context);
            done.fetch_add(1, Ordering::Relaxed);
            lock.unlock(&mut context);
            // The last to be started sees all others begun.
            if index % 1000 == 999 {
                most.fetch_max(resident(), Plain::Relaxed);
            }
        });
        done.load(Ordering::Relaxed)
    });
    assert_eq!(done, THREADS as u64);
    let each = (most.load(Plain::Relaxed) - before) / THREADS as u64;
    // Without optimisation frames are larger than a page.
    let limit = if cfg!(debug_assertions) { 2 * BYTES_MAX } else { BYTES_MAX };
    assert!(each <= limit, "{each} bytes a thread");
}
