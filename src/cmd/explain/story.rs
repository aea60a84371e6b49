//! What happened from the moment at which a thread asked until it had what it asked for.

use impls::machine::sim::trace::{Away, Mark, Step, Tape};
use impls::probe::Event;
use record::{LaunchSpec, PlannedCell};
use serde::Serialize;

use crate::simulated::Simulation;

/// Version of the JSON form.
const VERSION: u32 = 1;

/// The wait that is told of, in cycles of the run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) thread: u32,
    pub(super) begin: u64,
    pub(super) end: u64,
}

/// The slowest acquire of a launch.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    kind: &'static str,
    version: u32,
    pub(super) cell: String,
    pub(super) machine: String,
    pub(super) clock_mhz: u32,
    pub(super) launch: u32,
    pub(super) seed: u64,
    pub(super) trace_hash: String,
    /// The thread that waited, and for which object.
    pub(super) thread: u32,
    pub(super) object: u32,
    /// When it asked, in cycles from the launch's begin; its wait.
    pub(super) begin_cycle: u64,
    pub(super) wait_cycles: u64,
    /// Who held the object when it asked.
    pub(super) holder: Option<u32>,
    /// Others that waited for the object already.
    pub(super) ahead: Vec<u32>,
    /// Acquires of the object by others during the wait.
    pub(super) passed_by: u32,
    pub(super) sums: Sums,
    pub(super) steps: Vec<Told>,
    /// Whether all steps of the wait could be kept.
    pub(super) complete: bool,
}

/// What the waiter's steps cost it, in cycles. The rest of the wait is its own instructions and polling.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sums {
    pub(super) misses: u64,
    pub(super) queue_cycles: u64,
    pub(super) transfer_cycles: u64,
    pub(super) asleep_cycles: u64,
    pub(super) off_core_cycles: u64,
}

/// One step of somebody that concerns the wait.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// Cycles since the thread asked.
    pub(super) at_cycle: u64,
    pub(super) thread: u32,
    pub(super) what: String,
}

impl Story {
    pub(super) fn new(
        cell: &PlannedCell,
        launch: u32,
        spec: &LaunchSpec,
        simulation: &Simulation,
        tape: &Tape,
        wait: Wait,
    ) -> Story {
        let mut marks = tape.marks.clone();
        marks.sort_by_key(|mark| mark.time);
        let object = marks.iter().find_map(|mark| match mark.step {
            Step::Report(Event::Request { .. }, object) if is(mark, wait.thread, wait.begin) => Some(object),
            _ => None,
        });
        let object = object.unwrap_or_default();
        let (holder, ahead) = around(&marks, object, wait);
        let mut teller =
            Teller { wait, object, sums: Sums::default(), passed_by: 0, left_at: None, told: false };
        let steps = marks.iter().map_while(|mark| teller.next(mark)).flatten().collect();
        Story {
            kind: "synchroscope-explanation",
            version: VERSION,
            cell: cell.cell.clone(),
            machine: cell.machine.clone(),
            clock_mhz: simulation.preset.clock_mhz,
            launch,
            seed: spec.seed,
            trace_hash: simulation.result.simulated.as_ref().map_or(String::new(), |s| s.trace_hash.clone()),
            thread: wait.thread,
            object,
            begin_cycle: wait.begin,
            wait_cycles: wait.end - wait.begin,
            holder,
            ahead,
            passed_by: teller.passed_by,
            sums: teller.sums,
            steps,
            complete: tape.dropped == 0 || marks.last().is_some_and(|last| last.time >= wait.end),
        }
    }
}

fn is(mark: &Mark, thread: u32, time: u64) -> bool {
    mark.thread == thread && mark.time == time
}

/// Who held the object, and who waited for it, when the wait began.
fn around(marks: &[Mark], object: u32, wait: Wait) -> (Option<u32>, Vec<u32>) {
    let mut holder = None;
    let mut waiting: Vec<u32> = Vec::new();
    let of_object = |mark: &&Mark| matches!(mark.step, Step::Report(_, number) if number == object);
    for mark in marks.iter().filter(of_object).take_while(|mark| mark.time <= wait.begin) {
        match mark.step {
            Step::Report(Event::Request { .. }, _) if mark.thread != wait.thread => waiting.push(mark.thread),
            Step::Report(Event::Acquired, _) => {
                waiting.retain(|&thread| thread != mark.thread);
                holder = Some(mark.thread);
            }
            Step::Report(Event::Releasing, _) => holder = None,
            _ => {}
        }
    }
    // Who took it before the first mark gives it back after the wait began.
    let first = |mark: &&Mark| matches!(mark.step, Step::Report(Event::Acquired | Event::Releasing, number) if number == object);
    let later = marks.iter().filter(|mark| mark.time > wait.begin).find(first);
    let held_long = later.filter(|mark| matches!(mark.step, Step::Report(Event::Releasing, _)));
    (holder.or(held_long.map(|mark| mark.thread)), waiting)
}

