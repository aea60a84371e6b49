//! What happens around the words of one checked execution: the clock, the sleepers, and what may go either way.
//!
//! A checker decides which thread goes next and what a load sees. Everything else of a [`Machine`](crate::machine::Machine)
//! is here: a clock that only calls move, threads that sleep until somebody wakes them, deadlines. All threads of an
//! execution are coroutines of one host thread, so that plain data serves; it must follow from the schedule alone, and
//! [`begin`] makes it new for each execution.

use std::cell::RefCell;
use std::fmt::Write;

/// What a program assumes of the world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    /// How far each look at the clock moves it, in ns. With 0 time stands still until a deadline fires; with more than a
    /// threshold every wait is longer than the threshold.
    pub clock_step_ns: u64,
    /// What `can_spin` says.
    pub can_spin: bool,
    /// How many times each thread may meet a deadline at will: each such sleep is explored both ways.
    pub timeouts: usize,
    /// How many times each thread may wake for no reason: each such sleep is explored both ways.
    pub spurious: usize,
}

/// What a thread sleeps for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sleep {
    /// Its token.
    Park,
    /// A wake of the futex at this address.
    Futex(usize),
    /// A write of the word at this address.
    Word(usize),
}

/// What became of a sleeper when it looked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Asleep,
    Woken,
    TimedOut,
}

struct Sleeper {
    thread: usize,
    sleep: Sleep,
    deadline_ns: Option<u64>,
    look: Look,
}

#[derive(Default)]
struct Scene {
    setting: Setting,
    now_ns: u64,
    /// Threads that could still wake another: all that have not ended, but a conductor that waits for the others.
    awake_or_asleep: usize,
    /// In the order in which they fell asleep, which is the order of wakes.
    sleepers: Vec<Sleeper>,
    /// By thread: whether it has ended, yields, draws of its generator, sleeps that went the other way.
    ended: Vec<bool>,
    yields: Vec<usize>,
    draws: Vec<u32>,
    timeouts: Vec<usize>,
    spurious: Vec<usize>,
    /// Whom the checker runs after the last yield if it does not try something else.
    default_next: Option<usize>,
    /// Looks of sleepers, since somebody was woken, that were tried where another would have gone on.
    vain_looks: usize,
}

thread_local! {
    static SCENE: RefCell<Scene> = RefCell::default();
}

fn with<R>(body: impl FnOnce(&mut Scene) -> R) -> R {
    SCENE.with_borrow_mut(body)
}

/// A new execution begins, by the thread that conducts it.
pub(super) fn begin(setting: Setting) {
    with(|scene| *scene = Scene { setting, awake_or_asleep: 1, ..Scene::default() });
}

/// `threads` threads start, and the calling one waits for them.
pub(super) fn fork(threads: usize) {
    with(|scene| {
        scene.awake_or_asleep += threads - 1;
        (scene.ended, scene.yields) = (vec![false; threads + 1], vec![0; threads + 1]);
    });
}

/// `thread` has ended, as one of those that were forked.
pub(super) fn end(thread: usize) {
    with(|scene| {
        scene.awake_or_asleep -= 1;
        scene.ended[thread] = true;
    });
}

/// `thread` yields: loom then prefers the thread that has yielded least.
pub(super) fn yields(thread: usize) {
    with(|scene| {
        *slot(&mut scene.yields, thread) += 1;
        let others = (1..scene.ended.len()).filter(|&other| other != thread && !scene.ended[other]);
        scene.default_next = others.min_by_key(|&other| scene.yields[other]);
    });
}

/// Looks of sleepers in vain, one after the other, that an exploration follows up.
const VAIN_LOOKS: usize = 3;

/// Whether the look in vain of `thread`, just now, leads nowhere that another execution does not lead to.
///
/// loom takes a sleeper for a thread that can go, and tries to run it earlier, before what woke it; of two sleepers it
/// would try ever longer alternations. A look that it would have made by default does not count.
pub(super) fn is_idle(thread: usize) -> bool {
    with(|scene| {
        scene.vain_looks += usize::from(scene.default_next.take() != Some(thread));
        scene.vain_looks > VAIN_LOOKS
    })
}

/// Whether all forked threads have ended.
pub(super) fn all_ended() -> bool {
    with(|scene| scene.awake_or_asleep == 0)
}

