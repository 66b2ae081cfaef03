//! How a version does on test rows of different age.
//!
//! Where it does worse the newer the rows are, the world has moved on since the fit rows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;
use underwriter_contract::summary::{Metric, MetricName, rounded};
use underwriter_model::metrics;

use super::{performance::TestRow, shares::Share};

/// More months than this are shown by quarter.
const MOST_MONTHS: usize = 24;

/// Test rows of one span of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vintage {
    /// The span: `2011-10`, or `2011 Q4`.
    pub span: String,
    /// Share that went bad; its whole is the number of rows.
    pub bad_rate: Share,
    /// Mean probability: what was expected of them.
    pub probability: f64,
    /// Area under the ROC curve, where there are both classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roc_auc: Option<Metric>,
    /// Share of the bad rows that is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<Share>,
    /// Share of the rows that is refused.
    pub refused_share: Share,
}

/// By month, or by quarter where there are many months; empty where rows have no dates.
pub fn vintages(rows: &[TestRow]) -> Vec<Vintage> {
    let months = by(rows, month);
    let spans = if months.len() > MOST_MONTHS { by(rows, quarter) } else { months };
    spans.into_iter().filter_map(|(span, rows)| vintage(span, &rows)).collect()
}

fn by(rows: &[TestRow], span: fn(Date) -> String) -> BTreeMap<String, Vec<TestRow>> {
    let mut spans: BTreeMap<String, Vec<TestRow>> = BTreeMap::new();
    for row in rows {
        if let Some(date) = row.date {
            spans.entry(span(date)).or_default().push(*row);
        }
    }
    spans
}

/// `2011-10`.
pub fn month(date: Date) -> String {
    format!("{:04}-{:02}", date.year(), date.month())
}

/// `2011 Q4`.
pub fn quarter(date: Date) -> String {
    format!("{:04} Q{}", date.year(), (date.month() + 2) / 3)
}

fn vintage(span: String, rows: &[TestRow]) -> Option<Vintage> {
    let (scores, bad): (Vec<f64>, Vec<bool>) = rows.iter().map(|row| (row.score, row.bad)).unzip();
    let probability = rows.iter().map(|row| row.probability).sum::<f64>() / rows.len() as f64;
    let area = metrics::roc_auc(&scores, &bad).map(|estimate| {
        let (low, high) = estimate.interval();
        let value = rounded(estimate.value).unwrap_or_default();
        Metric { name: MetricName::RocAuc, value, low: rounded(low), high: rounded(high) }
    });
    Some(Vintage {
        span,
        bad_rate: Share::of(bad.iter().copied())?,
        probability: rounded(probability)?,
        roc_auc: area,
        recall: Share::of(rows.iter().filter(|row| row.bad).map(|row| row.refused)),
        refused_share: Share::of(rows.iter().map(|row| row.refused))?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan as _, civil::date};

    use super::{TestRow, vintages};

    fn rows(months: i64) -> Vec<TestRow> {
        let row = |at: usize, month: i64| TestRow {
            row: at,
            date: Some(date(2010, 1, 15) + month.months()),
            score: at as f64,
            probability: 0.25,
            bad: at % 4 == 3,
            refused: at % 4 >= 2,
        };
        (0..months).flat_map(|month| (0..8).map(move |at| row(at, month))).collect()
    }

    #[test]
    fn measures_each_month_by_itself() {
        let vintages = vintages(&rows(3));
        assert_eq!(
            vintages.iter().map(|vintage| vintage.span.as_str()).collect::<Vec<_>>(),
            ["2010-01", "2010-02", "2010-03"]
        );
        let first = &vintages[0];
        assert_eq!((first.bad_rate.part, first.bad_rate.whole, first.probability), (2, 8, 0.25));
        assert_eq!((first.recall.unwrap().value, first.refused_share.value), (1.0, 0.5));
        // of 12 pairs of a bad and a good row, rows 3 and 7 are above 3 and 6
        assert_eq!(first.roc_auc.as_ref().unwrap().value, 0.75);
    }

    #[test]
    fn takes_quarters_for_many_months() {
        let spans: Vec<_> = vintages(&rows(25)).into_iter().map(|vintage| vintage.span).collect();
        assert_eq!((spans.len(), spans[0].as_str(), spans[8].as_str()), (9, "2010 Q1", "2012 Q1"));
        let undated: Vec<_> = rows(2).into_iter().map(|row| TestRow { date: None, ..row }).collect();
        assert!(vintages(&undated).is_empty());
    }
}
