//! Which trees are tried: a few points that were chosen with care, and any number that are drawn.
//!
//! A drawn point follows from its number and the seed alone, so that every pod of a sweep knows its own. The draw is an
//! additive recurrence with the generalised golden ratio (Roberts 2018, "The Unreasonable Effectiveness of Quasirandom
//! Sequences"), from a start that the seed decides: it fills the space evenly for any number of trials.

use sha2::{Digest as _, Sha256};
use underwriter_contract::{
    learning::Hyperparameters,
    summary::{Failure, FailureReason},
};

use super::boosting::{MOST_ROUNDS, Parameters};

/// What is tried without a sweep: the default, and trees that are held back, from the smallest, for few bad loans, to the
/// largest.
pub const POINTS: [Parameters; 4] = [
    Parameters::DEFAULT,
    Parameters { leaves: 4, learning_rate: 0.1, ..Parameters::HELD_BACK },
    Parameters::HELD_BACK,
    Parameters { leaves: 16, ..Parameters::HELD_BACK },
];

/// Dimensions of the space.
const DIMENSIONS: usize = 6;
/// The positive root of x⁷ = x + 1.
const RATIO: f64 = 1.112_775_684_278_705_5;

/// The points that are tried without a sweep, where some of the parameters are fixed.
pub fn points(fixed: &Hyperparameters) -> Vec<Parameters> {
    let mut points: Vec<Parameters> = Vec::new();
    for point in POINTS.map(|point| point.with(fixed)) {
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points
}

/// The point of a trial: the default for the first, drawn for every other.
pub fn draw(index: u32, seed: u32, fixed: &Hyperparameters) -> Parameters {
    let point = if index == 0 { Parameters::DEFAULT } else { at(shares(index, seed)) };
    point.with(fixed)
}

/// Where a trial lies in each dimension, from 0 up to 1.
fn shares(index: u32, seed: u32) -> [f64; DIMENSIONS] {
    let step = |dimension: usize| RATIO.recip().powi(dimension as i32 + 1);
    std::array::from_fn(|dimension| (start(seed, dimension) + f64::from(index) * step(dimension)).fract())
}

fn start(seed: u32, dimension: usize) -> f64 {
    let hash = Sha256::digest([seed.to_le_bytes().as_slice(), &[dimension as u8]].concat());
    hash.iter().take(4).fold(0.0, |sum, byte| (sum + f64::from(*byte)) / 256.0)
}

/// The point at some shares: what is a matter of scale evenly by its logarithm, the rest evenly.
fn at([leaves, rate, least, columns, rows, penalty]: [f64; DIMENSIONS]) -> Parameters {
    let between = |low: f64, high: f64, share: f64| low + share * (high - low);
    let scaled = |low: f64, high: f64, share: f64| low * (high / low).powf(share);
    Parameters {
        leaves: scaled(3.0, 17.0, leaves) as u32,
        learning_rate: thousandths(scaled(0.02, 0.2, rate)),
        min_leaf: scaled(20.0, 500.0, least) as u32,
        column_share: thousandths(between(0.3, 1.0, columns)),
        row_share: thousandths(between(0.5, 1.0, rows)),
        l2: thousandths(scaled(0.1, 100.0, penalty)),
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

impl Parameters {
    /// With what is fixed in place of its own.
    fn with(self, fixed: &Hyperparameters) -> Self {
        let Hyperparameters { leaves, learning_rate, rounds: _, min_leaf, column_share, row_share, l2 } = *fixed;
        Self {
            leaves: leaves.unwrap_or(self.leaves),
            learning_rate: learning_rate.unwrap_or(self.learning_rate),
            min_leaf: min_leaf.unwrap_or(self.min_leaf),
            column_share: column_share.unwrap_or(self.column_share),
            row_share: row_share.unwrap_or(self.row_share),
            l2: l2.unwrap_or(self.l2),
        }
    }
}

/// Whether what is fixed is within the bounds of the CRD; a task on a laptop has no API server before it.
///
/// # Errors
/// `RequestInvalid`, with the field and its bounds.
pub fn check(fixed: &Hyperparameters) -> Result<(), Failure> {
    let Hyperparameters { leaves, learning_rate, rounds, min_leaf, column_share, row_share, l2 } = *fixed;
    let bounds = [
        ("leaves", leaves.map(f64::from), 2.0, 16.0),
        ("learningRate", learning_rate, 0.005, 0.5),
        ("rounds", rounds.map(f64::from), 1.0, f64::from(MOST_ROUNDS)),
        ("minLeaf", min_leaf.map(f64::from), 20.0, 10_000.0),
        ("columnShare", column_share, 0.1, 1.0),
        ("rowShare", row_share, 0.1, 1.0),
        ("l2", l2, 0.0, 1000.0),
    ];
    for (name, value, low, high) in bounds {
        if let Some(value) = value.filter(|value| !(low..=high).contains(value)) {
            let message = format!("training.hyperparameters.{name} is {value}; it must be from {low} to {high}");
            return Err(Failure::new(FailureReason::RequestInvalid, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_contract::learning::Hyperparameters;

    use super::{MOST_ROUNDS, POINTS, Parameters, RATIO, check, draw, points, shares};

    #[test]
    fn what_is_fixed_replaces_the_choice() {
        assert_eq!(points(&Hyperparameters::default()), POINTS);
        let fixed = Hyperparameters { leaves: Some(3), learning_rate: Some(0.2), l2: Some(1.0), ..Default::default() };
        let tried = points(&fixed);
        assert!(tried.len() == 2, "what is the same but for what is fixed is tried once: {tried:?}");
        assert!(tried.iter().all(|point| (point.leaves, point.learning_rate, point.l2) == (3, 0.2, 1.0)));
        let drawn = draw(5, 0, &fixed);
        assert_eq!((drawn.leaves, drawn.learning_rate, drawn.l2), (3, 0.2, 1.0));
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        assert!(check(&Hyperparameters { leaves: Some(16), rounds: Some(MOST_ROUNDS), ..Default::default() }).is_ok());
        let failure = check(&Hyperparameters { leaves: Some(64), ..Default::default() }).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "RequestInvalid: training.hyperparameters.leaves is 64; it must be from 2 to 16"
        );
        assert!(check(&Hyperparameters { row_share: Some(f64::NAN), ..Default::default() }).is_err());
    }

    /// A change of the draw would make the trials of one sweep, tried by two releases, another's.
    #[test]
    fn the_draw_stands_still() {
        let free = Hyperparameters::default();
        assert_eq!(draw(0, 7, &free), Parameters::DEFAULT);
        assert_eq!(draw(1, 7, &free), draw(1, 7, &free));
        assert_ne!(draw(1, 7, &free), draw(1, 8, &free));
        assert!((RATIO.powi(7) - RATIO - 1.0).abs() < 1e-12);
    }

    /// Each tenth of each dimension gets about its tenth of the trials.
    #[test]
    fn trials_fill_the_space_evenly() {
        for dimension in 0..super::DIMENSIONS {
            let mut counts = [0_u32; 10];
            (0..200).for_each(|index| counts[(shares(index, 3)[dimension] * 10.0) as usize] += 1);
            assert!(counts.iter().all(|count| (12..=30).contains(count)), "{dimension}: {counts:?}");
        }
    }

    proptest! {
        #[test]
        fn every_trial_is_within_the_bounds(index: u32, seed: u32) {
            let Parameters { leaves, learning_rate, min_leaf, column_share, row_share, l2 } =
                draw(index, seed, &Hyperparameters::default());
            let fixed = Hyperparameters {
                leaves: Some(leaves), learning_rate: Some(learning_rate), rounds: None, min_leaf: Some(min_leaf),
                column_share: Some(column_share), row_share: Some(row_share), l2: Some(l2),
            };
            prop_assert!(check(&fixed).is_ok(), "{fixed:?}");
            prop_assert_eq!(draw(index + 1, 0, &fixed), draw(0, 0, &fixed));
        }
    }
}
