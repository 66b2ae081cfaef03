//! Inner folds: learn from older rows, look at newer ones, more than once.

use super::split::Ordered;

/// Where the rows are cut: up to each share is learnt from, up to the next is looked at.
const SHARES: [f64; 4] = [0.4, 0.6, 0.8, 1.0];
/// With fewer bad loans nothing is learnt.
const LEAST_BAD: usize = 20;

/// Older rows, and the newer ones that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// To learn from.
    pub older: Ordered,
    /// To look at.
    pub newer: Ordered,
}

/// Folds with more to learn from each time.
pub fn expanding(ordered: &Ordered, bad: &[bool]) -> Vec<Fold> {
    let length = ordered.rows.len();
    let cut = |share: f64| if share < 1.0 { ordered.cut(share) } else { length };
    let fold = |pair: &[f64]| {
        let (middle, end) = (cut(pair[0]), cut(pair[1]));
        Fold { older: ordered.slice(0..middle), newer: ordered.slice(middle..end) }
    };
    SHARES.windows(2).map(fold).filter(|fold| fold.is_useful(bad)).collect()
}

impl Fold {
    fn is_useful(&self, bad: &[bool]) -> bool {
        let count = |ordered: &Ordered| ordered.rows.iter().filter(|row| bad[**row]).count();
        count(&self.older) >= LEAST_BAD && count(&self.newer) >= LEAST_BAD
    }
}

#[cfg(test)]
mod tests {
    use super::expanding;
    use crate::train::split::Ordered;

    #[test]
    fn learns_from_older_months_only() {
        let months = (1..=10).flat_map(|month| vec![jiff::civil::date(2011, month, 3); 100]);
        let ordered = Ordered::by_month(&months.collect::<Vec<_>>());
        let bad: Vec<bool> = (0..1000).map(|row| row % 4 == 0).collect();
        let sizes = |fold: &super::Fold| (fold.older.rows.len(), fold.newer.rows.len());
        assert_eq!(
            expanding(&ordered, &bad).iter().map(sizes).collect::<Vec<_>>(),
            [(400, 200), (600, 200), (800, 200)]
        );
        assert_eq!(expanding(&ordered, &[false; 1000]), []);
    }
}
