//! A schedule: at which steps the turn goes to another thread than by itself.
//!
//! By itself a thread goes on until it cannot, yields or pauses; then the next one that can, by number, has its turn. A
//! step is counted by the thread that takes it, so that leaving a switch out moves no other switch.
//!
//! As text, one word a switch: `0.12>1` gives the turn to thread 1 when thread 0 is about to take its step 12. `>1!` lets
//! the deadline of thread 1's sleep come, `>1?` ends that sleep for no reason.

use std::fmt;
use std::str::FromStr;

/// What giving a thread the turn does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// It goes on.
    Run,
    /// The deadline of its sleep comes.
    Expire,
    /// Its sleep ends for no reason.
    Spurious,
}

/// One switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The thread that had the turn.
    pub thread: u32,
    /// Which of its steps was next, from 0.
    pub step: u64,
    /// The thread that gets the turn.
    pub to: u32,
    /// What happens to it.
    pub how: How,
}

/// All switches, in the order in which they come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule(pub Vec<Switch>);

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.how {
            How::Run => "",
            How::Expire => "!",
            How::Spurious => "?",
        };
        write!(f, "{}.{}>{}{sign}", self.thread, self.step, self.to)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, switch) in self.0.iter().enumerate() {
            write!(f, "{}{switch}", if index > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_ascii_whitespace().map(switch).collect::<Result<_, _>>().map(Schedule)
    }
}

fn switch(word: &str) -> Result<Switch, String> {
    let (rest, how) = match word.as_bytes().last() {
        Some(b'!') => (&word[..word.len() - 1], How::Expire),
        Some(b'?') => (&word[..word.len() - 1], How::Spurious),
        _ => (word, How::Run),
    };
    let parse = || {
        let (from, to) = rest.split_once('>')?;
        let (thread, step) = from.split_once('.')?;
        Some(Switch { thread: thread.parse().ok()?, step: step.parse().ok()?, to: to.parse().ok()?, how })
    };
    parse().ok_or_else(|| format!("`{word}` in a schedule: expected THREAD.STEP>THREAD, such as 0.12>1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_survives_its_text() {
        let text = "0.12>1 1.0>0! 0.13>2?";
        let schedule: Schedule = text.parse().unwrap();
        assert_eq!(schedule.0.len(), 3);
        assert_eq!(schedule.0[1], Switch { thread: 1, step: 0, to: 0, how: How::Expire });
        assert_eq!(schedule.to_string(), text);
        assert_eq!(Schedule::default().to_string().parse::<Schedule>().unwrap(), Schedule::default());
        for wrong in ["0.1", "0>1", "a.1>2", "0.1>", "0.1>2!!"] {
            let error = wrong.parse::<Schedule>().unwrap_err();
            assert!(error.contains(wrong) && error.contains("0.12>1"), "{error}");
        }
    }
}
