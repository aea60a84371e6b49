//! The golden table: no card can drop a capability, and with it a test, unnoticed; and no id of the catalogue can go
//! missing. The table is written by hand.

use impls::card::{Capability, Card, Runs};
use impls::mutex::{MutexImpl, MutexVisitor, visit_all};

const TABLE: &str = include_str!("golden/capabilities.txt");

struct Cards(Vec<Card>);

impl MutexVisitor for Cards {
    fn visit<I: MutexImpl>(&mut self) {
        self.0.push(I::CARD);
    }
}

fn cards() -> Vec<Card> {
    let mut cards = Cards(Vec::new());
    visit_all(&mut cards);
    cards.0
}

/// A line of the table as the card has it, blanks between columns apart.
fn row(card: &Card) -> String {
    let machines = match card.runs {
        Runs::AnyMachine => "any",
        Runs::OsOnly(_) => "os",
    };
    let can: Vec<_> = Capability::ALL.iter().filter(|c| card.offers(**c)).map(|c| c.name()).collect();
    format!("{} | {machines} | {} | {}", card.id, card.fairness.name(), can.join(" "))
}

fn without_padding(line: &str) -> String {
    line.split('|').map(str::trim).collect::<Vec<_>>().join(" | ")
}

#[test]
fn cards_and_table_agree() {
    let expected: Vec<_> = TABLE.lines().filter(|line| !line.starts_with('#')).map(without_padding).collect();
    let actual: Vec<_> = cards().iter().map(row).collect();
    for row in &expected {
        assert!(actual.contains(row), "no card says: {row}");
    }
    for row in &actual {
        assert!(expected.contains(row), "the table does not say: {row}");
    }
    assert_eq!(expected.len(), actual.len(), "an id stands twice");
}

#[test]
fn cards_are_complete() {
    let cards = cards();
    for card in &cards {
        let id = card.id;
        assert_eq!(card.family(), "mutex", "{id}");
        assert!(!card.summary.is_empty() && !card.source.is_empty(), "{id}: an empty field");
        assert!((1960..=2100).contains(&card.year), "{id}: year {}", card.year);
        let names = |c: &[Capability]| c.iter().collect::<std::collections::HashSet<_>>().len();
        assert_eq!(names(card.can), card.can.len(), "{id}: a capability stands twice");
        if let Some(before) = card.follows {
            assert!(
                cards.iter().any(|other| other.id == before),
                "{id} follows {before}, which is not there"
            );
        }
        for param in card.params {
            let range = param.min..=param.max;
            assert!(range.contains(&param.default), "{id}: the default of {} is out of range", param.name);
            assert!(!param.origin.is_empty(), "{id}: {} comes from nowhere", param.name);
        }
    }
}

#[test]
fn files_are_named_after_ids() {
    for card in cards() {
        let name = card.id.trim_start_matches("mutex/").replace('-', "_");
        let path = format!("{}/src/mutex/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&path).is_file(), "{}: no file {path}", card.id);
    }
}
