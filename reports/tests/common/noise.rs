//! Noise of a seed, for tests of statistics.
#![allow(dead_code, reason = "each test file uses its own part")]

/// A generator of normal noise: splitmix64, and Box and Muller's transformation.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Noise {
        Noise(seed)
    }

    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON
    }

    /// A value of the standard normal distribution.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A stationary AR(1) series of variance 1.
    pub(crate) fn correlated(&mut self, n: usize, correlation: f64) -> Vec<f64> {
        let mut last = self.normal();
        let fresh = (1.0 - correlation * correlation).sqrt();
        (0..n)
            .map(|_| {
                let value = last;
                last = correlation * last + fresh * self.normal();
                value
            })
            .collect()
    }
}