/// All forked threads have ended, and the conductor goes on.
pub(super) fn join() {
    with(|scene| scene.awake_or_asleep += 1);
}

pub(super) fn setting() -> Setting {
    with(|scene| scene.setting)
}

/// Reads the clock, which moves it.
pub(super) fn now_ns() -> u64 {
    with(|scene| {
        scene.now_ns += scene.setting.clock_step_ns;
        scene.now_ns
    })
}

/// Moves the clock to `deadline_ns`, if that lies ahead.
pub(super) fn reach(deadline_ns: u64) {
    with(|scene| scene.now_ns = scene.now_ns.max(deadline_ns));
}

/// The next draw of a thread's generator.
pub(super) fn random(thread: usize) -> u32 {
    with(|scene| {
        let draw = slot(&mut scene.draws, thread);
        *draw += 1;
        // Weyl sequence, finalised as in MurmurHash3: any spread will do, it need only be the same each time.
        let mut x = draw.wrapping_mul(0x9E37_79B9).wrapping_add(thread as u32);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        x ^ (x >> 16)
    })
}

/// What a sleep of `thread` may do instead, if its allowance lasts: time out, or end for no reason.
pub(super) fn may_end_early(thread: usize, has_deadline: bool) -> bool {
    with(|scene| {
        let (used, allowed) = if has_deadline {
            (slot(&mut scene.timeouts, thread), scene.setting.timeouts)
        } else {
            (slot(&mut scene.spurious, thread), scene.setting.spurious)
        };
        let may = *used < allowed;
        *used += usize::from(may);
        may
    })
}

fn slot<T: Default + Clone>(list: &mut Vec<T>, thread: usize) -> &mut T {
    if list.len() <= thread {
        list.resize(thread + 1, T::default());
    }
    &mut list[thread]
}

/// `thread` falls asleep.
pub(super) fn fall_asleep(thread: usize, sleep: Sleep, deadline_ns: Option<u64>) {
    with(|scene| scene.sleepers.push(Sleeper { thread, sleep, deadline_ns, look: Look::Asleep }));
}

/// Wakes at most `count` of those that sleep so, the longest sleeper first; with `only`, that thread alone.
pub(super) fn wake(sleep: Sleep, only: Option<usize>, count: u32) {
    with(|scene| {
        let asleep = scene.sleepers.iter_mut().filter(|sleeper| {
            sleeper.look == Look::Asleep
                && sleeper.sleep == sleep
                && only.is_none_or(|only| only == sleeper.thread)
        });
        for sleeper in asleep.take(count as usize) {
            sleeper.look = Look::Woken;
            scene.vain_looks = 0;
        }
    });
}

/// Whether `thread`, which sleeps, may go on. Panics if nobody is left who could wake anyone.
///
/// When all sleep, the earliest deadline fires: until then a checked program takes no time.
pub(super) fn look(thread: usize) -> Look {
    with(|scene| {
        let asleep = scene.sleepers.iter().filter(|sleeper| sleeper.look == Look::Asleep).count();
        if asleep == scene.awake_or_asleep {
            let first = scene.sleepers.iter_mut().filter_map(|s| Some((s.deadline_ns?, s)));
            match first.min_by_key(|(deadline_ns, sleeper)| (*deadline_ns, sleeper.thread)) {
                Some((deadline_ns, sleeper)) => {
                    sleeper.look = Look::TimedOut;
                    scene.now_ns = scene.now_ns.max(deadline_ns);
                }
                None => panic!("{}", deadlock(&scene.sleepers)),
            }
        }
        let place = scene.sleepers.iter().position(|sleeper| sleeper.thread == thread);
        let place = place.expect("a thread that looks has fallen asleep");
        let look = scene.sleepers[place].look;
        if look != Look::Asleep {
            scene.sleepers.remove(place);
        }
        look
    })
}

fn deadlock(sleepers: &[Sleeper]) -> String {
    let mut text = "deadlock: nobody is left who could go on".to_owned();
    for Sleeper { thread, sleep, .. } in sleepers {
        let what = match sleep {
            Sleep::Park => "is parked",
            Sleep::Futex(_) => "sleeps on a futex",
            Sleep::Word(_) => "polls a word",
        };
        // Writing to a string does not fail.
        let _ = write!(text, "; thread {thread} {what}");
    }
    text
}
