//! The space of a search: which values each knob takes, and the grid that they make.

use anyhow::{Result, bail, ensure};
use impls::card::{Card, Param};
use impls::text::diagnose::unknown;
use reports::tune::Knob;

/// Most settings of one search.
pub(super) const SETTINGS_MAX: usize = 4096;
/// Numbers of values that a grid gives a knob, the finest first.
pub(super) const STEPS: [usize; 6] = [13, 9, 7, 5, 4, 3];
/// A grid reaches so many doublings below and above the default.
const REACH: f64 = 6.0;

/// What is tried of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// A grid around the default.
    Around,
    /// A grid from one value to another.
    Between(u64, u64),
    /// These values.
    Exactly(Vec<u64>),
}

/// What the command line says of every parameter of a card, in the card's order.
pub(super) fn ranges(card: &Card, texts: &[String]) -> Result<Vec<Range>> {
    ensure!(
        !card.params.is_empty(),
        "{} has no parameters: there is nothing to tune; `list` shows which implementations have some",
        card.id
    );
    let mut ranges = vec![Range::Around; card.params.len()];
    let mut seen: Vec<&str> = Vec::new();
    for text in texts {
        let Some((name, range)) = text.split_once('=') else {
            bail!(
                "--param {text}: expected NAME=RANGE, such as spin_rounds=0..64, spin_rounds=0,4,16 or spin_rounds=8"
            );
        };
        let Some(at) = card.params.iter().position(|param| param.name == name) else {
            let names = card.params.iter().map(|param| param.name);
            bail!("--param {text}: {}: {}", card.id, unknown("parameter", name, names));
        };
        ensure!(!seen.contains(&name), "--param {name} is given twice");
        seen.push(name);
        ranges[at] = range_of(text, range, &card.params[at])?;
    }
    Ok(ranges)
}

fn range_of(text: &str, range: &str, param: &Param) -> Result<Range> {
    let number = |part: &str| -> Result<u64> {
        let Ok(value) = part.trim().replace('_', "").parse::<u64>() else {
            bail!(
                "--param {text}: expected a whole number, found `{}`: 1..64, 0,4,16, or one value",
                part.trim()
            );
        };
        ensure!(
            (param.min..=param.max).contains(&value),
            "--param {text}: {value} is outside of what {} may be: {} to {}",
            param.name,
            param.min,
            param.max
        );
        Ok(value)
    };
    if let Some((low, high)) = range.split_once("..") {
        let (low, high) = (number(low)?, number(high.strip_prefix('=').unwrap_or(high))?);
        ensure!(low <= high, "--param {text}: the range is empty: {low} is above {high}");
        return Ok(Range::Between(low, high));
    }
    let mut values = range.split(',').map(number).collect::<Result<Vec<u64>>>()?;
    values.sort_unstable();
    values.dedup();
    Ok(Range::Exactly(values))
}

/// The knob of a parameter, with at most `steps` values where a grid is asked for. History's value is always among them.
pub(super) fn knob(param: &Param, range: &Range, steps: usize) -> Knob {
    let mut values = match range {
        Range::Around => around(param, steps),
        Range::Between(low, high) => between(*low, *high, steps),
        Range::Exactly(values) => values.clone(),
    };
    values.push(param.default);
    values.sort_unstable();
    values.dedup();
    Knob {
        name: param.name.to_owned(),
        default: param.default,
        min: param.min,
        max: param.max,
        origin: param.origin.to_owned(),
        values,
    }
}

/// Spaced evenly in the logarithm, the default in the middle; 0 where it is legal.
fn around(param: &Param, steps: usize) -> Vec<u64> {
    let centre =
        if param.default == 0 { (1_u64 << REACH as u32).clamp(param.min, param.max) } else { param.default };
    let place = |step: usize| {
        let exponent = if steps > 1 { REACH * (2.0 * step as f64 / (steps - 1) as f64 - 1.0) } else { 0.0 };
        let value = (centre as f64 * exponent.exp2()).round();
        // The float of a large bound may lie beyond it.
        (value as u64).clamp(param.min.max(1), param.max)
    };
    let mut values: Vec<u64> = (0..steps).map(place).collect();
    if param.min == 0 {
        values.push(0);
    }
    values
}