struct Teller {
    wait: Wait,
    object: u32,
    sums: Sums,
    passed_by: u32,
    /// When the waiter left its core.
    left_at: Option<(Away, u64)>,
    /// The wait is over.
    told: bool,
}

impl Teller {
    /// The next step, if it concerns the wait; `None` once the wait is over.
    fn next(&mut self, mark: &Mark) -> Option<Option<Told>> {
        if self.told {
            return None;
        }
        let acquired = matches!(mark.step, Step::Report(Event::Acquired, _));
        self.told = acquired && is(mark, self.wait.thread, self.wait.end);
        Some(self.tell(mark))
    }

    /// A step in words, if it concerns the wait: all that the waiter does, and what others do with the object.
    fn tell(&mut self, mark: &Mark) -> Option<Told> {
        let Mark { time, thread, step } = *mark;
        if time < self.wait.begin || time > self.wait.end {
            return None;
        }
        let mine = thread == self.wait.thread;
        let what = match step {
            Step::Report(event, object) if mine || object == self.object => {
                self.event(event, object, mine)?
            }
            Step::Miss(miss) if mine => {
                let (queue, transfer) = (miss.queue_cycles, miss.transfer_cycles);
                self.sums.misses += 1;
                self.sums.queue_cycles += queue;
                self.sums.transfer_cycles += transfer;
                let taken = match miss.invalidated {
                    0 => String::new(),
                    n => format!(", takes {n} copies away"),
                };
                let (op, line, prior, core) = (miss.op.name(), miss.line, miss.prior.name(), miss.from_core);
                let (asks, last, way) = match miss.stayed(time) {
                    false => ("misses", "last at", "until it is here"),
                    true => ("asks the shared cache for", "last changed by", "there and back"),
                };
                format!(
                    "{op} {asks} line {line} ({prior}, {last} core {core}): {queue} cycles in the queue, {transfer} {way}{taken}"
                )
            }
            Step::Watch if mine => "polls; what it sees does not change".to_owned(),
            Step::Off(away) if mine => {
                self.left_at = Some((away, time));
                match away {
                    Away::Preempted => "loses its core to another thread",
                    Away::Asleep => "sleeps",
                    Away::Ended => "ends",
                }
                .to_owned()
            }
            Step::Core(core) if mine => self.back(core, time),
            _ => return None,
        };
        Some(Told { at_cycle: time - self.wait.begin, thread, what })
    }

    fn back(&mut self, core: u16, now: u64) -> String {
        let Some((away, since)) = self.left_at.take() else { return format!("runs on core {core}") };
        let cycles = now - since;
        match away {
            Away::Preempted => {
                self.sums.off_core_cycles += cycles;
                format!("runs again, on core {core}, after {cycles} cycles in the run queue")
            }
            Away::Asleep | Away::Ended => {
                self.sums.asleep_cycles += cycles;
                format!("runs again, on core {core}, {cycles} cycles after it fell asleep, waking included")
            }
        }
    }

    fn event(&mut self, event: Event, object: u32, mine: bool) -> Option<String> {
        let text = match event {
            Event::Request { .. } if mine => format!("asks for object {object}"),
            Event::Request { .. } => "asks too".to_owned(),
            Event::Acquired if mine => "has it".to_owned(),
            Event::Acquired => {
                self.passed_by += 1;
                "has it".to_owned()
            }
            Event::Releasing => "gives it back".to_owned(),
            Event::SpinBegin if mine => "begins to spin".to_owned(),
            Event::SpinEnd { rounds } if mine => format!("stops spinning after {rounds} polls"),
            Event::ParkBegin if mine => "goes to sleep".to_owned(),
            Event::ParkEnd { woken_ns: 0 } if mine => "is awake".to_owned(),
            Event::ParkEnd { .. } if mine => "is awake: somebody woke it".to_owned(),
            Event::LostRace if mine => "finds that somebody else was faster".to_owned(),
            Event::FailedCas if mine => "loses a compare-exchange".to_owned(),
            Event::Wake => "wakes a waiter".to_owned(),
            Event::HandOff => "hands it over to a waiter".to_owned(),
            Event::StarvingBegin => "starvation mode begins".to_owned(),
            Event::StarvingEnd => "starvation mode ends".to_owned(),
            _ => return None,
        };
        Some(text)
    }
}
