//! Locks of the battery that tell what threads do with them, so that a test that hangs can say who waits for whom.
//!
//! A note costs a few stores to a line of the thread's own and a look at the clock, all outside of the lock's code.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::wait_for::{self, Awaited, Thread};
use crate::machine::Machine;
use crate::machine::os::Os;
use crate::mutex::RawMutex;

const IDLE: u64 = 0;
const WAITS: u64 = 1;
const HOLDS: u64 = 2;
const RELEASES: u64 = 3;

/// What one thread does with the locks of one test. Relaxed: it is read when nothing has moved for a long time.
#[repr(align(64))]
#[derive(Debug)]
struct Note {
    name: String,
    state: AtomicU64,
    object: AtomicUsize,
    since_ns: AtomicU64,
    operations: AtomicU64,
}

impl Note {
    fn set(&self, state: u64, object: usize) {
        self.since_ns.store(<Os>::now_ns(), Ordering::Relaxed);
        self.object.store(object, Ordering::Relaxed);
        self.state.store(state, Ordering::Relaxed);
    }

    fn thread(&self, now_ns: u64) -> Thread {
        let object = self.object.load(Ordering::Relaxed);
        let for_ns = now_ns.saturating_sub(self.since_ns.load(Ordering::Relaxed));
        let state = self.state.load(Ordering::Relaxed);
        Thread {
            name: self.name.clone(),
            operations: self.operations.load(Ordering::Relaxed),
            awaits: (state == WAITS).then_some(Awaited { object, how: "in lock", for_ns }),
            holds: if matches!(state, HOLDS | RELEASES) { vec![(object, for_ns)] } else { Vec::new() },
            releases: state == RELEASES,
        }
    }
}

/// The notes of one test.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Vec<Arc<Note>>>);

thread_local! {
    /// The board of the test that runs on this thread.
    static TEST: RefCell<Option<Arc<Board>>> = const { RefCell::new(None) };
    /// The last board that this thread wrote to, by address, and its note there.
    static NOTE: RefCell<Option<(usize, Arc<Note>)>> = const { RefCell::new(None) };
}

impl Board {
    /// Locks that this thread makes from now on tell on this board.
    pub(super) fn serve(self: &Arc<Self>) {
        TEST.set(Some(Arc::clone(self)));
    }

    /// Who waits for whom at this moment.
    pub(super) fn picture(&self) -> String {
        let now_ns = <Os>::now_ns();
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wait_for::picture(&notes.iter().map(|note| note.thread(now_ns)).collect::<Vec<_>>())
    }

    fn note(self: &Arc<Self>, write: impl FnOnce(&Note)) {
        let address = Arc::as_ptr(self).addr();
        // A thread that is ending has no note any more.
        let _ = NOTE.try_with(|known| {
            let mut known = known.borrow_mut();
            let (_, note) = match &mut *known {
                Some(note) if note.0 == address => note,
                other => other.insert((address, self.join())),
            };
            write(note);
        });
    }

    fn join(&self) -> Arc<Note> {
        let thread = std::thread::current();
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let note = Arc::new(Note {
            name: thread.name().map_or_else(|| format!("thread {}", notes.len()), str::to_owned),
            state: AtomicU64::new(IDLE),
            object: AtomicUsize::new(0),
            since_ns: AtomicU64::new(0),
            operations: AtomicU64::new(0),
        });
        notes.push(Arc::clone(&note));
        note
    }
}

/// A lock that tells.
#[derive(Debug)]
pub struct Told<L> {
    board: Arc<Board>,
    lock: L,
}

impl<L> Told<L> {
    /// Lets `lock` tell on the board of the test that runs on this thread.
    pub fn new(lock: L) -> Self {
        let board = TEST.with_borrow(|board| board.as_ref().map(Arc::clone));
        Told { board: board.unwrap_or_default(), lock }
    }

    fn object(&self) -> usize {
        core::ptr::from_ref(&self.lock).addr()
    }
    fn asks(&self) {
        self.board.note(|note| {
            note.operations.fetch_add(1, Ordering::Relaxed);
            note.set(WAITS, self.object());
        });
    }
    fn has(&self, taken: bool) -> bool {
        self.board.note(|note| note.set(if taken { HOLDS } else { IDLE }, self.object()));
        taken
    }
}

impl<M: Machine, L: RawMutex<M>> RawMutex<M> for Told<L> {
    type Context = L::Context;
    fn context(&self) -> L::Context {
        self.lock.context()
    }
    fn lock(&self, context: &mut L::Context) {
        self.asks();
        self.lock.lock(context);
        self.has(true);
    }
    fn unlock(&self, context: &mut L::Context) {
        self.board.note(|note| note.set(RELEASES, self.object()));
        self.lock.unlock(context);
        self.has(false);
    }
    fn try_lock(&self, context: &mut L::Context) -> bool {
        self.lock.try_lock(context) && self.has(true)
    }
    fn lock_until(&self, context: &mut L::Context, deadline_ns: u64) -> bool {
        self.asks();
        let taken = self.lock.lock_until(context, deadline_ns);
        self.has(taken)
    }
    fn count(&self) -> u32 {
        self.lock.count()
    }
    fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }
    fn is_woken(&self) -> bool {
        self.lock.is_woken()
    }
    fn is_starving(&self) -> bool {
        self.lock.is_starving()
    }
    fn state_text(&self) -> String {
        self.lock.state_text()
    }
}
