//! May a version decide? An ordered chain of small checks on its figures; inconclusive means hold, for a person.
//!
//! A figure is judged by the end of its interval that speaks for the version, a difference to the champion by both ends.
//! Without an interval a figure stands for itself, but a loss against the champion then proves nothing.

use underwriter_contract::summary::{Comparison, Metric, MetricName};

#[cfg(test)]
pub mod fixture;
#[cfg(test)]
mod rates;

/// A figure that a version must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// The figure.
    pub metric: MetricName,
    /// What it must reach.
    pub bound: Bound,
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// The upper end of its interval must not be below this.
    AtLeast(f64),
    /// The lower end must not be above this.
    AtMost(f64),
    /// Against the champion, on the same rows.
    VersusChampion {
        /// What the worse end may lose.
        max_loss: f64,
    },
}

/// What a chain of gates says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Nothing is against it.
    Pass,
    /// The figures do not tell: a person must.
    Hold(Reason, String),
    /// It is not good enough.
    Fail(Reason, String),
}

/// Why a gate says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A figure is below its bound.
    BelowBound,
    /// A figure is above its bound.
    AboveBound,
    /// It is worse than the champion.
    WorseThanChampion,
    /// The difference to the champion is not clear.
    DifferenceUnclear,
    /// It was not compared with the champion of now.
    NotCompared,
    /// It was compared on rows that one of the two had used.
    RowsReused,
    /// The figure was not taken.
    MetricMissing,
}

/// What is known of a version.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    /// Its figures on the test rows.
    pub metrics: &'a [Metric],
    /// How it does against the champion of now; else against one of an earlier time, where that still counts.
    pub comparison: Option<&'a Comparison>,
    /// The champion of now.
    pub champion: Option<u32>,
}

/// Asks every check; a failure weighs more than a hold, and the first of each is told.
#[must_use]
pub fn evaluate(checks: &[Check], figures: Figures<'_>) -> Verdict {
    let mut held = Verdict::Pass;
    for check in checks {
        match check.ask(figures) {
            Verdict::Pass => {}
            Verdict::Fail(reason, message) => return Verdict::Fail(reason, message),
            hold => held = if held == Verdict::Pass { hold } else { held },
        }
    }
    held
}

impl Check {
    fn ask(&self, Figures { metrics, comparison, champion }: Figures<'_>) -> Verdict {
        let figure = || metrics.iter().find(|metric| metric.name == self.metric);
        match (self.bound, champion) {
            (Bound::VersusChampion { .. }, None) => Verdict::Pass,
            (Bound::VersusChampion { max_loss }, Some(champion)) => self.compare(comparison, champion, max_loss),
            (Bound::AtLeast(bound), _) => {
                figure().map_or_else(|| self.missing(metrics), |figure| self.at_least(figure, bound))
            }
            (Bound::AtMost(bound), _) => {
                figure().map_or_else(|| self.missing(metrics), |figure| self.at_most(figure, bound))
            }
        }
    }

    fn at_least(&self, figure: &Metric, bound: f64) -> Verdict {
        let upper = figure.high.unwrap_or(figure.value);
        if upper >= bound {
            return Verdict::Pass;
        }
        let message = format!("{}: it must be at least {bound}", told(figure));
        Verdict::Fail(Reason::BelowBound, message)
    }

    fn at_most(&self, figure: &Metric, bound: f64) -> Verdict {
        let lower = figure.low.unwrap_or(figure.value);
        if lower <= bound {
            return Verdict::Pass;
        }
        let message = format!("{}: it must be at most {bound}", told(figure));
        Verdict::Fail(Reason::AboveBound, message)
    }

    /// Against another than the champion of now a loss counts, and nothing else does.
    fn compare(&self, comparison: Option<&Comparison>, champion: u32, max_loss: f64) -> Verdict {
        let verdict = comparison.map(|comparison| (comparison.version, self.judge(comparison, max_loss)));
        match verdict {
            Some((version, verdict)) if version == champion => verdict,
            Some((_, loss @ Verdict::Fail(..))) => loss,
            _ => Verdict::Hold(Reason::NotCompared, format!("it was not compared with the champion v{champion}")),
        }
    }

