//! What a window says as a whole: every column's test, the share that drifted, the verdict.
//!
//! The whole has drifted when at least the wanted share of the columns has (`get_dataset_drift` in Evidently's
//! `calculations/data_drift.py`). There is no verdict on too few rows, on either side.
//!
//! A column that never varied in training was not learnt; it counts from when it varies, for then the world has changed
//! in a way that the model cannot see. That it is not sent at all says nothing: nobody has to.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::Serialize;
use underwriter_contract::{
    FORMAT,
    request::{ArtifactRef, DriftRequest, FeatureTests},
    summary::{MAX_COLUMNS, Scanned, Verdict, rounded},
};

use crate::drift::{
    compare::Comparison,
    window::{Column, Window},
};

/// The most reference rows that Evidently takes for a small sample, which it tests in other ways.
const SMALL_SAMPLE: u64 = 1000;

/// What a window says as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// Every column that counts, the worst first.
    pub columns: Vec<Comparison>,
    /// Share of them that drifted.
    pub drifted_share: f64,
    /// What that means.
    pub verdict: Verdict,
}

/// The part of a summary that the window does not tell.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// When the log was read.
    pub at: Timestamp,
    /// Bad outcomes that the reference version was not trained on.
    pub new_bad: u64,
    /// Where the report is written.
    pub report: String,
}

impl Findings {
    /// Tests every column of a window against a reference of so many rows.
    #[must_use]
    pub fn new(window: &Window, reference_rows: u64, request: &DriftRequest) -> Self {
        let compare = |column: &Column| {
            let found = Comparison::new(column, reference_rows, window.rows, &request.features);
            (column.learnt || found.varies()).then_some(found)
        };
        let mut columns: Vec<_> = window.columns.iter().filter_map(compare).collect();
        columns.sort_by(worst_first);
        let drifted = columns.iter().filter(|column| column.drifted).count();
        let drifted_share = drifted as f64 / columns.len().max(1) as f64;
        let enough = window.rows >= u64::from(request.min_samples) && window.rows > 0 && reference_rows > SMALL_SAMPLE;
        let verdict = match drifted_share >= request.features.drift_share {
            _ if !enough => Verdict::TooFewSamples,
            true => Verdict::Drifted,
            false => Verdict::Quiet,
        };
        Self { columns, drifted_share, verdict }
    }

    /// As the operator is told: of the columns only the worst.
    #[must_use]
    pub fn summary(&self, window: &Window, request: &DriftRequest, circumstances: Circumstances) -> Scanned {
        let Circumstances { at, new_bad, report } = circumstances;
        Scanned {
            scan: request.scan.clone(),
            at,
            reference_version: request.reference.version,
            rows: window.rows,
            from: window.from,
            to: window.to,
            verdict: self.verdict,
            drifted_share: rounded(self.drifted_share).unwrap_or_default(),
            columns: self.columns.iter().take(MAX_COLUMNS).map(Comparison::summary).collect(),
            new_bad,
            report,
        }
    }
}

fn worst_first(left: &Comparison, right: &Comparison) -> Ordering {
    right.drifted.cmp(&left.drifted).then(right.severity().total_cmp(&left.severity()))
}

/// `report.json` of a scan: all columns, where the summary names ten.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    format: u32,
    model: &'a str,
    monitor: &'a str,
    service: &'a str,
    reference: &'a ArtifactRef,
    reference_rows: u64,
    tests: &'a FeatureTests,
    summary: &'a Scanned,
    columns: &'a [Comparison],
}

