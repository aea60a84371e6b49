//! What the threads of a point do, in a few words of a sentence.

use record::{Arrivals, Distribution, Point, Take};

use crate::text::{si, time};

/// `8 threads, 500 ns sections`; of several roles only their threads, since nobody could say their work in few words.
pub(super) fn in_words(point: &Point) -> String {
    let threads = match point.threads() {
        1 => "1 thread".to_owned(),
        n => format!("{n} threads"),
    };
    let [role] = point.roles.as_slice() else {
        let roles: Vec<String> = point.roles.iter().map(|r| format!("{} {}", r.threads, r.name)).collect();
        return format!("{threads} ({})", roles.join(", "));
    };
    let ns = |ns: u64| time(ns as f64);
    let sections = match role.hold {
        Distribution::Constant { ns: 0 } => "empty sections".to_owned(),
        Distribution::Constant { ns: length } => format!("{} sections", ns(length)),
        Distribution::Uniform { min_ns, max_ns } => format!("sections of {} to {}", ns(min_ns), ns(max_ns)),
        Distribution::Exponential { mean_ns } => format!("sections of {} on average", ns(mean_ns)),
        Distribution::Bimodal { short_ns, long_ns, .. } => {
            format!("sections of {}, rarely {}", ns(short_ns), ns(long_ns))
        }
    };
    let open = match point.arrivals {
        Arrivals::Closed => String::new(),
        Arrivals::Fixed { per_thread_per_s } | Arrivals::Poisson { per_thread_per_s } => {
            format!(", {} requests a second each", si(per_thread_per_s))
        }
    };
    let locks = match point.take {
        Take::One if point.locks > 1 => format!(", {} locks", point.locks),
        Take::One => String::new(),
        Take::Two { order } => format!(", two of {} locks at once, {}", point.locks, order.name()),
    };
    format!("{threads}, {sections}{open}{locks}")
}
