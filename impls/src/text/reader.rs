//! Reads checked values out of TOML, remembering where each stood.
//!
//! Definitions are read by hand instead of derived: a derived reader names neither the nearest key nor, inside tables
//! that may be a scalar or a list, the line.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnose::{Error, Result, unknown};

/// A text with the name by which errors call it.
pub struct Source {
    /// The file, or what stands for it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

impl Source {
    /// A text that is at hand. A byte order mark at its beginning is none of it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text: String = text.into();
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Self { name: name.into(), text }
    }

    /// Reads a file; its path is its name.
    pub fn read(path: &std::path::Path) -> Result<Self> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path)
            .map_err(|error| Error::about(&name, format_args!("cannot read the file: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
            Error::at(&name, line, "", "expected text in UTF-8, found bytes that are none")
        })?;
        Ok(Self::new(name, text))
    }

    /// Parses the whole text.
    pub fn parse(&self) -> Result<Spanned<DeTable<'_>>> {
        DeTable::parse(&self.text).map_err(|error| {
            let line = error.span().map_or(0, |span| self.line(&span));
            let about = error.span().and_then(|span| self.text.get(span)?.lines().next());
            let about = about.filter(|text| !text.trim().is_empty() && text.len() <= 40);
            let about = about.map_or_else(String::new, |text| format!(" at `{text}`"));
            Error::at(&self.name, line, "", format_args!("not valid TOML: {}{about}", error.message()))
        })
    }

    fn line(&self, span: &Range<usize>) -> usize {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }
}

/// The cells of a line of CSV whose cells hold no commas: trimmed, and without the quotes that some tools put around them.
pub fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|cell| {
        let cell = cell.trim();
        cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')).unwrap_or(cell).trim()
    })
}

/// A table whose keys are all known.
pub struct Table<'t> {
    source: &'t Source,
    /// What precedes its keys in errors, such as `role[2].`.
    prefix: String,
    line: usize,
    entries: Vec<(&'t str, Range<usize>, &'t Spanned<DeValue<'t>>)>,
}

impl<'t> Table<'t> {
    /// The top of a file.
    pub fn top(source: &'t Source, root: &'t DeTable<'t>, known: &[&str]) -> Result<Self> {
        Self::new(source, String::new(), 1, root, known)
    }

    fn new(
        source: &'t Source,
        prefix: String,
        line: usize,
        table: &'t DeTable<'t>,
        known: &[&str],
    ) -> Result<Self> {
        let entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value));
        let mut table = Self { source, prefix, line, entries: entries.collect() };
        // The first mistake in the file is the one to report.
        table.entries.sort_by_key(|(_, span, _)| span.start);
        for (key, span, _) in &table.entries {
            if !known.contains(key) {
                let message = unknown("key", key, known.iter().copied());
                let key = table.prefix.trim_end_matches('.');
                return Err(Error::at(&source.name, source.line(span), key, message));
            }
        }
        Ok(table)
    }

    /// The value of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<Item<'t>> {
        let (name, _, value) = self.entries.iter().find(|(name, ..)| *name == key)?;
        Some(Item { source: self.source, key: format!("{}{name}", self.prefix), value })
    }

    /// The value of `key`, which must be there; `expected` tells what it holds.
    pub fn need(&self, key: &str, expected: &str) -> Result<Item<'t>> {
        self.get(key).ok_or_else(|| self.wrong(key, format_args!("missing: expected {expected}")))
    }

    /// An error about this table, at its first line.
    pub fn wrong(&self, key: &str, message: impl std::fmt::Display) -> Error {
        Error::at(&self.source.name, self.line, &format!("{}{key}", self.prefix), message)
    }

    /// Whichever of two spellings of a key is there; both is an error.
    pub fn either(&self, key: &str, other: &str) -> Result<Option<Item<'t>>> {
        match (self.get(key), self.get(other)) {
            (Some(_), Some(second)) => {
                Err(second.wrong(format_args!("expected `{key}` or `{other}`, found both")))
            }
            (first, second) => Ok(first.or(second)),
        }
    }

    /// A text that is not empty.
    pub fn text(&self, key: &str) -> Result<String> {
        let item = self.need(key, "a text")?;
        let text = item.str("a text")?.trim();
        if text.is_empty() {
            return Err(item.wrong("expected a text, found an empty one"));
        }
        Ok(text.to_owned())
    }

    /// An integer within bounds, or `default`.
    pub fn integer(&self, key: &str, bounds: Range<u64>, default: u64) -> Result<u64> {
        self.get(key).map_or(Ok(default), |item| item.integer("an integer", bounds))
    }
}

