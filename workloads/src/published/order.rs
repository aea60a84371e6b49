//! Where the order of two curves changes.

use record::validation::Order;

/// Curves that lie nearer than this factor have no order: figures are read to about 1 % of their axis.
const INDIFFERENT: f64 = 1.05;

/// How the order of two series goes. `points` are threads and the two values, threads ascending, values above 0.
///
/// A crossover needs a point before it where the one, and a point after it where the other is ahead by more than 5 %: so
/// curves that run side by side do not cross at every wiggle. It lies where the last change of the order between those
/// two is, by a straight line through the logarithms of the ratios beside it.
pub(super) fn order(names: (&str, &str), points: &[(usize, f64, f64)]) -> Order {
    let ahead = |lead: f64| if lead > 0.0 { names.0 } else { names.1 }.to_owned();
    let leads: Vec<(f64, f64)> =
        points.iter().map(|&(threads, a, b)| (threads as f64, (a / b).ln())).collect();
    let decided = |lead: f64| lead.abs() > INDIFFERENT.ln();
    let Some(last) = leads.iter().rposition(|&(_, lead)| decided(lead)) else { return Order::Equal };
    let final_lead = leads[last].1;
    let other_way = |&(_, lead): &(f64, f64)| lead * final_lead < 0.0;
    let Some(before) = leads[..last].iter().rposition(|point| decided(point.1) && other_way(point)) else {
        return Order::Never { ahead: ahead(final_lead) };
    };
    // After `before` nobody is decidedly ahead the old way, so up to the first point that is decided the order may
    // still wiggle: the last change counts.
    let settled = before + leads[before..].iter().position(|p| decided(p.1) && !other_way(p)).unwrap_or(0);
    let from = before + leads[before..settled].iter().rposition(other_way).unwrap_or(0);
    let ((x0, y0), (x1, y1)) = (leads[from], leads[from + 1]);
    Order::Crosses { threads: x0 + (x1 - x0) * y0 / (y0 - y1), ahead: ahead(final_lead) }
}

/// Simulated by published, of two crossovers after which the same series is ahead.
pub(super) fn ratio(published: &Order, simulated: &Order) -> Option<f64> {
    match (published, simulated) {
        (Order::Crosses { threads, ahead }, Order::Crosses { threads: ours, ahead: our_lead })
            if ahead == our_lead =>
        {
            Some(ours / threads)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: (&str, &str) = ("A", "B");

    #[test]
    fn a_change_is_placed_between_its_points() {
        let points = [(1, 4.0, 1.0), (2, 2.0, 1.0), (6, 1.0, 2.0), (12, 1.0, 4.0)];
        assert_eq!(order(NAMES, &points), Order::Crosses { threads: 4.0, ahead: "B".into() });
    }

    #[test]
    fn the_last_change_counts() {
        let points = [(1, 2.0, 1.0), (2, 1.0, 2.0), (3, 2.0, 1.0), (5, 1.0, 2.0)];
        assert_eq!(order(NAMES, &points), Order::Crosses { threads: 4.0, ahead: "B".into() });
        // Also of changes that are too small to be decided.
        let points = [(1, 2.0, 1.0), (2, 1.0, 1.02), (4, 1.02, 1.0), (6, 1.0, 1.02), (9, 1.0, 2.0)];
        let Order::Crosses { threads, ahead } = order(NAMES, &points) else { panic!("no crossing") };
        assert!((threads - 5.0).abs() < 1e-9 && ahead == "B", "{ahead} from {threads}");
    }

    #[test]
    fn wiggles_are_no_changes() {
        let points = [(1, 1.0, 1.01), (2, 1.02, 1.0), (3, 2.0, 1.0), (4, 1.0, 1.04)];
        assert_eq!(order(NAMES, &points), Order::Never { ahead: "A".into() });
        assert_eq!(order(NAMES, &points[..2]), Order::Equal);
        assert_eq!(order(NAMES, &[]), Order::Equal);
    }

    #[test]
    fn only_changes_to_the_same_series_have_a_ratio() {
        let crosses = |threads, ahead: &str| Order::Crosses { threads, ahead: ahead.into() };
        assert_eq!(ratio(&crosses(4.0, "A"), &crosses(5.0, "A")), Some(1.25));
        assert_eq!(ratio(&crosses(4.0, "A"), &crosses(5.0, "B")), None);
        assert_eq!(ratio(&crosses(4.0, "A"), &Order::Equal), None);
    }
}
