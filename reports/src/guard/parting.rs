//! Where two timelines of one seed part: the first step that one of them has and the other has not.
//!
//! A timeline is Chrome's trace event format as `launch --trace` writes it. Up to the first difference both launches are
//! the same, so the steps in the order of time, thread and name are the same list; the first place at which the lists
//! differ is where the programs did.

use record::timeline::{CORES, THREADS, index};
use serde::Deserialize;

#[derive(Deserialize)]
struct Timeline {
    #[serde(rename = "otherData")]
    about: About,
    #[serde(rename = "traceEvents")]
    events: Vec<TraceEvent>,
}

#[derive(Deserialize)]
struct About {
    trace_hash: Option<String>,
    #[serde(default)]
    marks_dropped: u64,
}

#[derive(Deserialize)]
struct TraceEvent {
    ph: String,
    pid: u32,
    #[serde(default)]
    tid: u32,
    name: String,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
    #[serde(default)]
    args: Option<Args>,
}

/// What a timeline says of a step: its cycles, and of an operation that needed a line from elsewhere what it met.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Args {
    /// Timelines of before say it in us alone, to a ten thousandth.
    cycle: Option<u64>,
    cycles: u64,
    found: Option<String>,
    from_core: Option<u64>,
    queue_cycles: Option<u64>,
}

/// One step of one thread.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    cycle: u64,
    thread: u32,
    what: String,
}

/// Where two timelines part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parting {
    /// They do not: the hashes are equal.
    Nowhere,
    /// At this step, told in a sentence.
    At {
        /// In cycles from the launch's begin.
        cycle: u64,
        /// Whose step.
        thread: u32,
        /// The sentence.
        text: String,
    },
    /// Not in what the timelines hold; why, in a sentence.
    Beyond(String),
}

impl Parting {
    /// The sentence.
    pub fn text(&self) -> &str {
        match self {
            Parting::Nowhere => "the traces are the same",
            Parting::At { text, .. } | Parting::Beyond(text) => text,
        }
    }
}

/// Reads two timelines of a machine of `clock_mhz` and says where they part.
///
/// # Errors
/// One of them is no timeline.
pub fn parting(baseline: &[u8], candidate: &[u8], clock_mhz: u32) -> anyhow::Result<Parting> {
    let read = |arm: &str, bytes: &[u8]| -> anyhow::Result<Timeline> {
        serde_json::from_slice(bytes)
            .map_err(|error| anyhow::anyhow!("the {arm}'s timeline cannot be read: {error}"))
    };
    let (before, after) = (read("baseline", baseline)?, read("candidate", candidate)?);
    if before.about.trace_hash.is_some() && before.about.trace_hash == after.about.trace_hash {
        return Ok(Parting::Nowhere);
    }
    let dropped = before.about.marks_dropped + after.about.marks_dropped > 0;
    let (before, after) = (steps(&before, clock_mhz), steps(&after, clock_mhz));
    let common = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let (here, there) = (before.get(common), after.get(common));
    let (arm, step, others, rest) = match (here, there) {
        (Some(a), Some(b)) if a < b => ("baseline", a, "candidate", &after[common..]),
        (Some(a), None) => ("baseline", a, "candidate", &after[common..]),
        (_, Some(b)) => ("candidate", b, "baseline", &before[common..]),
        (None, None) => {
            let told = if dropped {
                format!("the traces part after the {common} steps that the timelines hold")
            } else {
                format!(
                    "all {common} steps of the timelines are alike: the traces part in operations on a core's own \
                     lines, or in the loops before the threads began"
                )
            };
            return Ok(Parting::Beyond(told));
        }
    };
    let next = rest.iter().find(|other| other.thread == step.thread);
    let instead = match next {
        None => format!("in the {others} it does nothing any more"),
        // The list from here on lies behind this step.
        Some(next) if next.what == step.what => {
            let later = next.cycle - step.cycle;
            format!("in the {others} it does so at cycle {}, {later} cycles later", next.cycle)
        }
        Some(next) => format!("in the {others} its next step is at cycle {}: it {}", next.cycle, next.what),
    };
    let text = format!(
        "the traces part at cycle {}, after {common} common steps: in the {arm} thread {} {}; {instead}",
        step.cycle, step.thread, step.what
    );
    Ok(Parting::At { cycle: step.cycle, thread: step.thread, text })
}