/// A value, and where it stands.
#[derive(Clone)]
pub struct Item<'t> {
    source: &'t Source,
    /// Its key, with the table that it is in.
    pub key: String,
    value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Item<'t> {
    /// An error about this value.
    pub fn wrong(&self, message: impl std::fmt::Display) -> Error {
        Error::at(&self.source.name, self.line(), &self.key, message)
    }

    /// The line that the value begins in.
    pub fn line(&self) -> usize {
        self.source.line(&self.value.span())
    }

    /// The error for a value of another type or range.
    pub fn expected(&self, expected: &str) -> Error {
        let found = match self.value.get_ref() {
            DeValue::String(text) => format!("`{text}`"),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Array(list) if list.is_empty() => "an empty list".into(),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
        };
        self.wrong(format_args!("expected {expected}, found {found}"))
    }

    /// The value as a text; otherwise the error that says what was expected.
    pub fn str(&self, expected: &str) -> Result<&'t str> {
        self.value.get_ref().as_str().ok_or_else(|| self.expected(expected))
    }

    /// The value, if it is a text.
    pub fn as_str(&self) -> Option<&'t str> {
        self.value.get_ref().as_str()
    }

    /// The value, if it is true or false.
    pub fn as_bool(&self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    /// Whether the value is an integer.
    pub fn is_integer(&self) -> bool {
        self.value.get_ref().is_integer()
    }

    /// Whether the value is a list.
    pub fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    /// Whether the value is a table.
    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// An integer with `bounds.start <= value < bounds.end`.
    pub fn integer(&self, expected: &str, bounds: Range<u64>) -> Result<u64> {
        let expected = || format!("{expected} from {} to {}", bounds.start, bounds.end - 1);
        let number = self.value.get_ref().as_integer().ok_or_else(|| self.expected(&expected()))?;
        let value = i128::from_str_radix(number.as_str(), number.radix());
        let value = value.ok().and_then(|value| u64::try_from(value).ok());
        value.filter(|value| bounds.contains(value)).ok_or_else(|| self.expected(&expected()))
    }

    /// A finite number for which `allowed` holds; integers are numbers too.
    pub fn number(&self, expected: &str, allowed: impl Fn(f64) -> bool) -> Result<f64> {
        let value = match self.value.get_ref() {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(|value| value as f64)
            }
            _ => None,
        };
        value
            .filter(|&value: &f64| value.is_finite() && allowed(value))
            .ok_or_else(|| self.expected(expected))
    }

    /// The values of a list, or the value itself. An empty list is an error, and so is an entry that occurs twice.
    pub fn each<T: PartialEq>(
        &self,
        expected: &str,
        read: impl Fn(&Item<'t>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let items = self.items();
        if items.is_empty() {
            return Err(self.expected(&format!("{expected}, or a list of at least one")));
        }
        let mut values = Vec::with_capacity(items.len());
        for item in &items {
            let value = read(item)?;
            if values.contains(&value) {
                return Err(item.wrong("listed twice: remove one"));
            }
            values.push(value);
        }
        Ok(values)
    }

    /// The entries of a list, or the value itself.
    pub fn items(&self) -> Vec<Item<'t>> {
        match self.value.get_ref() {
            DeValue::Array(list) => list
                .iter()
                .enumerate()
                .map(|(index, value)| Item {
                    source: self.source,
                    key: format!("{}[{}]", self.key, index + 1),
                    value,
                })
                .collect(),
            _ => vec![self.clone()],
        }
    }

    /// The value as a table that has only `known` keys.
    pub fn table(&self, known: &[&str]) -> Result<Table<'t>> {
        let table = self.value.get_ref().as_table().ok_or_else(|| self.expected("a table"))?;
        Table::new(self.source, format!("{}.", self.key), self.line(), table, known)
    }

    /// A table told apart by its `kind`, or the bare name of a kind without further keys. `kinds` lists each kind with
    /// its keys.
    pub fn kind<'k>(&self, kinds: &[(&'k str, &[&str])]) -> Result<(&'k str, Option<Table<'t>>)> {
        let names = || kinds.iter().map(|(name, _)| *name);
        let find = |item: &Item<'_>, given: &str| {
            kinds
                .iter()
                .find(|(name, _)| *name == given)
                .ok_or_else(|| item.wrong(unknown("kind", given, names())))
        };
        if let Some(word) = self.as_str() {
            let (name, keys) = find(self, word)?;
            if let [first, ..] = keys {
                return Err(self.wrong(format_args!(
                    "expected a table such as {{ kind = \"{name}\", {first} = ... }}, found the bare word `{name}`"
                )));
            }
            return Ok((name, None));
        }
        if !self.is_table() {
            let list: Vec<&str> = names().collect();
            return Err(self.expected(&format!("a table with a `kind`, one of {}", list.join(", "))));
        }
        let all: Vec<&str> =
            kinds.iter().flat_map(|(_, keys)| keys.iter().copied()).chain(["kind"]).collect();
        let kind = self.table(&all)?.need("kind", "the name of a kind")?;
        let (name, keys) = find(&kind, kind.str("the name of a kind")?)?;
        let known: Vec<&str> = keys.iter().copied().chain(["kind"]).collect();
        Ok((name, Some(self.table(&known)?)))
    }
}
