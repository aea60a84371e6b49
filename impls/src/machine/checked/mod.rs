//! The checked machines: [`loom`] explores the interleavings and the weak memory of small programs, [`shuttle`] draws
//! schedules of larger ones, sequentially consistent.
//!
//! Both run the sources that are measured. The macro below is the [`Machine`](super::Machine) over a checker's atomics;
//! `scene` adds what neither checker has: a clock, deadlines, futexes, sleeps that end for no reason; [`sites`] sees
//! each ordering and can weaken one.
//!
//! How waiting is modelled:
//! * Who awaits a word and has read its latest value sleeps until somebody writes it. Polling on would add nothing but
//!   states, without end, in which the others never get a turn.
//! * Awaiting by writing swaps again only after such a write.
//! * A sleeper yields until somebody has woken it. It gains nothing from that in the memory model; parking synchronises
//!   through its token, as in `std`, and a futex through nothing, as a kernel promises nothing.
//! * `futex_wait` compares with a read-modify-write, which reads the latest value, as the kernel does under its lock.
//! * When all sleep, the earliest deadline fires; when there is none, that is a deadlock.
//!
//! A check that fails ends its process (see [`crate::suite::models`]): checkers do not survive a panic well, and the
//! threads of an execution borrow from each other's stacks.

pub mod loom;
mod scene;
pub mod shuttle;
pub mod sites;
mod words;

pub use scene::Setting;

