//! A simulated launch as a timeline: Chrome's trace event format, which <https://ui.perfetto.dev> opens.
//!
//! | process | tracks |
//! |---|---|
//! | cores | which thread runs on each core |
//! | threads | what each thread does: waits, holds, spins, sleeps, is off its core; within them each miss, with what it cost |
//! | lines | who had each of the busiest cache lines for itself; at a shared cache, who changed it last |
//! | objects | how many threads wait for each object |
//!
//! The launch is simulated twice: the first time says when the first measured slice began, and marks are kept from there.
//! A timeline that begins with the launch needs no first time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use impls::machine::sim::preset::{Op, Preset};
use impls::machine::sim::trace::{Away, Mark, Miss, Step, Tape};
use impls::probe::Event;
use record::LaunchSpec;
use record::store::write_atomically;
use record::timeline::{CORES, LINES, OBJECTS, THREADS, track};
use serde_json::{Value, json};

use crate::registry::Entry;
use crate::simulated::{Marks, Simulation, attempt, preset_of};

/// Marks of one timeline: enough for a ms of a hundred threads.
const MARKS_MAX: usize = 120_000;
/// What the file of so many marks takes.
pub(crate) const TIMELINE_MB: u32 = 20;
/// The timeline of a launch that fails begins so long before anybody last got anywhere.
const BEFORE_FAILURE_NS: u64 = 200_000;
/// Lines that have a track.
const LINES_MAX: usize = 24;

/// Where a timeline begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With the first measured slice.
    Measured,
    /// With the threads: of two launches that part somewhere, all up to there is alike.
    Launch,
}

/// Simulates the launch of `spec`, writes its timeline into `file`, and returns the simulation. The timeline of a launch
/// that fails begins a little before anybody last got anywhere.
///
/// # Panics
/// As the simulation does, once its timeline is written.
pub(crate) fn write(file: &Path, entry: &dyn Entry, spec: &LaunchSpec, begin: Begin) -> Result<Simulation> {
    let from_cycle = match begin {
        Begin::Launch => 0,
        Begin::Measured => match attempt(entry, spec, Marks::default())? {
            Ok(first) => {
                let workers = first.result.slices.iter().flat_map(|slice| &slice.workers);
                first.preset.cycles(workers.map(|worker| worker.start_ns).min().unwrap_or(0))
            }
            Err(failure) => failure.cycle.saturating_sub(preset_of(spec)?.cycles(BEFORE_FAILURE_NS)),
        },
    };
    match attempt(entry, spec, Marks { most: MARKS_MAX, from_cycle })? {
        Ok(mut simulation) => {
            let tape = simulation.report.tape.take().context("the simulation kept no marks")?;
            let hash = simulation.result.simulated.as_ref().map(|s| s.trace_hash.as_str());
            save(file, &tape, &simulation.preset, spec, from_cycle, hash)?;
            Ok(simulation)
        }
        Err(failure) => {
            if let Some(tape) = failure.tape {
                save(file, &tape, &preset_of(spec)?, spec, from_cycle, None)?;
            }
            panic!("{}", failure.text)
        }
    }
}

fn save(
    file: &Path,
    tape: &Tape,
    preset: &Preset,
    spec: &LaunchSpec,
    from_cycle: u64,
    trace_hash: Option<&str>,
) -> Result<()> {
    let about = json!({
        "implementation": spec.implementation,
        "point": spec.point.label,
        "machine": spec.machine,
        "seed": spec.seed.to_string(),
        "trace_hash": trace_hash,
    });
    let trace = of_tape(tape, preset, spec.point.threads(), from_cycle, about);
    let text = serde_json::to_vec(&trace).context("cannot encode a timeline")?;
    write_atomically(file, &text)
}

