//! Draws: lengths of work, gaps between arrivals, choices of an object.
//!
//! A thread does not compute draws while it is measured. It walks through a table of [`STRATA`] quantiles, one from each
//! equal slice of the distribution, in an order shuffled by the seed. So the mean is exact, every launch does the same
//! work, and a draw costs one load. The price: nothing rarer than one in 512 occurs.

use record::{Choice, Distribution, TakeOrder};

/// Entries of a table for lengths; a power of two.
pub const STRATA: usize = 512;
/// Entries of a table for choices; a power of two.
const CHOICES: usize = 4096;

/// SplitMix64 (Steele, Lea, Flood 2014): every seed is good, and the integers are the same everywhere.
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// A stream for `index` under `seed`; different indices give unrelated streams.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut draw = Draw(seed ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        draw.bits();
        draw
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, by multiplication (Lemire); the bias is below 2^-32 for the bounds used here.
    pub fn below(&mut self, bound: usize) -> usize {
        (((self.bits() >> 32) * bound as u64) >> 32) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A table that a thread walks through for ever.
#[derive(Clone, Debug)]
pub struct Table {
    entries: Box<[u32]>,
    at: usize,
}

impl Table {
    fn new(entries: Vec<u32>) -> Self {
        debug_assert!(entries.len().is_power_of_two());
        Table { entries: entries.into(), at: 0 }
    }

    /// The next entry.
    #[inline(always)]
    pub fn step(&mut self) -> u32 {
        let entry = self.entries[self.at & (self.entries.len() - 1)];
        self.at = self.at.wrapping_add(1);
        entry
    }

    /// The entry that all steps return, if there is but one.
    pub fn only(&self) -> Option<u32> {
        match self.entries[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Lengths drawn from `distribution`, each passed through `convert` (ns to whatever the user counts in).
    pub fn lengths(distribution: &Distribution, draw: &mut Draw, convert: impl Fn(u64) -> u32) -> Self {
        if let Distribution::Constant { ns } = *distribution {
            return Table::new(vec![convert(ns)]);
        }
        let stratum = |k| quantile(distribution, (k as f64 + 0.5) / STRATA as f64);
        let mut entries: Vec<u32> = (0..STRATA).map(|k| convert(stratum(k))).collect();
        draw.shuffle(&mut entries);
        Table::new(entries)
    }

    /// Choices among `objects` objects.
    pub fn choices(choice: &Choice, objects: u32, draw: &mut Draw) -> Self {
        if objects <= 1 {
            return Table::new(vec![0]);
        }
        let exponent = match *choice {
            Choice::Uniform => 0.0,
            Choice::Zipf { exponent } => exponent,
        };
        let weights: Vec<f64> = (1..=objects).map(|rank| libm::pow(f64::from(rank), -exponent)).collect();
        let total: f64 = weights.iter().sum();
        let mut entries = Vec::with_capacity(CHOICES);
        let (mut object, mut reached) = (0, weights[0]);
        for k in 0..CHOICES {
            let target = (k as f64 + 0.5) / CHOICES as f64 * total;
            while reached < target && object + 1 < objects {
                object += 1;
                reached += weights[object as usize];
            }
            entries.push(object);
        }
        draw.shuffle(&mut entries);
        Table::new(entries)
    }

    /// Pairs of different objects, each chosen as by [`Table::choices`], in the order in which they are to be taken. See
    /// [`pair`].
    pub fn pairs(choice: &Choice, objects: u32, order: TakeOrder, draw: &mut Draw) -> Self {
        let (firsts, mut seconds) =
            (Table::choices(choice, objects, draw), Table::choices(choice, objects, draw));
        let pairs = firsts.entries.iter().map(|&first| {
            // The next in the second table that differs. Popular objects meet themselves more often, so the second of a
            // pair is a little less often a popular one. There are two objects: nothing goes round for ever.
            let mut second = seconds.step();
            while second == first {
                second = seconds.step();
            }
            match order {
                TakeOrder::Ascending => encoded(first.min(second), first.max(second)),
                TakeOrder::AsDrawn => encoded(first, second),
            }
        });
        Table::new(pairs.collect())
    }
}

/// Bits of an entry that name the second object.
const SECOND_BITS: u32 = 16;

fn encoded(first: u32, second: u32) -> u32 {
    debug_assert!(first >> SECOND_BITS == 0 && second >> SECOND_BITS == 0);
    (first << SECOND_BITS) | second
}

/// The two objects of an entry of [`Table::pairs`], in the order in which they are to be taken.
#[inline(always)]
pub fn pair(entry: u32) -> (usize, usize) {
    ((entry >> SECOND_BITS) as usize, (entry & ((1 << SECOND_BITS) - 1)) as usize)
}

/// The length below which a share `p` of all lengths lies, in ns.
fn quantile(distribution: &Distribution, p: f64) -> u64 {
    let ns = match *distribution {
        Distribution::Constant { ns } => ns as f64,
        Distribution::Uniform { min_ns, max_ns } => {
            min_ns as f64 + p * (max_ns.saturating_sub(min_ns)) as f64
        }
        // libm and not std: the same bits on every platform, which a replayed simulation needs.
        Distribution::Exponential { mean_ns } => -libm::log1p(-p) * mean_ns as f64,
        Distribution::Bimodal { short_ns, long_ns, long_share } => {
            (if p < 1.0 - long_share { short_ns } else { long_ns }) as f64
        }
    };
    libm::round(ns) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(distribution: Distribution) -> f64 {
        let table = Table::lengths(&distribution, &mut Draw::new(7, 0), |ns| ns as u32);
        table.entries.iter().map(|&ns| f64::from(ns)).sum::<f64>() / table.entries.len() as f64
    }

    #[test]
    fn means_are_those_of_the_distributions() {
        for distribution in [
            Distribution::Constant { ns: 500 },
            Distribution::Uniform { min_ns: 100, max_ns: 900 },
            Distribution::Exponential { mean_ns: 500 },
            Distribution::Bimodal { short_ns: 100, long_ns: 10_000, long_share: 0.0625 },
        ] {
            let (got, want) = (mean(distribution), distribution.mean_ns());
            assert!((got / want - 1.0).abs() < 0.01, "{distribution:?}: {got} for {want}");
        }
    }

    #[test]
    fn seeds_change_the_order_and_nothing_else() {
        let table = |seed| {
            let exponential = Distribution::Exponential { mean_ns: 500 };
            Table::lengths(&exponential, &mut Draw::new(seed, 0), |ns| ns as u32).entries
        };
        let (mut one, mut two) = (table(1), table(2));
        assert_eq!(one, table(1));
        assert_ne!(one, two);
        one.sort_unstable();
        two.sort_unstable();
        assert_eq!(one, two);
    }

    #[test]
    fn pairs_differ_and_keep_their_order() {
        for (objects, choice) in
            [(2, Choice::Uniform), (9, Choice::Zipf { exponent: 1.0 }), (65_536, Choice::Uniform)]
        {
            let drawn = Table::pairs(&choice, objects, TakeOrder::AsDrawn, &mut Draw::new(5, 0));
            let pairs: Vec<(usize, usize)> = drawn.entries.iter().map(|&entry| pair(entry)).collect();
            let rising = pairs.iter().filter(|(first, second)| first < second).count();
            assert!(
                pairs.iter().all(|&(first, second)| first != second && first.max(second) < objects as usize)
            );
            assert!((CHOICES / 3..=2 * CHOICES / 3).contains(&rising), "{rising} of {CHOICES} of {objects}");
            // The same pairs, each in order.
            let sorted = Table::pairs(&choice, objects, TakeOrder::Ascending, &mut Draw::new(5, 0));
            for (&entry, &(first, second)) in sorted.entries.iter().zip(&pairs) {
                assert_eq!(pair(entry), (first.min(second), first.max(second)));
            }
        }
    }

    #[test]
    fn zipf_prefers_the_first_and_uniform_nobody() {
        let count = |choice: Choice, object: u32| {
            let table = Table::choices(&choice, 64, &mut Draw::new(3, 0));
            table.entries.iter().filter(|&&e| e == object).count()
        };
        assert_eq!(count(Choice::Uniform, 0), CHOICES / 64);
        let zipf = Choice::Zipf { exponent: 1.0 };
        // The first of 64 has 1 / H(64) = 21 % of all picks, twice the second's.
        let (first, second) = (count(zipf, 0), count(zipf, 1));
        assert!((860..=870).contains(&first), "{first}");
        assert!(first.abs_diff(2 * second) <= 2, "{first} {second}");
    }
}