/// The words and the machine over the atomics of a checker, whose crate is `$checker`.
///
/// The module that calls it offers `yield_now()`; `breathe()` where a thread only takes time; `choose()`: true or false,
/// each of them in some execution; `skip()`: nothing new lies ahead; `store_last()`; and `crew()`, made before threads start, which each tells by
/// `joined()` and `left()` that it begins and is through, and `await_crew()`, which waits for all.
macro_rules! checked_machine {
    ($(#[$doc:meta])* $machine:ident over $checker:ident; $cell:ident) => {
        use core::sync::atomic::Ordering;
        use std::cell::{Cell, RefCell};
        use std::panic::Location;
        use std::sync::Arc;

        use super::scene::{self, Look, Sleep};
        use super::sites::{self, Slot};
        use $crate::machine::{Atomic, AtomicInt, Machine, Waited};
        use $crate::probe::{Event, NoProbe, Probe};

        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $machine;

        super::words::words!($checker);

        /// A thread of an execution.
        #[derive(Debug)]
        pub struct Thread {
            number: usize,
            /// 1 if the thread was unparked and has not parked since. Not a [`Machine`] word: its orderings are the
            /// promise of `park`, and no site.
            token: ::$checker::sync::atomic::AtomicU32,
        }

        $checker::thread_local! {
            /// Number of the calling thread: 0 conducts, the others count from 1.
            static NUMBER: Cell<usize> = Cell::new(0);
            static HANDLE: RefCell<Option<Arc<Thread>>> = RefCell::new(None);
        }

        fn number() -> usize {
            NUMBER.with(Cell::get)
        }

        /// Sleeps until somebody wakes the calling thread or the deadline fires; whether it was the deadline.
        fn sleep(sleep: Sleep, deadline_ns: Option<u64>) -> Waited {
            let me = number();
            scene::fall_asleep(me, sleep, deadline_ns);
            let mut first = true;
            loop {
                match scene::look(me) {
                    Look::Asleep => {
                        if !first && scene::is_idle(me) {
                            skip();
                        }
                        first = false;
                        yield_now();
                    }
                    Look::Woken => return Waited::Woken,
                    Look::TimedOut => return Waited::TimedOut,
                }
            }
        }

        /// Whether a sleep is to end at once, in this execution: by its deadline, or for no reason.
        fn ends_early(deadline_ns: Option<u64>) -> bool {
            let early = scene::may_end_early(number(), deadline_ns.is_some()) && choose();
            if let (true, Some(deadline_ns)) = (early, deadline_ns) {
                scene::reach(deadline_ns);
            }
            early
        }

        fn park(deadline_ns: Option<u64>) {
            let me = $machine::current();
            let token = || me.token.swap(0, Ordering::Acquire) == 1;
            if ends_early(deadline_ns) {
                token();
                return;
            }
            while !token() {
                if sleep(Sleep::Park, deadline_ns) == Waited::TimedOut {
                    token();
                    return;
                }
            }
        }

        impl Machine for $machine {
            type Probe = NoProbe;
            type AtomicU32 = AtomicU32;
            type AtomicI32 = AtomicI32;
            type AtomicU64 = AtomicU64;
            type AtomicUsize = AtomicUsize;
            type AtomicPtr<T: 'static> = AtomicPtr<T>;
            type Cell<T: 'static> = $cell<T>;
            type Thread = Arc<Thread>;

            fn current() -> Arc<Thread> {
                HANDLE.with(|handle| {
                    let mut handle = handle.borrow_mut();
                    let new = || {
                        Arc::new(Thread { number: number(), token: ::$checker::sync::atomic::AtomicU32::new(0) })
                    };
                    Arc::clone(handle.get_or_insert_with(new))
                })
            }
            fn park() {
                park(None);
            }
            fn park_until(deadline_ns: u64) {
                park(Some(deadline_ns));
            }
            fn unpark(thread: &Arc<Thread>) {
                thread.token.swap(1, Ordering::Release);
                scene::wake(Sleep::Park, Some(thread.number), 1);
            }

            fn futex_wait(word: &AtomicU32, expected: u32, deadline_ns: Option<u64>) -> Waited {
                if ends_early(deadline_ns) {
                    return if deadline_ns.is_some() { Waited::TimedOut } else { Waited::Woken };
                }
                // No switch happens between the comparison and the sleep, so the two are one step.
                if word.0.fetch_add(0, Ordering::Relaxed) != expected {
                    return Waited::Woken;
                }
                sleep(Sleep::Futex(core::ptr::from_ref(word).addr()), deadline_ns)
            }
            fn futex_wake(word: &AtomicU32, count: u32) {
                // A step of its own, which the checker orders against the comparisons of waiters.
                word.0.fetch_add(0, Ordering::Relaxed);
                scene::wake(Sleep::Futex(core::ptr::from_ref(word).addr()), None, count);
            }

            #[track_caller]
            fn fence(order: Ordering) {
                let order = sites::order(Location::caller(), Slot::First, order);
                if order != Ordering::Relaxed {
                    ::$checker::sync::atomic::fence(order);
                }
            }
            fn pause(_: u32) {
                breathe();
            }
            fn yield_now() {
                yield_now();
            }
            fn can_spin() -> bool {
                scene::setting().can_spin
            }
            fn now_ns() -> u64 {
                scene::now_ns()
            }
            fn work(_: u32) {
                breathe();
            }
            fn work_cycles(duration_ns: u64) -> u32 {
                u32::try_from(duration_ns).unwrap_or(u32::MAX)
            }
            fn random() -> u32 {
                scene::random(number())
            }
            fn thread_id() -> u64 {
                number() as u64 + 1
            }
            fn core() -> u32 {
                number() as u32
            }
            fn node() -> u32 {
                0
            }
            fn observed<R>(_: &<NoProbe as Probe>::Slot, body: impl FnOnce() -> R) -> R {
                body()
            }
            fn event(_: Event, _: usize) {}

            fn run(threads: usize, _cpus: &[usize], _seed: u64, body: &(dyn Fn(usize) + Sync)) {
                // SAFETY: the lifetime is lengthened for the checker's threads, which are all joined below; a panic
                // does not pass there, since it ends the process (see `explore`).
                let body = unsafe {
                    core::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(body)
                };
                scene::fork(threads);
                let crew = Arc::new(crew(threads));
                let start = |index: usize| {
                    let crew = Arc::clone(&crew);
                    ::$checker::thread::spawn(move || {
                        NUMBER.with(|number| number.set(index + 1));
                        joined(&crew);
                        body(index);
                        scene::end(index + 1);
                        left(&crew);
                    })
                };
                let handles: Vec<_> = (0..threads).map(start).collect();
                await_crew(&crew, handles);
                scene::join();
            }
        }
    };
}
use checked_machine;