/// The timeline of what is on `tape`, of the program's `threads` threads and the one that started them. `about` says
/// what it is of, and gets where it begins and ends.
pub(crate) fn of_tape(
    tape: &Tape,
    preset: &Preset,
    threads: usize,
    from_cycle: u64,
    mut about: Value,
) -> Value {
    let marks = in_order(&tape.marks);
    // After the first mark that was dropped, what is kept is not whole: it ends with the last.
    let end_of = |mark: &Mark| match mark.step {
        Step::Miss(miss) => miss.answered(mark.time),
        _ => mark.time,
    };
    let end = marks.iter().map(end_of).max().unwrap_or(from_cycle);
    let mut drawing = Drawing::new(preset, threads, from_cycle, end);
    drawing.names();
    for (&thread, &step) in &tape.at_begin {
        drawing.step(&Mark { time: from_cycle, thread, step });
    }
    for mark in &marks {
        drawing.step(mark);
    }
    drawing.close();
    drawing.lines(&marks);
    about["first_cycle"] = from_cycle.into();
    about["last_cycle"] = end.into();
    about["marks"] = tape.marks.len().into();
    about["marks_dropped"] = tape.dropped.into();
    about["note"] = if tape.dropped > 0 {
        "it goes on after the last cycle: later steps were dropped".into()
    } else {
        "every step from the first cycle on".into()
    };
    json!({ "displayTimeUnit": "ns", "otherData": about, "traceEvents": drawing.events() })
}

/// The marks in the order of time. A thread's clock runs ahead while nobody can notice, so what it reports may lie behind the
/// moment at which it loses its core: that it does only when it has the core again.
fn in_order(marks: &[Mark]) -> Vec<Mark> {
    let mut marks = marks.to_vec();
    marks.sort_by_key(|mark| mark.time);
    let mut off: HashMap<u32, (u64, Vec<usize>)> = HashMap::new();
    for index in 0..marks.len() {
        let Mark { time, thread, step } = marks[index];
        match step {
            Step::Off(Away::Preempted) => drop(off.insert(thread, (time, Vec::new()))),
            Step::Report(..) => drop(off.get_mut(&thread).map(|(_, early)| early.push(index))),
            Step::Core(_) => {
                let (since, early) = off.remove(&thread).unwrap_or_default();
                early.into_iter().for_each(|index| marks[index].time += time - since);
            }
            _ => {}
        }
    }
    marks.sort_by_key(|mark| mark.time);
    marks
}

/// Intervals that are open, and what has been drawn.
struct Drawing<'a> {
    preset: &'a Preset,
    threads: usize,
    begin: u64,
    end: u64,
    /// Each with the cycles between which it is, in the order in which they were found.
    events: Vec<(u64, u64, Value)>,
    /// Of each thread: where it is since when.
    places: HashMap<u32, (Step, u64)>,
    /// Of each thread: what it is doing since when, outermost first.
    doing: HashMap<u32, Vec<(String, u64)>>,
    waiting: BTreeMap<u32, i64>,
    /// What a thread that waits waits for.
    wanted: HashMap<u32, u32>,
}

impl<'a> Drawing<'a> {
    fn new(preset: &'a Preset, threads: usize, begin: u64, end: u64) -> Self {
        Drawing {
            preset,
            threads,
            begin,
            end,
            events: Vec::new(),
            places: HashMap::new(),
            doing: HashMap::new(),
            waiting: BTreeMap::new(),
            wanted: HashMap::new(),
        }
    }

    /// A cycle as the format counts: in us, whole ns, for readers keep no more. All times are cut off alike, so that what
    /// lies within another still does.
    fn us(&self, cycle: u64) -> f64 {
        self.ns(cycle) as f64 / 1e3
    }

    fn ns(&self, cycle: u64) -> u64 {
        (u128::from(cycle) * 1000 / u128::from(self.preset.clock_mhz)) as u64
    }

    /// All that has been drawn, outer bars before those within them: of bars that begin in the same ns, a reader takes the
    /// first for the outer one.
    fn events(mut self) -> Vec<Value> {
        self.events.sort_by_key(|&(from, to, _)| (from, Reverse(to)));
        self.events.into_iter().map(|(_, _, event)| event).collect()
    }