/// The steps of a timeline in order. What is still open at its end is cut there and ends at different cycles in any two
/// timelines; that lies behind every difference.
fn steps(timeline: &Timeline, clock_mhz: u32) -> Vec<Step> {
    let cycles = |us: f64| (us * f64::from(clock_mhz)).round().max(0.0) as u64;
    let mut steps = Vec::with_capacity(2 * timeline.events.len());
    for event in &timeline.events {
        let (begin, end) = match &event.args {
            Some(Args { cycle: Some(begin), cycles, .. }) => (*begin, begin + cycles),
            _ => (cycles(event.ts), cycles(event.ts + event.dur)),
        };
        let track = index(event.tid);
        let mut push = |cycle, thread, what: String| steps.push(Step { cycle, thread, what });
        match (event.pid, event.ph.as_str()) {
            (CORES, "X") => {
                let thread = event.name.strip_prefix("thread ").and_then(|number| number.parse().ok());
                if let Some(thread) = thread {
                    push(begin, thread, format!("runs on core {track}"));
                    push(end, thread, format!("leaves core {track}"));
                }
            }
            (THREADS, "i") => push(begin, track, event.name.clone()),
            (THREADS, "X") => {
                let (starts, ends) = words(event);
                if let Some(what) = starts {
                    push(begin, track, what);
                }
                push(end, track, ends);
            }
            _ => {}
        }
    }
    steps.sort_unstable();
    steps
}

/// How an interval of a thread begins and ends, in words.
fn words(event: &TraceEvent) -> (Option<String>, String) {
    let name = event.name.as_str();
    if let Some(object) = name.strip_prefix("waits for ") {
        return (Some(format!("asks for {object}")), format!("has {object}"));
    }
    if let Some(object) = name.strip_prefix("holds ") {
        // It begins where the wait ended.
        return (None, format!("gives {object} back"));
    }
    if let Some((operation, line)) = name.split_once(" line ") {
        let args = event.args.as_ref();
        let found = args.and_then(|args| args.found.as_deref()).unwrap_or("unknown");
        let from =
            args.and_then(|args| args.from_core).map_or(String::new(), |core| format!(" at core {core}"));
        let queue = args.and_then(|args| args.queue_cycles).unwrap_or(0);
        let begins =
            format!("misses line {line} ({operation}; it is {found}{from}, {queue} cycles in its queue)");
        return (Some(begins), format!("has line {line} for its {operation}"));
    }
    match name {
        "spins" => (Some("begins to spin".to_owned()), "stops spinning".to_owned()),
        "sleeps" => (Some("goes to sleep".to_owned()), "is awake".to_owned()),
        "off its core" => (Some("loses its core".to_owned()), "has a core again".to_owned()),
        other => (Some(format!("begins: {other}")), format!("ends: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(hash: &str, events: &str) -> Vec<u8> {
        format!(r#"{{"otherData":{{"trace_hash":"{hash}","marks_dropped":0}},"traceEvents":[{events}]}}"#)
            .into_bytes()
    }

    const WAIT: &str =
        r#"{"ph":"X","pid":2,"tid":1,"name":"waits for object 0","ts":1.0,"dur":0.05,"args":null}"#;
    const CAS: &str = r#"{"ph":"X","pid":2,"tid":1,"name":"cas line 7","ts":1.01,"dur":0.02,
        "args":{"found":"modified","from_core":3,"queue_cycles":4,"transfer_cycles":16,"invalidated":0}}"#;

    #[test]
    fn the_first_step_that_differs_is_told() {
        let later = WAIT.replace("0.05", "0.06");
        let found = parting(
            &timeline("a", &format!("{WAIT},{CAS}")),
            &timeline("b", &format!("{later},{CAS}")),
            1000,
        );
        let Parting::At { cycle, thread, text } = found.expect("timelines") else { panic!("no parting") };
        assert_eq!((cycle, thread), (1050, 1));
        assert_eq!(
            text,
            "the traces part at cycle 1050, after 3 common steps: in the baseline thread 1 has object 0; in the \
             candidate it does so at cycle 1060, 10 cycles later"
        );
    }

    #[test]
    fn an_operation_that_only_one_has_is_named_with_its_line() {
        let found =
            parting(&timeline("a", WAIT), &timeline("b", &format!("{WAIT},{CAS}")), 1000).expect("timelines");
        let text = found.text();
        assert!(text.contains("at cycle 1010, after 1 common steps: in the candidate thread 1 misses line 7 (cas; it is modified at core 3, 4 cycles"), "{text}");
        assert!(text.ends_with("in the baseline its next step is at cycle 1050: it has object 0"), "{text}");
    }

    #[test]
    fn equal_hashes_part_nowhere_and_hits_are_not_in_timelines() {
        assert_eq!(
            parting(&timeline("a", WAIT), &timeline("a", WAIT), 1000).expect("timelines"),
            Parting::Nowhere
        );
        let found = parting(&timeline("a", WAIT), &timeline("b", WAIT), 1000).expect("timelines");
        assert!(matches!(&found, Parting::Beyond(text) if text.contains("all 2 steps")), "{found:?}");
        assert!(parting(b"{}", &timeline("b", WAIT), 1000).is_err());
    }
}