    fn judge(&self, comparison: &Comparison, max_loss: f64) -> Verdict {
        let Comparison { version, reused, differences, rows: _ } = comparison;
        if *reused {
            let message = format!("it was compared with v{version} on rows that one of the two had used already");
            return Verdict::Hold(Reason::RowsReused, message);
        }
        match differences.iter().find(|metric| metric.name == self.metric) {
            Some(figure) => self.difference(figure, *version, max_loss),
            None => self.not_among(differences, &format!("was not compared with v{version}")),
        }
    }

    /// `figure` is new minus champion, turned so that more is better.
    fn difference(&self, figure: &Metric, champion: u32, max_loss: f64) -> Verdict {
        let (low, high) = (figure.low.unwrap_or(figure.value), figure.high.unwrap_or(figure.value));
        let (worse, better) = if more_is_better(self.metric) { (low, high) } else { (-high, -low) };
        let message = format!("the difference to v{champion} in {}: it may lose at most {max_loss}", told(figure));
        let certain = figure.low.is_some() && figure.high.is_some();
        if worse > -max_loss {
            Verdict::Pass
        } else if better < 0.0 && certain {
            Verdict::Fail(Reason::WorseThanChampion, message)
        } else {
            Verdict::Hold(Reason::DifferenceUnclear, message)
        }
    }

    fn missing(&self, measured: &[Metric]) -> Verdict {
        self.not_among(measured, "was not measured")
    }

    fn not_among(&self, known: &[Metric], what: &str) -> Verdict {
        let names: Vec<_> = known.iter().map(|metric| name(metric.name)).collect();
        let known = if names.is_empty() { "nothing".into() } else { names.join(", ") };
        let message = format!("{} {what}, only {known}: correct promotion.gates, or decide by hand", name(self.metric));
        Verdict::Hold(Reason::MetricMissing, message)
    }
}

/// A figure with its interval.
fn told(figure: &Metric) -> String {
    let Metric { name: metric, value, low, high } = figure;
    let interval = low.zip(*high).map(|(low, high)| format!(" ({low} to {high})"));
    format!("{} is {value}{}", name(*metric), interval.unwrap_or_default())
}

/// As it is written in a gate.
fn name(metric: MetricName) -> String {
    serde_json::to_value(metric).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
}