    fn names(&mut self) {
        for (pid, text) in [(CORES, "cores"), (THREADS, "threads"), (LINES, "lines"), (OBJECTS, "objects")] {
            self.about("process_name", pid, 0, json!({ "name": text }));
            self.about("process_sort_index", pid, 0, json!({ "sort_index": pid }));
        }
        for core in 0..self.preset.cores {
            self.name(CORES, core, &format!("core {core}"));
        }
        self.name(CORES, self.preset.cores, "beside the cores");
        let workers = self.threads as u32;
        for thread in 0..workers {
            self.name(THREADS, thread, &format!("thread {thread}"));
        }
        self.name(THREADS, workers, "controller");
    }

    fn name(&mut self, pid: u32, index: u32, name: &str) {
        self.about("thread_name", pid, index, json!({ "name": name }));
    }

    /// What holds for a whole track or process: before all that is on it.
    fn about(&mut self, what: &str, pid: u32, index: u32, args: Value) {
        let tid = track(pid, index);
        let event = json!({ "ph": "M", "name": what, "pid": pid, "tid": tid, "args": args });
        self.events.push((0, u64::MAX, event));
    }

    fn slice(&mut self, pid: u32, index: u32, name: &str, from: u64, to: u64, mut args: Value) {
        let (ts, dur) = (self.us(from), (self.ns(to) - self.ns(from)) as f64 / 1e3);
        args["cycle"] = from.into();
        args["cycles"] = (to - from).into();
        let tid = track(pid, index);
        let event =
            json!({ "ph": "X", "pid": pid, "tid": tid, "name": name, "ts": ts, "dur": dur, "args": args });
        self.events.push((from, to, event));
    }

    fn step(&mut self, mark: &Mark) {
        let Mark { time, thread, step } = *mark;
        match step {
            Step::Core(_) | Step::Off(_) => self.moved(thread, time, Some(step)),
            Step::Miss(miss) => {
                // Its wait in the queue is a part of it: two bars would hide which belongs to which.
                let name = format!("{} line {}", miss.op.name(), miss.line);
                self.slice(THREADS, thread, &name, time, miss.answered(time), args_of(&miss));
            }
            Step::Word { line, op } => self.instant(thread, &format!("{} line {line}", op.name()), time),
            Step::Watch => {}
            Step::Report(event, object) => self.report(thread, time, event, object),
        }
    }

    /// The thread is elsewhere from now on: draws where it was.
    fn moved(&mut self, thread: u32, now: u64, to: Option<Step>) {
        match self.places.remove(&thread) {
            Some((Step::Core(core), since)) => {
                self.slice(CORES, u32::from(core), &format!("thread {thread}"), since, now, json!({}));
            }
            Some((Step::Off(Away::Preempted), since)) => {
                self.slice(THREADS, thread, "off its core", since, now, json!({}));
            }
            _ => {}
        }
        if let Some(step) = to {
            self.places.insert(thread, (step, now));
        }
    }

    fn begin(&mut self, thread: u32, name: String, now: u64) {
        self.doing.entry(thread).or_default().push((name, now));
    }

    /// What the thread did last ends; what began before the timeline does is drawn from its begin on.
    fn end(&mut self, thread: u32, kind: &str, now: u64) {
        let open = self.doing.entry(thread).or_default();
        let (name, since) = match open.last() {
            Some((name, _)) if name.starts_with(kind) => open.pop().unwrap_or_default(),
            Some(_) => return,
            None => (kind.to_owned(), self.begin),
        };
        self.slice(THREADS, thread, &name, since, now, json!({}));
    }

