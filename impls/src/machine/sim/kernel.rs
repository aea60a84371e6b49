//! What threads ask of the kernel: futexes, and parking, which is a futex on a word of one's own.
//!
//! A futex bucket is one serial server: calls on words of the same bucket queue. The value is looked at again inside the
//! bucket, so that no wake-up is lost. `park` and `unpark` follow Rust's standard library on Linux: a token in a word of
//! the thread, and a system call only to sleep, or to wake one who sleeps.

use std::collections::VecDeque;

use super::ledger::Part;
use super::preset::Op;
use super::thread::Life;
use super::world::World;
use crate::machine::Waited;

/// Buckets of the kernel's table.
const BUCKETS: usize = 256;

/// The kernel's table of futexes.
#[derive(Debug)]
pub(super) struct Futexes {
    buckets: Vec<Bucket>,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    free_at: u64,
    /// Address of the word and thread, in order of arrival.
    sleepers: VecDeque<(usize, u32)>,
}

/// A system call.
#[derive(Clone, Copy)]
enum Call {
    Wait,
    Wake,
}

impl Default for Futexes {
    fn default() -> Self {
        Futexes { buckets: vec![Bucket::default(); BUCKETS] }
    }
}

impl World {
    /// The bucket of a word, by the serial number of its line and its place there: the same on every host.
    fn bucket(&mut self, address: usize) -> usize {
        let line = self.lines.find(address, self.core);
        let serial = self.lines.at(line).serial as usize;
        (serial * 16 + address % 64 / 4).wrapping_mul(0x9E37_79B1) % BUCKETS
    }

    /// What a call costs; of a wake, also each thread that it wakes beyond the first.
    fn cost(&self, call: Call) -> u64 {
        match call {
            Call::Wait => self.os.futex_wait,
            Call::Wake => self.os.futex_wake,
        }
    }

    /// Spends a system call on a bucket: half of it inside the bucket's lock.
    fn call(&mut self, address: usize, call: Call) -> usize {
        let cost = self.cost(call);
        let bucket = self.bucket(address);
        self.totals.futex_calls += 1;
        let begin = self.now + cost - cost / 2;
        let entered = begin.max(self.futexes.buckets[bucket].free_at);
        self.futexes.buckets[bucket].free_at = entered + cost / 2;
        let spent = entered + cost / 2 - self.now;
        self.spend(Part::Kernel, spent);
        bucket
    }

    /// Sleeps while the word is as expected.
    ///
    /// # Safety
    /// As [`World::switch`].
    pub(super) unsafe fn futex_wait(
        world: *mut World,
        address: usize,
        as_expected: impl Fn() -> bool,
        deadline: Option<u64>,
    ) -> Waited {
        // SAFETY: the caller holds no reference; each use of the world below is a borrow of its own.
        unsafe {
            World::turn(world);
            let bucket = (*world).call(address, Call::Wait);
            // Reads the value, and has its turn: nothing happens between this look and the sleep.
            World::operate(world, address, Op::Load);
            World::turn(world);
            if !as_expected() {
                return Waited::Woken;
            }
            let me = (*world).current;
            if deadline.is_some_and(|deadline| deadline <= (*world).now) {
                return Waited::TimedOut;
            }
            (&mut (*world).futexes.buckets)[bucket].sleepers.push_back((address, me));
            World::sleep(world, Life::Futex, deadline);
            let w = &mut *world;
            let timed_out = w.thread().timed_out;
            // Who was woken was taken out. In a guided run a sleep may end for no reason.
            if timed_out || w.guide.is_some() {
                w.futexes.buckets[bucket].sleepers.retain(|&(_, thread)| thread != me);
            }
            if timed_out { Waited::TimedOut } else { Waited::Woken }
        }
    }

    /// Wakes sleepers of the word.
    ///
    /// # Safety
    /// As [`World::switch`].
    pub(super) unsafe fn futex_wake(world: *mut World, address: usize, count: u32) {
        // SAFETY: the caller holds no reference; each use of the world below is a borrow of its own.
        unsafe {
            World::turn(world);
            let bucket = (*world).call(address, Call::Wake);
            World::turn(world);
            for woken in 0..count {
                let w = &mut *world;
                // One whose deadline has passed stays in the bucket until it runs, but is awake already.
                let threads = &w.threads;
                let sleeps = |&(word, thread): &(usize, u32)| {
                    word == address && threads[thread as usize].life == Life::Futex
                };
                let sleepers = &mut w.futexes.buckets[bucket].sleepers;
                let Some(at) = sleepers.iter().position(sleeps) else { break };
                let Some((_, thread)) = sleepers.remove(at) else { break };
                if woken > 0 {
                    let cost = w.cost(Call::Wake);
                    w.spend(Part::Kernel, cost);
                }
                let now = w.now;
                w.threads[thread as usize].timed_out = false;
                w.wake(thread, now);
            }
        }
    }

    fn token_address(&self, thread: u32) -> usize {
        std::ptr::from_ref(&self.tokens[thread as usize]).addr()
    }

    /// Sleeps until the running thread's token is there, and takes it.
    ///
    /// # Safety
    /// As [`World::switch`].
    pub(super) unsafe fn park(world: *mut World, deadline: Option<u64>) {
        // SAFETY: the caller holds no reference; each use of the world below is a borrow of its own.
        unsafe {
            let me = (*world).current;
            let word = (*world).token_address(me);
            World::operate(world, word, Op::Swap);
            World::turn(world);
            if std::mem::take(&mut (*world).thread().token) {
                return;
            }
            (*world).call(word, Call::Wait);
            World::turn(world);
            let late = deadline.is_some_and(|deadline| deadline <= (*world).now);
            if !(*world).thread().token && !late {
                World::sleep(world, Life::Parked, deadline);
            }
            World::operate(world, word, Op::Swap);
            (*world).thread().token = false;
        }
    }

    /// Leaves a token for a thread, and wakes it if it sleeps.
    ///
    /// # Safety
    /// As [`World::switch`].
    pub(super) unsafe fn unpark(world: *mut World, thread: u32) {
        // SAFETY: the caller holds no reference; each use of the world below is a borrow of its own.
        unsafe {
            let word = (*world).token_address(thread);
            World::operate(world, word, Op::Swap);
            World::turn(world);
            (&mut (*world).threads)[thread as usize].token = true;
            if (&(*world).threads)[thread as usize].life != Life::Parked {
                return;
            }
            (*world).call(word, Call::Wake);
            World::turn(world);
            let w = &mut *world;
            // It may have timed out meanwhile.
            if w.threads[thread as usize].life == Life::Parked && w.threads[thread as usize].token {
                let now = w.now;
                w.threads[thread as usize].timed_out = false;
                w.wake(thread, now);
            }
        }
    }
}
