//! What happens next: at most one pending event for each actor, in the order of time, first in first out among equals.
//!
//! A thread has one event at a time (its next step, or the end of its sleep), and so has a core (the end of a slice).
//! Most events lie a few hundred cycles ahead: they sit in a wheel of one slot a cycle, whose first entry is found by two
//! bit scans. The few that lie further ahead wait in a heap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Slots of the wheel: how far ahead it reaches, in cycles. A power of two: 64 words of 64 bits, so that one more word
/// says which of them hold anything.
const SLOTS: u64 = 4096;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    Wheel,
    Heap,
}

/// An actor's event.
#[derive(Clone, Copy, Debug)]
struct Entry {
    time: u64,
    /// Tells this event from an earlier one of the same actor whose heap entry is still there.
    serial: u64,
    next: u32,
    previous: u32,
    place: Place,
}

/// The events of a simulation.
pub(super) struct Events {
    /// Time of the event taken last: no event lies before it.
    reached: u64,
    entries: Box<[Entry]>,
    heads: Box<[u32; SLOTS as usize]>,
    tails: Box<[u32; SLOTS as usize]>,
    occupied: [u64; 64],
    /// Which words of `occupied` are not zero.
    words: u64,
    heap: BinaryHeap<Reverse<(u64, u64, u32)>>,
    serial: u64,
}

impl Events {
    /// No events, for so many actors.
    pub(super) fn new(actors: usize) -> Self {
        let nothing = Entry { time: 0, serial: 0, next: NONE, previous: NONE, place: Place::Nowhere };
        Events {
            reached: 0,
            entries: vec![nothing; actors].into(),
            heads: Box::new([NONE; SLOTS as usize]),
            tails: Box::new([NONE; SLOTS as usize]),
            occupied: [0; 64],
            words: 0,
            heap: BinaryHeap::new(),
            serial: 0,
        }
    }

    /// When the actor's event will happen, if it has one.
    pub(super) fn of(&self, actor: u32) -> Option<u64> {
        let entry = &self.entries[actor as usize];
        (entry.place != Place::Nowhere).then_some(entry.time)
    }

    /// Gives the actor, which has none, an event.
    #[inline]
    pub(super) fn push(&mut self, actor: u32, time: u64) {
        debug_assert!(self.of(actor).is_none(), "actor {actor} has an event already");
        debug_assert!(time >= self.reached, "an event in the past");
        let entry = &mut self.entries[actor as usize];
        entry.time = time;
        if time - self.reached < SLOTS {
            let slot = (time % SLOTS) as usize;
            let tail = self.tails[slot];
            *entry = Entry { time, next: NONE, previous: tail, place: Place::Wheel, ..*entry };
            if tail == NONE {
                self.heads[slot] = actor;
                self.occupied[slot / 64] |= 1 << (slot % 64);
                self.words |= 1 << (slot / 64);
            } else {
                self.entries[tail as usize].next = actor;
            }
            self.tails[slot] = actor;
        } else {
            self.serial += 1;
            entry.serial = self.serial;
            entry.place = Place::Heap;
            self.heap.push(Reverse((time, self.serial, actor)));
        }
    }

    /// Takes the actor's event away, if it has one.
    pub(super) fn remove(&mut self, actor: u32) {
        match self.entries[actor as usize].place {
            Place::Nowhere => {}
            Place::Wheel => self.unlink(actor),
            // The heap's entry is recognised as stale when it comes up.
            Place::Heap => self.entries[actor as usize].place = Place::Nowhere,
        }
    }

    #[inline]
    fn unlink(&mut self, actor: u32) {
        let Entry { time, next, previous, .. } = self.entries[actor as usize];
        let slot = (time % SLOTS) as usize;
        match previous {
            NONE => self.heads[slot] = next,
            previous => self.entries[previous as usize].next = next,
        }
        match next {
            NONE => self.tails[slot] = previous,
            next => self.entries[next as usize].previous = previous,
        }
        if self.heads[slot] == NONE {
            self.occupied[slot / 64] &= !(1 << (slot % 64));
            if self.occupied[slot / 64] == 0 {
                self.words &= !(1 << (slot / 64));
            }
        }
        self.entries[actor as usize].place = Place::Nowhere;
    }

