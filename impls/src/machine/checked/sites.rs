//! The orderings that a program names, found while it runs, and weakened one at a time.
//!
//! Every operation of a checked machine that takes an ordering passes it through `order`, with the place in the source
//! that named it (`#[track_caller]`). So the list of sites needs no upkeep: what ran is on it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::Location;
use std::str::FromStr;

use crate::machine::Ordering;

/// Which ordering of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The only one, or the one of success.
    First,
    /// The one of failure, of a compare-exchange.
    Failure,
}

/// An ordering named in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// File, as the compiler names it.
    pub file: String,
    /// Line of the operation, from 1.
    pub line: u32,
    /// Column of the operation, from 1.
    pub column: u32,
    /// Which of its orderings.
    pub slot: Slot,
}

/// What becomes of an ordering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weakening {
    /// `Relaxed`; of a fence, nothing is left.
    Relaxed,
    /// Of an AcqRel, the half that acquires.
    Acquire,
    /// Of an AcqRel, the half that releases.
    Release,
}

/// One ordering, weakened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mutation {
    /// Which.
    pub site: Site,
    /// How.
    pub weakening: Weakening,
}

impl Weakening {
    /// The ways to weaken `order`, an empty list if there is none.
    pub fn of(order: Ordering) -> &'static [Weakening] {
        match order {
            Ordering::Relaxed => &[],
            Ordering::AcqRel => &[Weakening::Relaxed, Weakening::Acquire, Weakening::Release],
            _ => &[Weakening::Relaxed],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Weakening::Relaxed => "Relaxed",
            Weakening::Acquire => "Acquire",
            Weakening::Release => "Release",
        }
    }

    fn order(self) -> Ordering {
        match self {
            Weakening::Relaxed => Ordering::Relaxed,
            Weakening::Acquire => Ordering::Acquire,
            Weakening::Release => Ordering::Release,
        }
    }
}

#[derive(Default)]
struct Sites {
    /// What is on the list, by address: quicker to look up, though the same place may have several.
    seen: Vec<(&'static Location<'static>, Slot)>,
    list: BTreeSet<(Site, u8)>,
    weakened: Option<Mutation>,
    ran: bool,
}

thread_local! {
    static SITES: RefCell<Sites> = RefCell::default();
}

/// From now on the ordering of `mutation` is weakened, in this host thread.
pub fn weaken(mutation: Mutation) {
    SITES.with_borrow_mut(|sites| sites.weakened = Some(mutation));
}

/// Whether the weakened ordering was met.
pub fn weakened_ran() -> bool {
    SITES.with_borrow(|sites| sites.ran)
}

/// The sites met so far in this host thread, with their orderings.
pub fn met() -> Vec<(Site, Ordering)> {
    SITES.with_borrow(|sites| sites.list.iter().map(|(site, code)| (site.clone(), decode(*code))).collect())
}

/// Orderings have no order of their own.
fn code(order: Ordering) -> u8 {
    match order {
        Ordering::Relaxed => 0,
        Ordering::Acquire => 1,
        Ordering::Release => 2,
        Ordering::AcqRel => 3,
        _ => 4,
    }
}

fn decode(code: u8) -> Ordering {
    [Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst]
        [usize::from(code)]
}

/// The ordering that the operation at `location` is to use for `order`, which it names at `slot`.
pub(super) fn order(location: &'static Location<'static>, slot: Slot, order: Ordering) -> Ordering {
    SITES.with_borrow_mut(|sites| {
        let known = sites.seen.iter().any(|&(seen, at)| at == slot && std::ptr::eq(seen, location));
        if !known {
            sites.seen.push((location, slot));
            sites.list.insert((Site::of(location, slot), code(order)));
        }
        match &sites.weakened {
            Some(Mutation { site, weakening }) if site.is(location, slot) => {
                sites.ran = true;
                weakening.order()
            }
            _ => order,
        }
    })
}

impl Site {
    fn of(location: &Location<'_>, slot: Slot) -> Self {
        Site { file: location.file().to_owned(), line: location.line(), column: location.column(), slot }
    }

    fn is(&self, location: &Location<'_>, slot: Slot) -> bool {
        self.line == location.line()
            && self.column == location.column()
            && self.slot == slot
            && self.file == location.file()
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot = if self.slot == Slot::Failure { ":failure" } else { "" };
        write!(f, "{}:{}:{}{slot}", self.file, self.line, self.column)
    }
}

impl FromStr for Site {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no site: FILE:LINE:COLUMN, then :failure for a second ordering");
        let (rest, slot) = match text.strip_suffix(":failure") {
            Some(rest) => (rest, Slot::Failure),
            None => (text, Slot::First),
        };
        let (rest, column) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let (file, line) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let number = |text: &str| text.parse().map_err(|_| wrong());
        Ok(Site { file: file.to_owned(), line: number(line)?, column: number(column)?, slot })
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.site, self.weakening.name())
    }
}

impl FromStr for Mutation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no mutation: SITE=Relaxed, =Acquire or =Release");
        let (site, weakening) = text.rsplit_once('=').ok_or_else(wrong)?;
        let all = [Weakening::Relaxed, Weakening::Acquire, Weakening::Release];
        let weakening = all.into_iter().find(|w| w.name() == weakening).ok_or_else(wrong)?;
        Ok(Mutation { site: site.parse()?, weakening })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_is_read_back() {
        for text in ["impls/src/mutex/mcs.rs:12:9=Relaxed", "a.rs:1:2:failure=Release"] {
            assert_eq!(text.parse::<Mutation>().map(|m| m.to_string()), Ok(text.to_owned()));
        }
        for text in ["a.rs:1:2", "a.rs=Relaxed", "a.rs:1:x=Relaxed", "a.rs:1:2=SeqCst"] {
            assert!(text.parse::<Mutation>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_ordering_is_noted_and_weakened_where_it_stands() {
        let here = Location::caller();
        assert_eq!(order(here, Slot::First, Ordering::AcqRel), Ordering::AcqRel);
        let (site, met_order) = met().pop().expect("it was noted");
        assert_eq!((site.line, met_order), (here.line(), Ordering::AcqRel));
        for &weakening in Weakening::of(met_order) {
            weaken(Mutation { site: site.clone(), weakening });
            assert_eq!(order(here, Slot::First, Ordering::AcqRel), weakening.order());
            assert_eq!(order(here, Slot::Failure, Ordering::Acquire), Ordering::Acquire);
        }
        assert!(weakened_ran());
    }
}
