//! All times of a run as one HdrHistogram interval log: an interval for each launch, a tag for each cell, metric and role.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use record::store::Loaded;

use super::bench_name;

/// The log; intervals in the order in which launches began. Values are ns.
pub(super) fn log(run: &Loaded) -> Result<String> {
    let mut intervals = Vec::new();
    for record in &run.records {
        for launch in &record.launches {
            let Some(result) = &launch.result else { continue };
            for times in &result.distributions {
                let role = record.point.roles.get(times.role).map_or("worker", |role| role.name.as_str());
                let tag = format!("{}/{}/{role}", bench_name(record), times.metric.name());
                intervals.push((launch.started_unix_ms, result.span_ns(), tag, record, times));
            }
        }
    }
    intervals.sort_by_key(|(started_unix_ms, ..)| *started_unix_ms);
    let mut out = Vec::new();
    {
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        builder
            .add_comment("synchroscope export; values are ns; the tag names cell, metric and role")
            .add_comment("a tag that begins with `simulated:` is of a simulated machine");
        let mut writer = builder.begin_log_with(&mut out, &mut serializer).context("cannot write the log")?;
        for (started_unix_ms, span_ns, tag, record, times) in intervals {
            let plain = plain(&tag);
            let tag = Tag::new(&plain).ok_or_else(|| anyhow!("`{plain}` is no tag"))?;
            let histogram = times.values.decode().with_context(|| format!("cell {}", record.cell))?;
            let (start, span) = (Duration::from_millis(started_unix_ms), Duration::from_nanos(span_ns));
            writer
                .write_histogram(&histogram, start, span, Some(tag))
                .map_err(|e| anyhow!("cannot write the log: {e:?}"))?;
        }
    }
    String::from_utf8(out).context("the log is not text")
}

/// A tag holds neither commas nor spaces.
fn plain(tag: &str) -> String {
    tag.chars().map(|c| if c == ',' || c.is_whitespace() || c.is_control() { '_' } else { c }).collect()
}