    fn report(&mut self, thread: u32, now: u64, event: Event, object: u32) {
        match event {
            Event::Request { .. } => {
                self.begin(thread, format!("waits for object {object}"), now);
                self.wanted.insert(thread, object);
                self.count(object, 1, now);
            }
            Event::Acquired => {
                self.end(thread, "waits", now);
                if self.wanted.remove(&thread).is_some() {
                    self.count(object, -1, now);
                }
                self.begin(thread, format!("holds object {object}"), now);
            }
            Event::Releasing => self.end(thread, "holds", now),
            Event::SpinBegin => self.begin(thread, "spins".into(), now),
            Event::SpinEnd { .. } => self.end(thread, "spins", now),
            Event::ParkBegin => self.begin(thread, "sleeps".into(), now),
            Event::ParkEnd { .. } => self.end(thread, "sleeps", now),
            Event::Wake => self.instant(thread, "wakes another", now),
            Event::HandOff => self.instant(thread, "hands over", now),
            Event::LostRace => self.instant(thread, "lost the race", now),
            Event::StarvingBegin => self.instant(thread, "starvation begins", now),
            Event::StarvingEnd => self.instant(thread, "starvation ends", now),
            Event::Prepare
            | Event::Begin { .. }
            | Event::End
            | Event::Owner { .. }
            | Event::Nested { .. }
            | Event::FailedCas => {}
        }
    }

    fn instant(&mut self, thread: u32, name: &str, now: u64) {
        let (tid, ts, args) = (track(THREADS, thread), self.us(now), json!({ "cycle": now }));
        let event = json!({
            "ph": "i", "s": "t", "pid": THREADS, "tid": tid, "name": name, "ts": ts, "args": args,
        });
        self.events.push((now, now, event));
    }

    fn count(&mut self, object: u32, change: i64, now: u64) {
        let waiting = self.waiting.entry(object).or_default();
        *waiting += change;
        let (count, ts) = (*waiting, self.us(now));
        let event = json!({
            "ph": "C", "pid": OBJECTS, "tid": track(OBJECTS, 0), "name": format!("waiters of object {object}"), "ts": ts,
            "args": { "waiters": count },
        });
        self.events.push((now, now, event));
    }

    /// Draws what is open when the timeline ends.
    fn close(&mut self) {
        let end = self.end;
        let mut threads: Vec<u32> = self.places.keys().copied().collect();
        threads.sort_unstable();
        for thread in threads {
            self.moved(thread, end, None);
        }
        let mut doing: Vec<_> = std::mem::take(&mut self.doing).into_iter().collect();
        doing.sort_unstable_by_key(|(thread, _)| *thread);
        for (thread, open) in doing {
            for (name, since) in open {
                self.slice(THREADS, thread, &name, since, end, json!({}));
            }
        }
    }

    /// Draws who had each of the busiest lines for itself, of those that several threads asked for.
    fn lines(&mut self, marks: &[Mark]) {
        let mut grants: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::new();
        let mut askers: HashMap<u32, BTreeSet<u32>> = HashMap::new();
        for mark in marks {
            if let Step::Miss(miss) = mark.step {
                askers.entry(miss.line).or_default().insert(mark.thread);
                if miss.op != Op::Load {
                    grants.entry(miss.line).or_default().push((mark.thread, miss.end));
                }
            }
        }
        grants.retain(|line, _| askers[line].len() > 1);
        let mut lines: Vec<_> = grants.into_iter().collect();
        lines.sort_by_key(|(line, grants)| (Reverse(grants.len()), *line));
        for (place, (line, mut grants)) in (0..).zip(lines.into_iter().take(LINES_MAX)) {
            grants.sort_by_key(|&(_, end)| end);
            grants.dedup_by_key(|&mut (thread, _)| thread);
            self.name(LINES, place, &format!("line {line}"));
            for (index, &(thread, from)) in grants.iter().enumerate() {
                let to = grants.get(index + 1).map_or(self.end, |next| next.1).max(from);
                self.slice(LINES, place, &format!("thread {thread}"), from, to, json!({}));
            }
        }
    }
}

fn args_of(miss: &Miss) -> Value {
    json!({
        "found": miss.prior.name(),
        "from_core": miss.from_core,
        "queue_cycles": miss.queue_cycles,
        "transfer_cycles": miss.transfer_cycles,
        "invalidated": miss.invalidated,
    })
}
