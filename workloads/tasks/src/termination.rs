//! The termination message: a summary cut so that it always fits.
//!
//! Kubelet cuts blindly, and half a JSON value says nothing. What is left out here stands in the artifact's report.

use underwriter_contract::summary::{Failure, MAX_BYTES, MAX_COLUMNS, Scanned, Summary, Trained};

/// The summary as JSON of at most [`MAX_BYTES`]: names of columns go first, then the ends of texts,
/// then the last of the figures.
///
/// # Errors
/// Never for a summary of this release; an error of the serializer.
pub fn message(mut summary: Summary) -> serde_json::Result<String> {
    loop {
        let text = serde_json::to_string(&summary)?;
        if text.len() <= MAX_BYTES || !shorten(&mut summary) {
            return Ok(text);
        }
    }
}

/// Leaves one thing out; false when nothing is left to leave out.
fn shorten(summary: &mut Summary) -> bool {
    match summary {
        Summary::Trained(trained) => {
            let Trained { leaking, data, metrics, .. } = &mut **trained;
            leaking.truncate(MAX_COLUMNS);
            leaking.pop().is_some() || halve(&mut data.uri) || metrics.pop().is_some()
        }
        Summary::Scanned(scanned) => {
            let Scanned { columns, report, .. } = &mut **scanned;
            columns.truncate(MAX_COLUMNS);
            columns.pop().is_some() || halve(report)
        }
        Summary::Failed(Failure { message, .. }) => halve(message),
        Summary::Skipped(skipped) => halve(&mut skipped.run),
        Summary::Tried(tried) => halve(&mut tried.run),
        Summary::Compared(compared) => compared.comparison.differences.pop().is_some() || halve(&mut compared.run),
        Summary::Mirrored(_) => false, // two numbers and a digest
    }
}

/// Keeps the first half of a text.
fn halve(text: &mut String) -> bool {
    let characters = text.chars().count();
    *text = text.chars().take(characters / 2).collect();
    characters > 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_contract::{
        Digest,
        learning::Family,
        summary::{Comparison, DataSummary, Failure, FailureReason, MAX_BYTES, Metric, MetricName, Summary, Trained},
    };

    use super::message;

    fn trained(metrics: usize, differences: usize) -> Trained {
        let metric = Metric {
            name: MetricName::AveragePrecision,
            value: 0.123_456,
            low: Some(0.101_234),
            high: Some(0.987_654),
        };
        let digest = Digest::of(b"x");
        let date = Some(jiff::civil::date(2011, 12, 1));
        Trained {
            run: "f".repeat(64),
            manifest: digest.clone(),
            data: DataSummary {
                uri: format!("s3://{}", "é".repeat(1019)),
                digest,
                rows: 123_456_789,
                from: date,
                to: date,
            },
            algorithm: Family::LogisticRegression,
            metrics: vec![metric.clone(); metrics],
            threshold: 0.123_456,
            compared_with: Some(Comparison {
                version: 12,
                rows: 1_234_567,
                reused: false,
                differences: vec![metric; differences],
            }),
            leaking: vec!["c".repeat(128); 40],
        }
    }

    #[test]
    fn a_version_says_all_its_figures_and_never_too_much() {
        let Ok(Summary::Trained(all)) =
            serde_json::from_str(&message(Summary::Trained(Box::new(trained(11, 2)))).unwrap())
        else {
            panic!("a version was trained")
        };
        assert_eq!(all.metrics.len(), 11);
        let most = message(Summary::Trained(Box::new(trained(20, 10)))).unwrap();
        assert!(most.len() <= MAX_BYTES, "{}", most.len());
    }

    proptest! {
        #[test]
        fn always_fits_and_can_be_read(text in ".{0,900}") {
            let summary = Summary::Failed(Failure::new(FailureReason::Internal, text));
            let message = message(summary).unwrap();
            prop_assert!(message.len() <= MAX_BYTES);
            prop_assert!(matches!(serde_json::from_str(&message), Ok(Summary::Failed(_))));
        }
    }
}
