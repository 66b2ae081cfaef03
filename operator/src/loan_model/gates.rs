//! May a version decide? An ordered chain of small checks on its figures; inconclusive means hold, for a person.
//!
//! A figure is judged by the end of its interval that speaks for the version, a difference to the champion by both ends.
//! Without an interval a figure stands for itself, but a loss against the champion then proves nothing.

use underwriter_contract::summary::{Comparison, Metric, MetricName};
use underwriter_crds::{ModelVersion, ModelVersionSpec};

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

/// Asks every check; a failure weighs more than a hold, and the first of each is told.
#[must_use]
pub fn evaluate(checks: &[Check], version: &ModelVersionSpec, champion: Option<&ModelVersion>) -> Verdict {
    let mut held = Verdict::Pass;
    for check in checks {
        match check.ask(version, champion) {
            Verdict::Pass => {}
            Verdict::Fail(reason, message) => return Verdict::Fail(reason, message),
            hold => held = if held == Verdict::Pass { hold } else { held },
        }
    }
    held
}

impl Check {
    fn ask(&self, version: &ModelVersionSpec, champion: Option<&ModelVersion>) -> Verdict {
        let figure = || version.metrics.iter().find(|metric| metric.name == self.metric);
        match (self.bound, champion) {
            (Bound::VersusChampion { .. }, None) => Verdict::Pass,
            (Bound::VersusChampion { max_loss }, Some(champion)) => {
                self.compare(version.compared_with.as_ref(), champion.spec.version, max_loss)
            }
            (Bound::AtLeast(bound), _) => {
                figure().map_or_else(|| self.missing(&version.metrics), |figure| self.at_least(figure, bound))
            }
            (Bound::AtMost(bound), _) => {
                figure().map_or_else(|| self.missing(&version.metrics), |figure| self.at_most(figure, bound))
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

    fn compare(&self, comparison: Option<&Comparison>, champion: u32, max_loss: f64) -> Verdict {
        let not_compared =
            || Verdict::Hold(Reason::NotCompared, format!("it was not compared with the champion v{champion}"));
        let Some(comparison) = comparison else { return not_compared() };
        if comparison.reused {
            let message = "it was compared with the champion on rows that one of the two had used already";
            return Verdict::Hold(Reason::RowsReused, message.into());
        }
        let Some(figure) = comparison.differences.iter().find(|metric| metric.name == self.metric) else {
            return self.not_among(&comparison.differences, &format!("was not compared with v{}", comparison.version));
        };
        match self.difference(figure, comparison.version, max_loss) {
            Verdict::Pass if comparison.version != champion => not_compared(),
            verdict => verdict,
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
    use serde_json::json;
    use underwriter_contract::Digest;

    use super::*;

    fn version(number: u32, metrics: serde_json::Value, compared: serde_json::Value) -> ModelVersion {
        let digest = Digest::of(b"x");
        let spec = json!({
            "modelRef": {"name": "m"}, "version": number, "runId": "r", "configDigest": digest, "trigger": {"type": "Initial"},
            "artifact": {"uri": "s3://a/", "digest": digest}, "data": {"uri": "s3://d/", "digest": digest, "rows": 1},
            "algorithm": "Scorecard", "metrics": metrics, "threshold": 0.5, "comparedWith": compared,
        });
        ModelVersion::new("m", serde_json::from_value(spec).unwrap())
    }

    fn metric(name: &str, low: f64, high: f64) -> serde_json::Value {
        json!({"name": name, "value": f64::midpoint(low, high), "low": low, "high": high})
    }

    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Pass => "Pass".into(),
            Verdict::Hold(reason, _) => format!("Hold {reason:?}"),
            Verdict::Fail(reason, _) => format!("Fail {reason:?}"),
        }
    }

    fn compared(name: MetricName, difference: (f64, f64), with: u32, reused: bool) -> String {
        let key = serde_json::to_value(name).unwrap();
        let differences = [metric(key.as_str().unwrap(), difference.0, difference.1)];
        let new =
            version(3, json!([]), json!({"version": with, "rows": 9, "reused": reused, "differences": differences}));
        let check = Check { metric: name, bound: Bound::VersusChampion { max_loss: 0.01 } };
        word(&evaluate(&[check], &new.spec, Some(&version(2, json!([]), json!(null)))))
    }

    #[test]
    fn the_end_of_the_interval_decides() {
        let check = |bound| Check { metric: MetricName::Recall, bound };
        let new = version(1, json!([metric("recall", 0.70, 0.76)]), json!(null));
        for (bound, expected) in [
            (Bound::AtLeast(0.76), "Pass"),
            (Bound::AtLeast(0.77), "Fail BelowBound"),
            (Bound::AtMost(0.70), "Pass"),
            (Bound::AtMost(0.69), "Fail AboveBound"),
        ] {
            assert_eq!(word(&evaluate(&[check(bound)], &new.spec, None)), expected, "{bound:?}");
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
        let difference = |value: f64| json!({"version": 2, "rows": 9, "reused": false, "differences": [{"name": "recall", "value": value}]});
        let champion = version(2, json!([]), json!(null));
        for (value, expected) in [(0.3, "Pass"), (-0.009, "Pass"), (-0.3, "Hold DifferenceUnclear")] {
            let check = Check { metric: MetricName::Recall, bound: Bound::VersusChampion { max_loss: 0.01 } };
            let new = version(3, json!([]), difference(value));
            assert_eq!(word(&evaluate(&[check], &new.spec, Some(&champion))), expected, "{value}");
        }
        let new = version(1, json!([{"name": "ks", "value": 0.3}]), json!(null));
        for (bound, expected) in [(Bound::AtLeast(0.3), "Pass"), (Bound::AtLeast(0.31), "Fail BelowBound")] {
            assert_eq!(word(&evaluate(&[Check { metric: MetricName::Ks, bound }], &new.spec, None)), expected);
        }
    }

    #[test]
    fn what_is_told_has_the_figure_the_bound_and_what_there_is_instead() {
        let new = version(1, json!([metric("recall", 0.7, 0.75)]), json!(null));
        let told = |metric, bound| match evaluate(&[Check { metric, bound }], &new.spec, None) {
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
        assert_eq!(compared(MetricName::RocAuc, (0.1, 0.2), 1, false), "Hold NotCompared");
        let check = Check { metric: MetricName::RocAuc, bound: Bound::VersusChampion { max_loss: 0.01 } };
        let alone = version(3, json!([]), json!(null));
        assert_eq!(word(&evaluate(&[check], &alone.spec, Some(&alone))), "Hold NotCompared");
        assert_eq!(word(&evaluate(&[check], &alone.spec, None)), "Pass");
        let missing = Check { metric: MetricName::Recall, bound: Bound::AtLeast(0.5) };
        assert_eq!(word(&evaluate(&[missing], &alone.spec, None)), "Hold MetricMissing");
    }

    #[test]
    fn a_failure_weighs_more_than_a_hold_before_it() {
        let missing = Check { metric: MetricName::Ks, bound: Bound::AtLeast(0.5) };
        let low = Check { metric: MetricName::Recall, bound: Bound::AtLeast(0.9) };
        let new = version(1, json!([metric("recall", 0.7, 0.8)]), json!(null));
        assert_eq!(word(&evaluate(&[missing, low], &new.spec, None)), "Fail BelowBound");
    }
}
