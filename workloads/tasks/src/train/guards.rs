//! What each column is used for: its role in the spec, and what the guards make of it.
//!
//! A column that leaks is gone for good, whatever its role: it is not even kept in the log. One that holds nothing to
//! learn (one value only, a text of its own for nearly every loan) or tells who or where somebody is stays a column of
//! the application. Not here: whether a column ranks suspiciously well, which warns in the report.

pub mod names;
pub mod purity;
pub mod unique;
pub mod vintage;

use std::collections::BTreeSet;

use rayon::prelude::*;
use underwriter_contract::{
    learning::{ColumnRole, ColumnRule, Data, Leakage},
    manifest::{Action, ColumnKind, Finding, Guard},
    summary::{Failure, FailureReason},
};

use super::{
    features::{Cells, Feature},
    loans::Loans,
    reasons, spec,
};

/// The columns known at application, and what the guards found.
#[derive(Debug, Default)]
pub struct Columns {
    /// In the order of the source, those that leak left out.
    pub features: Vec<Feature>,
    /// Which of them are learnt from, by name.
    pub learnt: BTreeSet<String>,
    /// What the guards found.
    pub findings: Vec<Finding>,
}

impl Columns {
    /// Reads and judges every column but label, time and ids.
    ///
    /// # Errors
    /// `DataInvalid`, when a column of texts is to be monotonic.
    pub fn judge(loans: &Loans, data: &Data) -> Result<Self, Failure> {
        let reserved = spec::reserved(data);
        let names: Vec<&str> = loans.table.names().filter(|name| !reserved.contains(name)).collect();
        let judge = Judge { loans, leakage: data.leakage, columns: names.len() };
        let judged = |name: &str| {
            let rule = data.columns.iter().find(|rule| rule.name == name);
            let (feature, role) = (obedient(Feature::read(name, loans), rule)?, rule.map(|rule| rule.role));
            let finding = judge.judge(&feature, role);
            Ok((feature, role, finding))
        };
        let mut columns = Self::default();
        for (feature, role, finding) in names.into_par_iter().map(judged).collect::<Result<Vec<_>, Failure>>()? {
            columns.add(feature, role, finding);
        }
        Ok(columns)
    }

    fn add(&mut self, mut feature: Feature, role: Option<ColumnRole>, finding: Option<Finding>) {
        let action = finding.as_ref().map(|finding| finding.action);
        feature.neutral = action == Some(Action::Neutralised);
        if admitted(role) && !matches!(action, Some(Action::Dropped | Action::NotLearnt)) {
            self.learnt.insert(feature.name.clone());
        }
        if action != Some(Action::Dropped) {
            self.features.push(feature);
        }
        self.findings.extend(finding);
    }
}

/// Whether a column may be learnt from as far as its rule is concerned.
const fn admitted(role: Option<ColumnRole>) -> bool {
    matches!(role, None | Some(ColumnRole::Feature))
}

/// The feature as its rule wants it. What tells where or who somebody is never stands in a reason.
fn obedient(mut feature: Feature, rule: Option<&ColumnRule>) -> Result<Feature, Failure> {
    let ColumnRule { monotonic, reason, .. } = rule.cloned().unwrap_or_default();
    if monotonic.is_some() && feature.kind == ColumnKind::Category {
        let message = format!("column {:?} holds texts: monotonic is for numbers and dates", feature.name);
        return Err(Failure::new(FailureReason::DataInvalid, message));
    }
    feature.monotonic = monotonic;
    if names::location(&feature.name) || names::personal(&feature.name) {
        feature.reason = None;
    }
    feature.reason = reason.map(reasons::always).or(feature.reason);
    Ok(feature)
}

/// What the guards look at.
struct Judge<'a> {
    loans: &'a Loans,
    leakage: Leakage,
    columns: usize,
}

impl Judge<'_> {
    /// What there is to say against a column.
    fn judge(&self, feature: &Feature, role: Option<ColumnRole>) -> Option<Finding> {
        let look = || self.look(feature, role == Some(ColumnRole::Feature));
        self.leaks(feature).or_else(|| if admitted(role) { look() } else { None })
    }

    /// Whether a column tells the outcome.
    fn leaks(&self, feature: &Feature) -> Option<Finding> {
        let action = match self.leakage {
            Leakage::Enforce => Action::Dropped,
            Leakage::Warn => Action::Warned,
            Leakage::Disabled => return None,
        };
        let by_name = names::written_later(&feature.name)
            .then(|| (Guard::LeaksByName, "known to be written after the loan was granted".to_owned()));
        let by_purity =
            || purity::find(feature, &self.loans.bad, self.columns).map(|seen| (Guard::LeaksByPurity, seen));
        by_name.or_else(by_purity).map(|(guard, evidence)| found(feature, guard, evidence, action))
    }

    /// The first other guard that has something to say; a column that a person has chosen may be personal or unique.
    fn look(&self, feature: &Feature, chosen: bool) -> Option<Finding> {
        let not_learnt = |guard, evidence| found(feature, guard, evidence, Action::NotLearnt);
        let unchosen = || if chosen { None } else { self.unchosen(feature) };
        let by_vintage = || vintage::find(feature, self.loans.dates.as_deref()?);
        constant(feature)
            .map(|evidence| not_learnt(Guard::Constant, evidence))
            .or_else(|| unchosen().map(|(guard, evidence)| not_learnt(guard, evidence)))
            .or_else(|| by_vintage().map(|seen| found(feature, Guard::EmptyByVintage, seen, Action::Neutralised)))
    }

    /// What only a person may choose to learn from.
    fn unchosen(&self, feature: &Feature) -> Option<(Guard, String)> {
        let named = |what: &str| format!("its name says that it tells {what}; role Feature lets it be learnt from");
        if names::location(&feature.name) {
            Some((Guard::Location, named("where somebody lives")))
        } else if names::personal(&feature.name) {
            Some((Guard::Personal, named("who somebody is")))
        } else {
            unique::find(feature).map(|evidence| (Guard::Unique, evidence))
        }
    }
}