/// Both ends, and between them even steps of the logarithm; from 0 the first step is to 1.
fn between(low: u64, high: u64, steps: usize) -> Vec<u64> {
    let mut values = vec![low, high];
    let first = low.max(1);
    if high > first {
        let inner = steps.max(2) - usize::from(low == 0 && steps > 2);
        let ratio = (high as f64 / first as f64).ln();
        let place = |step: usize| {
            let value = first as f64 * (ratio * step as f64 / (inner - 1).max(1) as f64).exp();
            (value.round() as u64).clamp(low, high)
        };
        values.extend((0..inner).map(place));
    }
    values
}

/// Every combination of what the ranges ask for, and history's setting; with the place of that.
pub(super) fn grid(knobs: &[Knob], ranges: &[Range]) -> (Vec<Vec<u64>>, usize) {
    let asked = |(knob, range): (&Knob, &Range)| match range {
        // History's value was added to the knob for history's setting alone.
        Range::Exactly(values) => values.clone(),
        Range::Between(low, high) => {
            knob.values.iter().copied().filter(|value| (low..=high).contains(&value)).collect()
        }
        Range::Around => knob.values.clone(),
    };
    let mut settings: Vec<Vec<u64>> = vec![Vec::new()];
    for values in knobs.iter().zip(ranges).map(asked) {
        let with = |setting: &Vec<u64>| {
            let setting = setting.clone();
            values.clone().into_iter().map(move |value| [setting.as_slice(), &[value]].concat())
        };
        settings = settings.iter().flat_map(with).take(SETTINGS_MAX + 1).collect();
    }
    let default: Vec<u64> = knobs.iter().map(|knob| knob.default).collect();
    let at = settings.iter().position(|setting| *setting == default).unwrap_or_else(|| {
        settings.push(default);
        settings.len() - 1
    });
    (settings, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAM: Param = Param { name: "spin_rounds", default: 4, min: 0, max: 1 << 16, origin: "history" };

    fn range(text: &str) -> Result<Range> {
        range_of(text, text.split_once('=').unwrap().1, &PARAM)
    }

    #[test]
    fn ranges_read_in_three_forms() {
        assert_eq!(range("spin_rounds=1..64").unwrap(), Range::Between(1, 64));
        assert_eq!(range("spin_rounds=16,0,4,4").unwrap(), Range::Exactly(vec![0, 4, 16]));
        assert_eq!(range("spin_rounds=1_000").unwrap(), Range::Exactly(vec![1000]));
        for (text, expected) in [
            ("spin_rounds=8..2", "the range is empty: 8 is above 2"),
            ("spin_rounds=", "expected a whole number"),
            ("spin_rounds=1..", "expected a whole number"),
            ("spin_rounds=1,x", "found `x`"),
            ("spin_rounds=1..70000", "70000 is outside of what spin_rounds may be: 0 to 65536"),
        ] {
            let error = range(text).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(text), "{error}");
        }
    }

    #[test]
    fn grids_are_logarithmic_and_hold_zero_and_the_default() {
        assert_eq!(
            knob(&PARAM, &Range::Around, 13).values,
            [0, 1, 2, 4, 8, 16, 32, 64, 128, 256],
            "values below 1 fall together"
        );
        assert_eq!(knob(&PARAM, &Range::Between(1, 64), 7).values, [1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(knob(&PARAM, &Range::Between(0, 64), 8).values, [0, 1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(knob(&PARAM, &Range::Between(7, 7), 9).values, [4, 7]);
        let off = Param { default: 0, max: 100, ..PARAM };
        let values = knob(&off, &Range::Around, 13).values;
        assert!(values.starts_with(&[0, 1, 2, 4]) && *values.last().unwrap() == 100, "{values:?}");
        let wide = Param { default: u64::MAX / 2, min: 1, max: u64::MAX, ..PARAM };
        assert!(knob(&wide, &Range::Around, 13).values.len() > 5);
    }

    #[test]
    fn the_default_is_always_a_setting() {
        let ranges = [Range::Exactly(vec![8, 16]), Range::Exactly(vec![30])];
        let second = Param { name: "pauses", default: 30, min: 1, ..PARAM };
        let knobs = [knob(&PARAM, &ranges[0], 9), knob(&second, &ranges[1], 9)];
        let (settings, default) = grid(&knobs, &ranges);
        assert_eq!(settings, [[8, 30], [16, 30], [4, 30]]);
        assert_eq!(default, 2);
        assert_eq!(knobs[0].values, [4, 8, 16]);
    }
}
