//! Figures that are read off while the threshold sinks from the highest score to the lowest.

/// Average precision: Σ (recall − recall before) · precision over the distinct scores, without interpolation.
#[must_use]
pub fn average_precision(scores: &[f64], bad: &[bool]) -> Option<f64> {
    let curve = curve(scores, bad);
    let bads = curve.last()?.bad as f64;
    let gains = curve.iter().scan(0, |before, point| Some(point.bad - std::mem::replace(before, point.bad)));
    let total: f64 =
        gains.zip(&curve).map(|(gain, point)| gain as f64 * (point.bad as f64 / (point.bad + point.good) as f64)).sum();
    (bads > 0.0).then(|| total / bads)
}

/// The greatest distance between the distributions of the scores of bad and good rows.
#[must_use]
pub fn kolmogorov_smirnov(scores: &[f64], bad: &[bool]) -> Option<f64> {
    let curve = curve(scores, bad);
    let Point { bad: bads, good: goods } = *curve.last()?;
    let distance = |point: &Point| (point.bad as f64 / bads as f64 - point.good as f64 / goods as f64).abs();
    (bads > 0 && goods > 0).then(|| curve.iter().map(distance).fold(0.0, f64::max))
}

/// Rows at or above a score.
#[derive(Clone, Copy)]
struct Point {
    bad: u64,
    good: u64,
}

/// One point a distinct score, the highest first.
fn curve(scores: &[f64], bad: &[bool]) -> Vec<Point> {
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(bad.iter().copied()).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let counted = rows.chunk_by(|a, b| a.0 == b.0).scan(Point { bad: 0, good: 0 }, |point, ties| {
        let bad = ties.iter().filter(|(_, bad)| *bad).count() as u64;
        *point = Point { bad: point.bad + bad, good: point.good + ties.len() as u64 - bad };
        Some(*point)
    });
    counted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking() {
        let (scores, bad) = ([3.0, 2.0, 1.0, 0.0], [true, true, false, false]);
        assert_eq!(average_precision(&scores, &bad), Some(1.0));
        assert_eq!(kolmogorov_smirnov(&scores, &bad), Some(1.0));
    }

    #[test]
    fn one_score_for_all_says_nothing() {
        let (scores, bad) = ([1.0; 4], [true, false, false, false]);
        assert_eq!(average_precision(&scores, &bad), Some(0.25));
        assert_eq!(kolmogorov_smirnov(&scores, &bad), Some(0.0));
    }
}
