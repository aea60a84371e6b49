//! Distributions of times: HdrHistogram in memory, base64 on the wire, interval logs on disk.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// Longest time that a histogram tells apart: an hour.
pub const MAX_NS: u64 = 3_600_000_000_000;
/// Significant decimal digits of every histogram.
pub const DIGITS: u8 = 3;

/// An empty histogram of the shape that all of this project's have.
pub fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_NS, DIGITS).unwrap_or_else(|e| unreachable!("constant bounds: {e:?}"))
}

/// What a distribution is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// From asking to having; in an open loop from the intended start.
    Wait,
    /// From having to giving back.
    Hold,
    /// From the waker's decision to running.
    Wake,
}

impl Metric {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Wait => "wait",
            Metric::Hold => "hold",
            Metric::Wake => "wake",
        }
    }
}

/// The distribution of one metric over the operations of one role, ns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// What it is of.
    pub metric: Metric,
    /// Index of the role.
    pub role: usize,
    /// The values. In a record's JSON they are empty and stand in the log beside it.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
}

/// Values on the wire: either form is legal in a launch's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// HdrHistogram V2, compressed or not, in base64.
    Hdr {
        /// The text.
        hdr: String,
    },
    /// Pairs of a value in ns and how often it occurred: for engines without an HdrHistogram.
    Counts {
        /// The pairs.
        counts: Vec<(u64, u64)>,
    },
}

impl Default for Values {
    fn default() -> Self {
        Values::Counts { counts: Vec::new() }
    }
}

impl Values {
    /// Whether nothing stands here.
    pub fn is_empty(&self) -> bool {
        match self {
            Values::Hdr { hdr } => hdr.is_empty(),
            Values::Counts { counts } => counts.is_empty(),
        }
    }

    /// Encodes a histogram.
    pub fn encode(histogram: &Histogram<u64>) -> Result<Values> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(histogram, &mut bytes)
            .map_err(|e| anyhow::anyhow!("cannot encode a histogram: {e}"))?;
        Ok(Values::Hdr { hdr: STANDARD.encode(bytes) })
    }

    /// Decodes either form.
    ///
    /// # Errors
    /// If the text is not a histogram, or claims a size that no histogram of ours has.
    pub fn decode(&self) -> Result<Histogram<u64>> {
        match self {
            Values::Hdr { hdr } => {
                ensure!(hdr.len() <= 8 << 20, "a histogram of {} characters is too large", hdr.len());
                let bytes = STANDARD.decode(hdr).context("a histogram is not base64")?;
                Deserializer::new()
                    .deserialize(&mut bytes.as_slice())
                    .map_err(|e| anyhow::anyhow!("a histogram is not HdrHistogram V2: {e}"))
            }
            Values::Counts { counts } => {
                let mut histogram = empty();
                for &(value, count) in counts {
                    histogram.saturating_record_n(value.max(1), count);
                }
                Ok(histogram)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_decode_to_the_same() {
        let counts = Values::Counts { counts: vec![(40, 3), (1_000_000, 2)] };
        let decoded = counts.decode().unwrap();
        let again = Values::encode(&decoded).unwrap().decode().unwrap();
        assert_eq!(decoded, again);
        assert_eq!((again.len(), again.value_at_quantile(0.5)), (5, 40));
    }

    #[test]
    fn damage_is_an_error() {
        for hdr in ["", "%%%", "AAAA", "HISTFAAAAA=="] {
            assert!(Values::Hdr { hdr: hdr.into() }.decode().is_err(), "{hdr:?}");
        }
    }
}
