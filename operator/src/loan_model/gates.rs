//! May a version decide? An ordered chain of small checks on its figures; inconclusive means hold, for a person.

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
                figure().map_or_else(|| self.missing(), |figure| self.at_least(figure, bound))
            }
            (Bound::AtMost(bound), _) => figure().map_or_else(|| self.missing(), |figure| self.at_most(figure, bound)),
        }
    }

    fn at_least(&self, figure: &Metric, bound: f64) -> Verdict {
        let upper = figure.high.unwrap_or(figure.value);
        if upper >= bound {
            return Verdict::Pass;
        }
        let message = format!("{:?} is {}, at most {upper}: below {bound}", self.metric, figure.value);
        Verdict::Fail(Reason::BelowBound, message)
    }

    fn at_most(&self, figure: &Metric, bound: f64) -> Verdict {
        let lower = figure.low.unwrap_or(figure.value);
        if lower <= bound {
            return Verdict::Pass;
        }
        let message = format!("{:?} is {}, at least {lower}: above {bound}", self.metric, figure.value);
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
            return self.missing();
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
        let message =
            format!("{:?} differs from that of v{champion} by {} ({low} to {high})", self.metric, figure.value);
        if worse > -max_loss {
            Verdict::Pass
        } else if better < 0.0 {
            Verdict::Fail(Reason::WorseThanChampion, message)
        } else {
            Verdict::Hold(Reason::DifferenceUnclear, message)
        }
    }

    fn missing(&self) -> Verdict {
        Verdict::Hold(Reason::MetricMissing, format!("{:?} was not measured", self.metric))
    }
}

const fn more_is_better(metric: MetricName) -> bool {
    !matches!(metric, MetricName::Brier | MetricName::LogLoss | MetricName::RefusedShare | MetricName::CalibrationError)
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
        assert_eq!(compared(MetricName::Brier, (-0.03, -0.02), 2, false), "Pass");
        assert_eq!(compared(MetricName::Brier, (0.02, 0.03), 2, false), "Fail WorseThanChampion");
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
