//! Errors of the files that people write: one line that names file, line, key, what was expected, the nearest name.

use std::fmt;

/// What is wrong with a definition, a suite, or what was asked of it. Its text is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file, or what stands for it, such as `--filter`.
    pub file: String,
    /// Line in the file, from 1; 0 when the error belongs to no line.
    pub line: usize,
    /// The key, with the table that it is in, such as `role[2].hold`; may be empty.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The result of everything that reads a file of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Error {}

impl Error {
    /// An error about `subject` (a file or a flag) that belongs to no line.
    pub fn about(subject: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::at(&subject.to_string(), 0, "", message)
    }

    /// An error about `key` in `line` of `file`. Line breaks, which quoted input may hold, are shown as spaces.
    pub fn at(file: &str, line: usize, key: &str, message: impl fmt::Display) -> Self {
        Self { file: one_line(file), line, key: one_line(key), message: one_line(&message.to_string()) }
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The known name most like `given`, if any is like it at all.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    // A start, as in `mutex/go-2019` for `mutex/go-2019-fastpath`, counts as closer than a far guess. Long names share so
    // much that of those that are like it at all the one with the fewest slips is meant.
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        let start = given.len() >= 3 && name.starts_with(&given);
        let like = start || strsim::jaro_winkler(&given, &name) >= 0.75;
        let slips = strsim::normalized_damerau_levenshtein(&given, &name);
        like.then(|| if start { slips.max(0.95) } else { slips })
    };
    let all = known.into_iter().filter_map(|name| Some((likeness(name)?, name)));
    all.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// `` unknown KIND `given`; the nearest is `x` ``, or all names when none is near.
pub fn unknown<'a>(kind: &str, given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    let mut seen = std::collections::BTreeSet::new();
    known.retain(|name| seen.insert(*name));
    match nearest(given, known.iter().copied()) {
        Some(name) => format!("unknown {kind} `{given}`; the nearest is `{name}`"),
        None => format!("unknown {kind} `{given}`; expected one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_prefers_likeness_and_starts() {
        assert_eq!(nearest("thread", ["hold", "threads", "think"]), Some("threads"));
        assert_eq!(nearest("mutex/go-2019", ["mutex/go-2016-starving", "mutex/go-2019-fastpath"]), {
            Some("mutex/go-2019-fastpath")
        });
        assert_eq!(nearest("zzz", ["hold", "threads"]), None);
        let cells = ["mutex.clh@contended-t2-h0@sim-laptop-8", "mutex.mcs@contended-t2-h0@sim-laptop-8"];
        assert_eq!(nearest("mutex.mcss@contended-t2-h0@sim-laptop-8", cells), Some(cells[1]));
    }

    #[test]
    fn text_is_one_line() {
        let error = Error::at("a\nb", 3, "k\n", "m\r\nn");
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
}
