//! Who goes next: the policies, and the record of what they chose.

use std::collections::HashMap;

use super::schedule::{How, Schedule, Switch};
use super::{Kind, Policy};
use crate::machine::random;

/// Sleeps that end for no reason in one schedule.
const MOST_SPURIOUS: u32 = 4;
/// One of so many draws lets a sleep end, by its deadline or for no reason, while others can go on.
const SLEEP_ENDS_IN: u64 = 4;

/// What could happen next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) thread: u32,
    pub(super) how: How,
    /// Of a sleep with a deadline: cycles.
    pub(super) deadline: u64,
}

/// Where a choice is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The thread that had the turn.
    pub(super) thread: u32,
    /// It can go on.
    pub(super) stays: bool,
    /// It yields or pauses: others should go first.
    pub(super) yields: bool,
}

/// What decides.
pub(super) enum Plan {
    /// A schedule, and no other switches than are needed.
    Follow(Schedule),
    Random(Walk),
    Pct(Priorities),
}

/// A random walk.
pub(super) struct Walk {
    random: u64,
    /// How often, in percent, a thread loses the turn though it could go on.
    percent: u64,
}

/// Random priorities.
pub(super) struct Priorities {
    random: u64,
    /// By thread: of its steps, and of the deadlines of its sleeps, which are as good as threads.
    of: Vec<[i64; 2]>,
    /// Steps at which the thread that has the turn goes behind all others.
    changes: Vec<u64>,
    /// The next lowest priority.
    lowest: i64,
}

/// Guides the threads of one schedule.
pub(in super::super) struct Guide {
    plan: Plan,
    switches: HashMap<(u32, u64), (u32, How)>,
    most_steps: u64,
    pub(super) spurious: bool,
    pub(in super::super) clock_step: u64,
    spurious_left: u32,
    /// The thread that has the turn is about to yield or to pause.
    pub(in super::super) yields: bool,
    pub(super) threads: Vec<super::steps::Progress>,
    pub(super) options: Vec<Choice>,
    pub(super) steps: u64,
    pub(super) choices_hash: u64,
    pub(super) made: Vec<Switch>,
    pub(super) preemptions: usize,
    /// Why nothing goes on, if nothing does.
    pub(in super::super) stuck: Option<Kind>,
}

fn below(state: &mut u64, bound: u64) -> u64 {
    (u64::from(random::draw(state)) * bound) >> 32
}

impl Plan {
    /// What a policy does with a seed; `steps` says how long a schedule is about.
    pub(super) fn random(policy: Policy, seed: u64, steps: u64) -> Self {
        let mut random = random::seeded(seed, 0);
        let kind = below(&mut random, 8);
        let policy = match policy {
            Policy::Mixed if kind < 4 => Policy::Random,
            Policy::Mixed => Policy::Pct { depth: kind as u32 - 3 },
            policy => policy,
        };
        match policy {
            Policy::Pct { depth } => {
                let changes = (1..depth).map(|_| 1 + below(&mut random, steps.max(1))).collect();
                Plan::Pct(Priorities { random, of: Vec::new(), changes, lowest: 0 })
            }
            _ => {
                let percent = [50, 25, 12, 6][below(&mut random, 4) as usize];
                Plan::Random(Walk { random, percent })
            }
        }
    }
}

impl Guide {
    pub(super) fn new(plan: Plan, most_steps: u64, spurious: bool, clock_step: u64) -> Self {
        let switches = match &plan {
            Plan::Follow(schedule) => schedule
                .0
                .iter()
                .map(|switch| ((switch.thread, switch.step), (switch.to, switch.how)))
                .collect(),
            _ => HashMap::new(),
        };
        Guide {
            plan,
            switches,
            most_steps,
            spurious,
            clock_step,
            spurious_left: MOST_SPURIOUS,
            yields: false,
            threads: Vec::new(),
            options: Vec::new(),
            steps: 0,
            choices_hash: 0xCBF2_9CE4_8422_2325,
            made: Vec::new(),
            preemptions: 0,
            stuck: None,
        }
    }