impl<'a> Report<'a> {
    /// What was asked, and what was found.
    #[must_use]
    pub fn new(request: &'a DriftRequest, reference_rows: u64, summary: &'a Scanned, findings: &'a Findings) -> Self {
        let DriftRequest { model, monitor, service, reference, features: tests, .. } = request;
        let columns = &findings.columns;
        Self { format: FORMAT, model, monitor, service, reference, reference_rows, tests, summary, columns }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use underwriter_contract::{
        Digest,
        manifest::{self, Bins, ColumnKind, Evidence, Learnt, ReasonText},
        profile::{ColumnProfile, Profile, Values},
        request::{self, FeatureTest},
    };

    use super::*;

    /// A scan of `loan-api` that wants two rows.
    pub(in crate::drift) fn request() -> DriftRequest {
        let uri = "s3://artifacts/default/consumer-loans/v1/".to_owned();
        DriftRequest {
            format: FORMAT,
            model: "default/consumer-loans".into(),
            monitor: "loan-api-drift".into(),
            scan: "loan-api-drift-1".into(),
            service: "loan-api".into(),
            reference: ArtifactRef { version: 1, run: "1".into(), uri, digest: Digest::of(b"") },
            window: request::Window { predictions: 3000 },
            min_samples: 2,
            features: FeatureTests { test: FeatureTest::Evidently, drift_share: 0.5, nulls_max_change: 0.05 },
            report: "s3://artifacts/default/reports/loan-api-drift-1/".into(),
        }
    }

    /// As it was learnt from, or not.
    fn column(name: &str, is_learnt: bool) -> manifest::Column {
        let bins = Bins { edges: Vec::new(), evidence: vec![0.0], missing: 0.0, instead: None };
        let [high, low, missing, unseen] = [const { String::new() }; 4];
        let reason = ReasonText { high, low, missing, unseen };
        let learnt = Learnt { evidence: Evidence::Bins(bins), median: None, baseline: 0.0, reason: Some(reason) };
        let learnt = is_learnt.then_some(learnt);
        manifest::Column { name: name.to_owned(), kind: ColumnKind::Number, nullable: false, learnt }
    }

    /// A window of so many rows with a learnt column that has not moved, `dti`, and three that never varied: `term`, which
    /// has moved since, `policy_code`, which has not, and `delinq_amnt`, which is not sent.
    fn find(reference_rows: u64, rows: u8, request: &DriftRequest) -> (Findings, Scanned) {
        let unlearnt = ["policy_code", "delinq_amnt", "term"].map(|name| column(name, false));
        let columns = [[column("dti", true)].as_slice(), &unlearnt].concat();
        let profile = |column: &manifest::Column| {
            let values = Values::Numbers(vec![(36.0, reference_rows)]);
            ColumnProfile { name: column.name.clone(), nulls: 0, values }
        };
        let reference =
            Profile { format: FORMAT, rows: reference_rows, columns: columns.iter().map(profile).collect() };
        let mut window = Window::new(&reference, &columns).unwrap();
        for row in 0..rows {
            let features = serde_json::json!({"dti": 36, "policy_code": 36, "term": 60});
            window.push(Timestamp::from_second(i64::from(row)).unwrap(), features.as_object().unwrap());
        }
        let findings = Findings::new(&window, reference.rows, request);
        let circumstances = Circumstances { at: Timestamp::UNIX_EPOCH, new_bad: 7, report: "s3://reports/1".into() };
        let summary = findings.summary(&window, request, circumstances);
        (findings, summary)
    }

    #[test]
    fn a_column_that_never_varied_counts_from_when_it_does() {
        let (findings, _) = find(2000, 5, &request());
        let names: Vec<_> = findings.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["term", "dti"]);
    }

    #[test]
    fn the_share_that_is_reached_counts() {
        let (findings, summary) = find(2000, 5, &request());
        assert_eq!((findings.drifted_share, findings.verdict), (0.5, Verdict::Drifted));
        let (worst, from, to) = (&summary.columns[0], summary.from.unwrap(), summary.to.unwrap());
        assert_eq!((worst.name.as_str(), worst.drifted, from.as_second(), to.as_second()), ("term", true, 0, 4));
        let mut stricter = request();
        stricter.features.drift_share = 0.51;
        assert_eq!(find(2000, 5, &stricter).0.verdict, Verdict::Quiet);
    }

    #[test]
    fn too_few_rows_on_either_side_give_no_verdict() {
        for (reference_rows, rows, verdict) in [
            (2000, 0, Verdict::TooFewSamples),
            (2000, 1, Verdict::TooFewSamples),
            (1000, 5, Verdict::TooFewSamples),
            (1001, 2, Verdict::Drifted),
        ] {
            assert_eq!(find(reference_rows, rows, &request()).0.verdict, verdict, "{reference_rows} and {rows} rows");
        }
    }

    #[test]
    fn the_report_has_every_column_that_counts() {
        let request = request();
        let (findings, summary) = find(2000, 5, &request);
        let report = serde_json::to_value(Report::new(&request, 2000, &summary, &findings)).unwrap();
        assert_eq!(report["columns"][0]["name"], "term");
        assert_eq!(report["columns"][0]["test"], "jensenShannon");
        assert_eq!(report["summary"]["newBad"], 7);
        assert_eq!(report["columns"].as_array().unwrap().len(), 2);
    }
}