const fn more_is_better(metric: MetricName) -> bool {
    match metric {
        MetricName::RocAuc
        | MetricName::AveragePrecision
        | MetricName::Ks
        | MetricName::Recall
        | MetricName::Precision
        | MetricName::Gini
        | MetricName::ApprovalRate
        | MetricName::Unknown => true,
        MetricName::Brier | MetricName::LogLoss | MetricName::RefusedShare | MetricName::CalibrationError => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{fixture::*, *};

    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Pass => "Pass".into(),
            Verdict::Hold(reason, _) => format!("Hold {reason:?}"),
            Verdict::Fail(reason, _) => format!("Fail {reason:?}"),
        }
    }

    const MAX_LOSS: Bound = Bound::VersusChampion { max_loss: 0.01 };

    /// What is said of a version whose difference to another is this, while v2 decides.
    fn compared(name: MetricName, difference: (f64, f64), with: u32, reused: bool) -> String {
        let comparison = comparison(with, reused, vec![metric(name, difference.0, difference.1)]);
        word(&evaluate(&[Check { metric: name, bound: MAX_LOSS }], against(2, Some(&comparison))))
    }

    #[test]
    fn the_end_of_the_interval_decides() {
        let check = |bound| Check { metric: MetricName::Recall, bound };
        let metrics = [metric(MetricName::Recall, 0.70, 0.76)];
        for (bound, expected) in [
            (Bound::AtLeast(0.76), "Pass"),
            (Bound::AtLeast(0.77), "Fail BelowBound"),
            (Bound::AtMost(0.70), "Pass"),
            (Bound::AtMost(0.69), "Fail AboveBound"),
        ] {
            assert_eq!(word(&evaluate(&[check(bound)], alone(&metrics))), expected, "{bound:?}");
        }
    }

    #[test]
    fn a_clear_difference_decides_and_an_unclear_one_holds() {
        for (difference, expected) in [
            ((0.0, 0.02), "Pass"),
            ((-0.009, 0.02), "Pass"),
            ((-0.009, -0.001), "Pass"),
            ((-0.02, 0.01), "Hold DifferenceUnclear"),
            ((-0.03, -0.01), "Fail WorseThanChampion"),
        ] {
            assert_eq!(compared(MetricName::RocAuc, difference, 2, false), expected, "{difference:?}");
        }
    }

    #[test]
    fn less_is_better_where_a_figure_is_a_loss() {
        for metric in [MetricName::Brier, MetricName::LogLoss, MetricName::RefusedShare] {
            assert_eq!(compared(metric, (-0.03, -0.02), 2, false), "Pass");
            assert_eq!(compared(metric, (0.02, 0.03), 2, false), "Fail WorseThanChampion");
            assert_eq!(compared(metric, (-0.01, 0.02), 2, false), "Hold DifferenceUnclear");
        }
        for metric in [MetricName::AveragePrecision, MetricName::Ks, MetricName::Recall, MetricName::Precision] {
            assert_eq!(compared(metric, (0.02, 0.03), 2, false), "Pass");
            assert_eq!(compared(metric, (-0.03, -0.02), 2, false), "Fail WorseThanChampion");
        }
    }

    #[test]
    fn a_loss_without_an_interval_proves_nothing_and_a_figure_without_one_stands_for_itself() {
        for (value, expected) in [(0.3, "Pass"), (-0.009, "Pass"), (-0.3, "Hold DifferenceUnclear")] {
            let comparison = comparison(2, false, vec![bare(MetricName::Ks, value)]);
            let check = Check { metric: MetricName::Ks, bound: MAX_LOSS };
            assert_eq!(word(&evaluate(&[check], against(2, Some(&comparison)))), expected, "{value}");
        }
        let metrics = [bare(MetricName::Ks, 0.3)];
        for (bound, expected) in [(Bound::AtLeast(0.3), "Pass"), (Bound::AtLeast(0.31), "Fail BelowBound")] {
            assert_eq!(word(&evaluate(&[Check { metric: MetricName::Ks, bound }], alone(&metrics))), expected);
        }
    }

    #[test]
    fn what_is_told_has_the_figure_the_bound_and_what_there_is_instead() {
        let metrics = [metric(MetricName::Recall, 0.7, 0.75)];
        let told = |metric, bound| match evaluate(&[Check { metric, bound }], alone(&metrics)) {
            Verdict::Fail(_, message) | Verdict::Hold(_, message) => message,
            Verdict::Pass => String::new(),
        };
        let below = told(MetricName::Recall, Bound::AtLeast(0.9));
        assert_eq!(below, "recall is 0.725 (0.7 to 0.75): it must be at least 0.9");
        let missing = told(MetricName::Ks, Bound::AtLeast(0.1));
        assert_eq!(missing, "ks was not measured, only recall: correct promotion.gates, or decide by hand");
    }

    #[test]
    fn what_proves_nothing_holds() {
        assert_eq!(compared(MetricName::RocAuc, (0.1, 0.2), 2, true), "Hold RowsReused");
        let check = Check { metric: MetricName::RocAuc, bound: MAX_LOSS };
        assert_eq!(word(&evaluate(&[check], against(2, None))), "Hold NotCompared");
        assert_eq!(word(&evaluate(&[check], alone(&[]))), "Pass");
        let missing = Check { metric: MetricName::Recall, bound: Bound::AtLeast(0.5) };
        assert_eq!(word(&evaluate(&[missing], alone(&[]))), "Hold MetricMissing");
    }

    #[test]
    fn against_another_than_the_champion_only_a_loss_counts() {
        for (difference, reused) in [((0.1, 0.2), false), ((-0.02, 0.01), false), ((-0.03, -0.02), true)] {
            assert_eq!(compared(MetricName::RocAuc, difference, 1, reused), "Hold NotCompared", "{difference:?}");
        }
        assert_eq!(compared(MetricName::RocAuc, (-0.03, -0.02), 1, false), "Fail WorseThanChampion");
        let other = comparison(1, false, vec![metric(MetricName::Recall, 0.1, 0.2)]);
        let check = Check { metric: MetricName::RocAuc, bound: MAX_LOSS };
        assert_eq!(word(&evaluate(&[check], against(2, Some(&other)))), "Hold NotCompared");
    }

    #[test]
    fn a_failure_weighs_more_than_a_hold_before_it() {
        let missing = Check { metric: MetricName::Ks, bound: Bound::AtLeast(0.5) };
        let low = Check { metric: MetricName::Recall, bound: Bound::AtLeast(0.9) };
        let metrics = [metric(MetricName::Recall, 0.7, 0.8)];
        assert_eq!(word(&evaluate(&[missing, low], alone(&metrics))), "Fail BelowBound");
    }
}