    /// The slot of the wheel's first event.
    #[inline]
    fn first_slot(&self) -> Option<usize> {
        if self.words == 0 {
            return None;
        }
        let from = (self.reached % SLOTS) as usize;
        let (word, bit) = (from / 64, from % 64);
        let here = self.occupied[word] & (!0 << bit);
        if here != 0 {
            return Some(word * 64 + here.trailing_zeros() as usize);
        }
        // The words behind, then around to those before; the word itself comes last, with its lower bits.
        let turned = self.words.rotate_right(word as u32 + 1);
        let found = (word + 1 + turned.trailing_zeros() as usize) % 64;
        Some(found * 64 + self.occupied[found].trailing_zeros() as usize)
    }

    #[inline]
    fn slot_time(&self, slot: usize) -> u64 {
        self.entries[self.heads[slot] as usize].time
    }

    /// The heap's first event, once stale ones are dropped.
    #[inline]
    fn heap_first(&mut self) -> Option<u64> {
        while let Some(&Reverse((time, serial, actor))) = self.heap.peek() {
            let entry = &self.entries[actor as usize];
            if entry.place == Place::Heap && entry.serial == serial {
                return Some(time);
            }
            self.heap.pop();
        }
        None
    }

    /// Time of the next event; `u64::MAX` if there is none.
    #[inline]
    pub(super) fn next_time(&mut self) -> u64 {
        let wheel = self.first_slot().map_or(u64::MAX, |slot| self.slot_time(slot));
        wheel.min(self.heap_first().unwrap_or(u64::MAX))
    }

    /// Takes the next event: its time and its actor.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(u64, u32)> {
        let slot = self.first_slot();
        let wheel = slot.map_or(u64::MAX, |slot| self.slot_time(slot));
        // Among equals the heap's was there first: it was pushed when the time lay further ahead.
        if let Some(time) = self.heap_first()
            && time <= wheel
        {
            let Reverse((time, _, actor)) = self.heap.pop()?;
            self.entries[actor as usize].place = Place::Nowhere;
            self.reached = time;
            return Some((time, actor));
        }
        let actor = self.heads[slot?];
        self.unlink(actor);
        self.reached = wheel;
        Some((wheel, actor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Against the plainest queue that there is: a sorted map by time and serial.
        #[test]
        fn events_come_in_order(steps in prop::collection::vec((0_u32..40, 0_u64..12_000, 0_u8..4), 1..400)) {
            let mut events = Events::new(40);
            let mut plain: BTreeMap<(u64, u64), u32> = BTreeMap::new();
            let (mut serial, mut now) = (0, 0);
            for (actor, ahead, what) in steps {
                let found = plain.iter().find(|(_, a)| **a == actor).map(|(k, _)| *k);
                match what {
                    0 => {
                        events.remove(actor);
                        found.map(|key| plain.remove(&key));
                    }
                    1 => {
                        let want = plain.pop_first();
                        prop_assert_eq!(events.next_time(), want.map_or(u64::MAX, |w| w.0.0));
                        prop_assert_eq!(events.pop(), want.map(|((time, _), actor)| (time, actor)));
                        now = want.map_or(now, |w| w.0.0);
                    }
                    _ if found.is_none() => {
                        serial += 1;
                        events.push(actor, now + ahead);
                        plain.insert((now + ahead, serial), actor);
                    }
                    _ => prop_assert_eq!(events.of(actor), found.map(|key| key.0)),
                }
            }
            while let Some(((time, _), actor)) = plain.pop_first() {
                prop_assert_eq!(events.pop(), Some((time, actor)));
            }
            prop_assert_eq!(events.pop(), None);
        }
    }
}
