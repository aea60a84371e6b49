//! Distributions of times: HdrHistogram in memory, base64 on the wire, interval logs on disk.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
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
                check_claim(&bytes)?;
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

/// The longest encoded histogram that is read, bytes: one of an hour in ns with five digits has less.
const PAYLOAD_MAX: u32 = 32 << 20;

/// Looks at the length that an encoded histogram claims: the decoder takes so much memory before it reads on.
fn check_claim(bytes: &[u8]) -> Result<()> {
    const COMPRESSED: [u8; 4] = 0x1c84_9314_u32.to_be_bytes();
    // The cookie, and the length of what follows the head.
    let mut head = [0; 8];
    let read = match bytes.strip_prefix(&COMPRESSED) {
        // Behind the length of the stream, which need not be believed.
        Some(rest) => ZlibDecoder::new(rest.get(4..).unwrap_or_default()).read_exact(&mut head),
        None => (&mut &*bytes).read_exact(&mut head),
    };
    read.context("a histogram is not HdrHistogram V2: it has no head")?;
    let [.., a, b, c, d] = head;
    let claimed = u32::from_be_bytes([a, b, c, d]);
    ensure!(claimed <= PAYLOAD_MAX, "a histogram of {claimed} bytes is too large");
    Ok(())
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
        // The last claims 4 GB.
        for hdr in ["", "%%%", "AAAA", "HISTFAAAAA==", "HISTE/////8AAAAAAAAAAwAAAAAAAAAB"] {
            assert!(Values::Hdr { hdr: hdr.into() }.decode().is_err(), "{hdr:?}");
        }
    }
}
