//! What the story came to, as a table.

use std::fmt;

use underwriter_crds::ModelVersion;

use super::{Facts, Worth};

/// What the story saw, and how long its steps took.
impl fmt::Display for Facts {
    fn fmt(&self, table: &mut fmt::Formatter) -> fmt::Result {
        let Self { first, quiet, drifted, second, recovered, worth, seen, times } = self;
        let Worth { loans, first: before, second: after } = worth;
        let percent = |share: f64| format!("{:.0} % of the columns drifted", 100.0 * share);
        let rows = [
            ("v1 learnt from", learnt_from(first)),
            ("2010", format!("{}: quiet", percent(quiet.drifted_share))),
            ("2011 to September", percent(drifted.drifted_share)),
            ("v2 learnt from", learnt_from(second)),
            ("rest of 2011", format!("{} against v2", percent(recovered.drifted_share))),
            ("worth of retraining", format!("ROC AUC {before:.3} → {after:.3} on {loans} later loans")),
            ("requests", format!("{}, failed: {}", seen.requests, seen.failures.len())),
        ];
        let steps = times.iter().map(|(step, time)| (*step, format!("{:.1} s", time.as_secs_f64())));
        rows.into_iter().chain(steps).try_for_each(|(name, value)| writeln!(table, "  {name:24} {value}"))
    }
}

fn learnt_from(version: &ModelVersion) -> String {
    let data = &version.spec.data;
    let newest = data.to.map(|date| format!(" up to {date}")).unwrap_or_default();
    format!("{} loans{newest}", data.rows)
}
