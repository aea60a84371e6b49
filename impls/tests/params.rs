//! Every implementation excludes in both shapes, with history's parameters and with parameters at their limits: a
//! tuner may go anywhere in the ranges that the cards name.

use impls::card::{Card, Defaults, Role, Tuned};
use impls::machine::os::Os;
use impls::mutex::{MutexImpl, MutexVisitor, visit_all};
use impls::suite::mutex::exclusion::exclusion_with;
use impls::suite::{LIMIT, within};

const THREADS: usize = 3;
const SECTIONS: u64 = u64::MAX;

type Values = &'static [(&'static str, u64)];

fn passes<I: MutexImpl>(values: Values) {
    let what = format!("{} with {values:?}", I::CARD.id);
    within(LIMIT, &what, move || exclusion_with::<I, _>(Tuned(values), THREADS, SECTIONS));
}

/// All parameters at the values that `choose` takes.
fn all(card: &Card, choose: impl Fn(&impls::card::Param) -> u64) -> Values {
    let values: Vec<_> = card.params.iter().map(|param| (param.name, choose(param))).collect();
    Vec::leak(values)
}

struct Shapes {
    tuned: usize,
}

impl MutexVisitor for Shapes {
    fn visit<I: MutexImpl>(&mut self) {
        if I::CARD.role == Role::Floor {
            return;
        }
        within(LIMIT, I::CARD.id, || exclusion_with::<I, _>(Defaults, THREADS, SECTIONS));
        passes::<I>(&[]);
        passes::<I>(all(&I::CARD, |param| param.min));
        for param in I::CARD.params {
            passes::<I>(vec![(param.name, param.min)].leak());
            passes::<I>(vec![(param.name, param.max)].leak());
            self.tuned += 1;
        }
    }
}

#[test]
fn both_shapes_and_all_limits_exclude() {
    let mut shapes = Shapes { tuned: 0 };
    visit_all(&mut shapes);
    assert!(shapes.tuned >= 10, "only {} parameters were met", shapes.tuned);
}

#[test]
fn the_default_shape_takes_no_space_for_parameters() {
    struct Sizes;
    impl MutexVisitor for Sizes {
        fn visit<I: MutexImpl>(&mut self) {
            let (plain, tuned) = (size_of::<I::Lock<Os, Defaults>>(), size_of::<I::Lock<Os, Tuned>>());
            assert!(plain <= tuned, "{}: {plain} bytes by default, {tuned} when tuned", I::CARD.id);
        }
    }
    visit_all(&mut Sizes);
    assert_eq!(size_of::<Defaults>(), 0);
}
