//! A lock across processes: the kernel's lock on an open file.
//!
//! - **Source**: 4.2BSD `flock`, 1983, through `std::fs::File::lock` (on Windows `LockFileEx`).
//! - **Idea**: whoever has the file open and locked holds the lock. Each context opens the file anew, because the kernel
//!   locks open files and not threads: so threads of a process exclude each other like processes do.
//! - **Differs from upstream**: a time-out, which the call does not have: tries with growing sleeps in between.
//! - **Fairness**: whoever the kernel favours. One that waits with a time-out polls, and is passed by those that block.
//! - **Cost**: two system calls, also uncontended.
//! - **Pathology**: with a time-out, up to a whole sleep passes after the lock became free.
//!
//! ## State
//! The lock's state lies in the kernel. The kernel releases it when the last descriptor of the open file is closed: by
//! unlock, by the end of the context, or by the end of the process, however it ends. Descriptors are closed on exec, so
//! a child does not keep the lock.
//!
//! [`MutexImpl::build`] makes a file of its own in the folder for temporary files, and removes it with the lock;
//! [`Mutex::at`] uses a file that the caller names, which is how processes meet, and leaves it there.
//!
//! ## Orderings
//! The kernel's: a lock call returns after the unlock call that made room.

use core::marker::PhantomData;
use std::fs::{File as Handle, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::card::{Capability, Card, Defaults, Fairness, Param, ParamSource, Role, Runs};
use crate::machine::Machine;
use crate::mutex::{MutexImpl, RawMutex, misuse};
use crate::probe::Event;

/// The first sleep between two tries of a lock with a time-out.
pub static POLL_FIRST_NS: Param = Param {
    name: "poll_first_ns",
    default: 50_000,
    min: 1_000,
    max: 1 << 30,
    origin: "ours: about the time of a sleep and a wake-up, so that the first tries cost little",
};
/// The sleep that the doubling stops at.
pub static POLL_LIMIT_NS: Param = Param {
    name: "poll_limit_ns",
    default: 10_000_000,
    min: 1_000,
    max: 1 << 30,
    origin: "ours: 100 tries a second cost no measurable processor time",
};

/// The lock.
pub struct Mutex<M: Machine, S: ParamSource = Defaults> {
    path: PathBuf,
    /// Whether the file is this lock's own, to be removed with it.
    own: bool,
    params: S,
    machine: PhantomData<M>,
}

/// The registration.
pub struct File;

impl MutexImpl for File {
    const CARD: Card = Card {
        id: "mutex/file",
        summary: "across processes: the kernel's lock on an open file",
        year: 1983,
        source: "4.2BSD flock, through std::fs::File::lock",
        role: Role::Design,
        fairness: Fairness::Unordered,
        runs: Runs::OsOnly("its state lies in the kernel"),
        can: &[
            Capability::TryLock,
            Capability::Timeout,
            Capability::DetectsUnlocked,
            Capability::DetectsReentry,
            Capability::CrossProcess,
            Capability::Observable,
        ],
        params: &[POLL_FIRST_NS, POLL_LIMIT_NS],
        follows: None,
        pathologies: &["with a time-out, up to a whole sleep passes after the lock became free"],
    };
    type Lock<M: Machine, S: ParamSource> = Mutex<M, S>;

    /// Panics, naming the path, if no file can be made in the folder for temporary files.
    fn build<M: Machine, S: ParamSource>(params: S) -> Mutex<M, S> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("synchroscope-{}-{number}.lock", std::process::id());
        let path = std::env::temp_dir().join(name);
        if let Err(error) = open(&path) {
            failed("make", &path, &error);
        }
        Mutex { path, own: true, params, machine: PhantomData }
    }
}

impl<M: Machine> Mutex<M> {
    /// The lock that every process names by `path`. Makes the file if there is none, and leaves it in place.
    pub fn at(path: &Path) -> io::Result<Self> {
        open(path)?;
        Ok(Mutex { path: path.to_owned(), own: false, params: Defaults, machine: PhantomData })
    }
}

impl<M: Machine, S: ParamSource> Mutex<M, S> {
    fn object(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
}

impl<M: Machine, S: ParamSource> Drop for Mutex<M, S> {
    fn drop(&mut self) {
        if self.own {
            // Nothing depends on it: a file that cannot be removed is an empty file in a folder for such.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The lock's file, opened by this context alone.
#[derive(Debug)]
pub struct Context {
    file: Handle,
    held: bool,
}

impl Context {
    #[inline]
    fn assert_free(&self) {
        // To the kernel a second lock of the same open file is no news: it would succeed.
        if self.held {
            misuse::reentry(File::CARD.id);
        }
    }
}

impl<M: Machine, S: ParamSource> RawMutex<M> for Mutex<M, S> {
    type Context = Context;

    /// Panics, naming the path, if the file cannot be opened.
    fn context(&self) -> Context {
        match open(&self.path) {
            Ok(file) => Context { file, held: false },
            Err(error) => failed("open", &self.path, &error),
        }
    }

    fn lock(&self, context: &mut Context) {
        if self.try_lock(context) {
            return;
        }
        M::event(Event::ParkBegin, self.object());
        let locked = loop {
            match context.file.lock() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        M::event(Event::ParkEnd { woken_ns: 0 }, self.object());
        if let Err(error) = locked {
            failed("lock", &self.path, &error);
        }
        context.held = true;
    }

    fn try_lock(&self, context: &mut Context) -> bool {
        context.assert_free();
        context.held = loop {
            match context.file.try_lock() {
                Ok(()) => break true,
                Err(TryLockError::WouldBlock) => break false,
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => failed("lock", &self.path, &error),
            }
        };
        context.held
    }

    fn lock_until(&self, context: &mut Context, deadline_ns: u64) -> bool {
        let limit = self.params.get(&POLL_LIMIT_NS);
        let mut nap = self.params.get(&POLL_FIRST_NS).min(limit);
        loop {
            if self.try_lock(context) {
                return true;
            }
            let left = deadline_ns.saturating_sub(M::now_ns());
            if left == 0 {
                return false;
            }
            M::event(Event::ParkBegin, self.object());
            std::thread::sleep(Duration::from_nanos(nap.min(left)));
            M::event(Event::ParkEnd { woken_ns: 0 }, self.object());
            nap = nap.saturating_mul(2).min(limit);
        }
    }

    fn unlock(&self, context: &mut Context) {
        if !context.held {
            misuse::unlock_of_unlocked(File::CARD.id);
        }
        context.held = false;
        if let Err(error) = context.file.unlock() {
            failed("unlock", &self.path, &error);
        }
    }
}

fn open(path: &Path) -> io::Result<Handle> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

#[cold]
fn failed(what: &str, path: &Path, error: &io::Error) -> ! {
    panic!("{}: cannot {what} {}: {error}", File::CARD.id, path.display())
}
