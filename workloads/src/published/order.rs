//! Where the order of two curves changes.

use record::validation::Order;

/// Curves that lie nearer than this factor have no order.
const INDIFFERENT: f64 = 1.05;
/// Nor have those that lie nearer than this share of the figure's axis: to so much a figure can be read.
const READABLE: f64 = 0.01;

/// How the order of two series goes. `points` are threads and the two values, threads ascending, values above 0; `axis` is
/// the length of the figure's axis.
///
/// A crossover needs a point before it where the one, and a point after it where the other is ahead, by more than 5 % and
/// by more than can be misread: so curves that run side by side, or both along the bottom, do not cross at every wiggle. It lies where the last change of the order between those
/// two is, by a straight line through the logarithms of the ratios beside it.
pub(super) fn order(names: (&str, &str), points: &[(usize, f64, f64)], axis: f64) -> Order {
    let ahead = |lead: f64| if lead > 0.0 { names.0 } else { names.1 }.to_owned();
    let leads: Vec<(f64, f64)> =
        points.iter().map(|&(threads, a, b)| (threads as f64, (a / b).ln())).collect();
    let decided = |at: usize| {
        let (_, a, b) = points[at];
        leads[at].1.abs() > INDIFFERENT.ln() && (a - b).abs() > READABLE * axis
    };
    let Some(last) = (0..leads.len()).rposition(decided) else { return Order::Equal };
    let final_lead = leads[last].1;
    let other_way = |at: usize| leads[at].1 * final_lead < 0.0;
    let Some(before) = (0..last).rposition(|at| decided(at) && other_way(at)) else {
        return Order::Never { ahead: ahead(final_lead) };
    };
    // After `before` nobody is decidedly ahead the old way, so up to the first point that is decided the order may
    // still wiggle: the last change counts.
    let settled = (before..=last).find(|&at| decided(at) && !other_way(at)).unwrap_or(before);
    let from = (before..settled).rev().find(|&at| other_way(at)).unwrap_or(before);
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
        assert_eq!(order(NAMES, &points, 1.0), Order::Crosses { threads: 4.0, ahead: "B".into() });
    }

    #[test]
    fn the_last_change_counts() {
        let points = [(1, 2.0, 1.0), (2, 1.0, 2.0), (3, 2.0, 1.0), (5, 1.0, 2.0)];
        assert_eq!(order(NAMES, &points, 1.0), Order::Crosses { threads: 4.0, ahead: "B".into() });
        // Also of changes that are too small to be decided.
        let points = [(1, 2.0, 1.0), (2, 1.0, 1.02), (4, 1.02, 1.0), (6, 1.0, 1.02), (9, 1.0, 2.0)];
        let Order::Crosses { threads, ahead } = order(NAMES, &points, 1.0) else { panic!("no crossing") };
        assert!((threads - 5.0).abs() < 1e-9 && ahead == "B", "{ahead} from {threads}");
    }

    #[test]
    fn wiggles_are_no_changes() {
        let points = [(1, 1.0, 1.01), (2, 1.02, 1.0), (3, 2.0, 1.0), (4, 1.0, 1.04)];
        assert_eq!(order(NAMES, &points, 1.0), Order::Never { ahead: "A".into() });
        assert_eq!(order(NAMES, &points[..2], 1.0), Order::Equal);
        assert_eq!(order(NAMES, &[], 1.0), Order::Equal);
    }

    #[test]
    fn what_cannot_be_read_is_no_change() {
        let points = [(1, 4.0, 5.0), (2, 3.0, 2.0), (3, 0.02, 0.04)];
        let crossing = |axis| match order(NAMES, &points, axis) {
            Order::Crosses { threads, ahead } => ((threads * 1000.0).round(), ahead),
            other => panic!("{other:?}"),
        };
        assert_eq!(crossing(1.0), (2369.0, "B".into()));
        assert_eq!(crossing(8.0), (1355.0, "A".into()));
    }

    #[test]
    fn only_changes_to_the_same_series_have_a_ratio() {
        let crosses = |threads, ahead: &str| Order::Crosses { threads, ahead: ahead.into() };
        assert_eq!(ratio(&crosses(4.0, "A"), &crosses(5.0, "A")), Some(1.25));
        assert_eq!(ratio(&crosses(4.0, "A"), &crosses(5.0, "B")), None);
        assert_eq!(ratio(&crosses(4.0, "A"), &Order::Equal), None);
    }
}