fn found(feature: &Feature, guard: Guard, evidence: String, action: Action) -> Finding {
    Finding { column: feature.name.clone(), guard, evidence, action }
}

/// One value at most; whether it is there tells the vintage, not the applicant.
fn constant(feature: &Feature) -> Option<String> {
    let only = match &feature.cells {
        Cells::Levels { names, .. } if names.len() <= 1 => names.first().cloned(),
        Cells::Numbers(numbers) => {
            let mut values = numbers.iter().filter(|number| !number.is_nan());
            let first = values.next();
            if values.any(|value| Some(value) != first) {
                return None;
            }
            first.map(f64::to_string)
        }
        Cells::Levels { .. } => return None,
    };
    Some(only.map_or_else(|| "it is always empty".to_owned(), |value| format!("it is always {value:?}, or empty")))
}

#[cfg(test)]
mod tests {
    use underwriter_contract::manifest::{Action, Guard};

    use super::Columns;
    use crate::train::{loans::Loans, table::Table};

    fn columns(change: serde_json::Value) -> Result<Columns, String> {
        let names = ["label", "recoveries", "plain", "secret", "note", "flag", "always", "age", "zip_code"];
        let row = |at: usize| {
            let secret = if at.is_multiple_of(5) { "Off".to_owned() } else { format!("{}", at % 3) };
            let plain = (at % 7).to_string();
            let cells = [at.is_multiple_of(5).to_string(), "0".into(), plain.clone(), secret, format!("text {at}")];
            let more = [(at % 2).to_string(), "1".into(), plain.clone(), format!("{plain}xx")];
            cells.into_iter().chain(more).map(Some).collect()
        };
        let rows: Vec<Vec<_>> = (0..1000).map(row).collect();
        let mut data = serde_json::json!({
            "uri": "s3://loans/", "label": {"column": "label", "bad": ["true"], "good": ["false"]},
        });
        data.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let data = serde_json::from_value(data).unwrap();
        let loans = Loans::select(&Table::from_rows(&names, &rows), &data).unwrap();
        Columns::judge(&loans, &data).map_err(|failure| failure.to_string())
    }

    fn found(columns: &Columns) -> Vec<(&str, Guard, Action)> {
        columns.findings.iter().map(|finding| (finding.column.as_str(), finding.guard, finding.action)).collect()
    }

    #[test]
    fn drops_what_leaks_and_keeps_what_is_only_not_learnt() {
        let rules = serde_json::json!([{"name": "flag", "role": "Excluded"}, {"name": "secret", "role": "Feature"}]);
        let columns = columns(serde_json::json!({"columns": rules})).unwrap();
        let expected = [
            ("recoveries", Guard::LeaksByName, Action::Dropped),
            ("secret", Guard::LeaksByPurity, Action::Dropped),
            ("note", Guard::Unique, Action::NotLearnt),
            ("always", Guard::Constant, Action::NotLearnt),
            ("age", Guard::Personal, Action::NotLearnt),
            ("zip_code", Guard::Location, Action::NotLearnt),
        ];
        assert_eq!(found(&columns), expected);
        let kept: Vec<&str> = columns.features.iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(kept, ["plain", "note", "flag", "always", "age", "zip_code"]);
        assert_eq!(columns.learnt.iter().collect::<Vec<_>>(), ["plain"]);
    }

    #[test]
    fn a_person_may_choose_what_a_guard_leaves_out_but_not_name_it_in_a_reason() {
        let rules = serde_json::json!([{"name": "age"}, {"name": "note"}, {"name": "plain", "reason": "plainly"}]);
        let columns = columns(serde_json::json!({"columns": rules})).unwrap();
        assert_eq!(columns.learnt.iter().collect::<Vec<_>>(), ["age", "flag", "note", "plain"]);
        let reason = |name: &str| {
            let feature = columns.features.iter().find(|feature| feature.name == name).unwrap();
            feature.reason.as_ref().map(|reason| reason.low.clone())
        };
        assert_eq!((reason("age"), reason("plain")), (None, Some("plainly".to_owned())));
        assert_eq!(reason("flag"), Some("flag is low".to_owned()));
    }

    #[test]
    fn leakage_can_be_a_warning_or_nobody_s_business() {
        let warned = columns(serde_json::json!({"leakage": "Warn"})).unwrap();
        assert!(found(&warned).contains(&("secret", Guard::LeaksByPurity, Action::Warned)));
        assert!(warned.learnt.contains("recoveries") && warned.learnt.contains("secret"));
        let disabled = columns(serde_json::json!({"leakage": "Disabled"})).unwrap();
        assert!(disabled.findings.iter().all(|finding| !finding.guard.leaks()) && disabled.learnt.contains("secret"));
        assert_eq!(found(&disabled)[0], ("recoveries", Guard::Constant, Action::NotLearnt));
    }

    #[test]
    fn texts_cannot_be_monotonic() {
        let rules = serde_json::json!({"columns": [{"name": "secret", "monotonic": "Increasing"}]});
        let refused = columns(rules).unwrap_err();
        assert_eq!(refused, "DataInvalid: column \"secret\" holds texts: monotonic is for numbers and dates");
    }
}