    /// Picks one of `self.options`; `None` if nobody can go on, or if the schedule is too long.
    pub(super) fn choose(&mut self, place: Place) -> Option<Choice> {
        let progress = &mut self.threads[place.thread as usize];
        let step = progress.steps;
        progress.steps += 1;
        let Some(by_itself) = self.by_itself(place) else {
            self.stuck = Some(Kind::Deadlock);
            return None;
        };
        self.steps += 1;
        if self.steps > self.most_steps {
            self.stuck = Some(Kind::Endless);
            return None;
        }
        let chosen = match &mut self.plan {
            Plan::Follow(_) => {
                let asked = self.switches.get(&(place.thread, step));
                let possible = |&(thread, how): &(u32, How)| {
                    self.options.iter().find(|option| option.thread == thread && option.how == how).copied()
                };
                asked.and_then(possible).unwrap_or(by_itself)
            }
            _ if self.options.len() == 1 => by_itself,
            Plan::Random(walk) => walk.choose(place, by_itself, &self.options, self.spurious_left > 0),
            Plan::Pct(priorities) => {
                priorities.choose(place, self.steps, by_itself, &self.options, self.spurious_left > 0)
            }
        };
        let Choice { thread, how, .. } = chosen;
        self.spurious_left -= u32::from(how == How::Spurious && self.spurious_left > 0);
        if (thread, how) != (by_itself.thread, by_itself.how) {
            self.made.push(Switch { thread: place.thread, step, to: thread, how });
            self.preemptions += usize::from(place.stays && !place.yields);
        }
        let what = u64::from(thread) << 2 | how as u64;
        self.choices_hash = (self.choices_hash ^ what).wrapping_mul(0x100_0000_01B3);
        Some(chosen)
    }

    /// What happens if nobody interferes: the thread goes on; else the next that can; else the next deadline comes.
    fn by_itself(&self, place: Place) -> Option<Choice> {
        let runs = || self.options.iter().filter(|option| option.how == How::Run);
        if place.stays && !place.yields {
            return runs().find(|option| option.thread == place.thread).copied();
        }
        // The thread itself comes last.
        let turns = |option: &&Choice| (option.thread <= place.thread, option.thread);
        let next = runs().min_by_key(turns);
        let expire = || self.options.iter().filter(|option| option.how == How::Expire);
        next.or_else(|| expire().min_by_key(|option| option.deadline)).copied()
    }
}

impl Walk {
    fn choose(&mut self, place: Place, by_itself: Choice, options: &[Choice], spurious: bool) -> Choice {
        let random = &mut self.random;
        if place.stays && !place.yields && below(random, 100) >= self.percent {
            return by_itself;
        }
        let sleep_ends = below(random, SLEEP_ENDS_IN) == 0;
        let fits = |option: &&Choice| match option.how {
            How::Run => true,
            How::Expire => sleep_ends || by_itself.how == How::Expire,
            How::Spurious => sleep_ends && spurious,
        };
        let count = options.iter().filter(fits).count() as u64;
        options.iter().filter(fits).nth(below(random, count) as usize).copied().unwrap_or(by_itself)
    }
}

impl Priorities {
    fn of(&mut self, choice: &Choice) -> i64 {
        while self.of.len() <= choice.thread as usize {
            let random = &mut self.random;
            self.of.push([0; 2].map(|_| i64::from(random::draw(random)) + 1));
        }
        self.of[choice.thread as usize][usize::from(choice.how != How::Run)]
    }

    fn choose(
        &mut self,
        place: Place,
        step: u64,
        by_itself: Choice,
        options: &[Choice],
        spurious: bool,
    ) -> Choice {
        if place.yields || self.changes.contains(&step) {
            let me = Choice { thread: place.thread, how: How::Run, deadline: 0 };
            self.of(&me);
            self.lowest -= 1;
            self.of[place.thread as usize][0] = self.lowest;
        }
        let mut best: Option<(i64, Choice)> = None;
        for option in options {
            let fits =
                option.how != How::Spurious || spurious && below(&mut self.random, 4 * SLEEP_ENDS_IN) == 0;
            let priority = self.of(option);
            if fits && best.is_none_or(|(most, _)| priority > most) {
                best = Some((priority, *option));
            }
        }
        best.map_or(by_itself, |(_, choice)| choice)
    }
}
