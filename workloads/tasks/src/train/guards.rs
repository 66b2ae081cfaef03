//! What each column is used for: its role in the spec, and the guards that drop columns.
//!
//! A column that leaks is gone for good, whatever its role: it is not even kept in the log. One that holds nothing to
//! learn (one value only, a text of its own for nearly every loan) stays a column of the application.

pub mod names;
pub mod purity;

use std::collections::BTreeSet;

use underwriter_contract::{
    learning::{ColumnRole, Data},
    manifest::{ColumnKind, Dropped, Guard},
};

use super::{
    features::{Cells, Feature},
    loans::Loans,
    spec,
};

/// From how many loans on a text may be called unique.
const MANY: usize = 100;

/// The columns known at application, and those that a guard dropped.
#[derive(Debug, Default)]
pub struct Columns {
    /// In the order of the source, those that leak left out.
    pub features: Vec<Feature>,
    /// Which of them are learnt from, by name.
    pub learnt: BTreeSet<String>,
    /// What the guards found.
    pub dropped: Vec<Dropped>,
}

impl Columns {
    /// Reads and judges every column but label, time and ids.
    pub fn judge(loans: &Loans, data: &Data) -> Self {
        let reserved = spec::reserved(data);
        let names: Vec<&str> = loans.table.names().filter(|name| !reserved.contains(name)).collect();
        let mut columns = Self::default();
        for name in &names {
            columns.add(Feature::read(name, loans), loans, data, names.len());
        }
        columns
    }

    fn add(&mut self, feature: Feature, loans: &Loans, data: &Data, columns: usize) {
        let finding = finding(&feature, &loans.bad, columns);
        let leaks = finding.as_ref().is_some_and(|dropped| dropped.guard.leaks());
        let rule = data.columns.iter().find(|rule| rule.name == feature.name).map(|rule| rule.role);
        let admitted = matches!(rule, None | Some(ColumnRole::Feature));
        if admitted && finding.is_none() {
            self.learnt.insert(feature.name.clone());
        }
        if !leaks {
            self.features.push(feature);
        }
        self.dropped.extend(finding.filter(|_| admitted || leaks));
    }
}

/// The first guard that has something to say.
fn finding(feature: &Feature, bad: &[bool], columns: usize) -> Option<Dropped> {
    let dropped = |guard, evidence| Dropped { column: feature.name.clone(), guard, evidence };
    if names::written_later(&feature.name) {
        return Some(dropped(Guard::LeaksByName, "known to be written after the loan was granted".to_owned()));
    }
    purity::find(feature, bad, columns)
        .map(|evidence| dropped(Guard::LeaksByPurity, evidence))
        .or_else(|| constant(feature).map(|evidence| dropped(Guard::Constant, evidence)))
        .or_else(|| unique(feature).map(|evidence| dropped(Guard::Unique, evidence)))
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

fn unique(feature: &Feature) -> Option<String> {
    let Cells::Levels { names, codes } = &feature.cells else { return None };
    let filled = codes.iter().flatten().count();
    let too_many = feature.kind == ColumnKind::Category && filled > MANY && names.len() * 2 > filled;
    too_many.then(|| format!("{} different texts in {filled} loans", names.len()))
}

#[cfg(test)]
mod tests {
    use underwriter_contract::manifest::Guard;

    use super::Columns;
    use crate::train::{loans::Loans, table::Table};

    fn columns(rules: serde_json::Value) -> Columns {
        let names = ["label", "recoveries", "plain", "secret", "note", "flag", "always"];
        let row = |at: usize| {
            let bad = at.is_multiple_of(5);
            let secret = if bad { "Off".to_owned() } else { format!("{}", at % 3) };
            [
                bad.to_string(),
                "0".into(),
                (at % 7).to_string(),
                secret,
                format!("text {at}"),
                (at % 2).to_string(),
                "1".into(),
            ]
            .map(Some)
            .to_vec()
        };
        let rows: Vec<_> = (0..1000).map(row).collect();
        let data = serde_json::from_value(serde_json::json!({
            "uri": "s3://loans/", "label": {"column": "label", "bad": ["true"], "good": ["false"]}, "columns": rules,
        }))
        .unwrap();
        Columns::judge(&Loans::select(&Table::from_rows(&names, &rows), &data).unwrap(), &data)
    }

    #[test]
    fn drops_what_leaks_and_keeps_what_is_only_not_learnt() {
        let columns = columns(serde_json::json!([
            {"name": "flag", "role": "Excluded"}, {"name": "secret", "role": "Feature"},
        ]));
        let dropped: Vec<_> = columns.dropped.iter().map(|dropped| (dropped.column.as_str(), dropped.guard)).collect();
        assert_eq!(
            dropped,
            [
                ("recoveries", Guard::LeaksByName),
                ("secret", Guard::LeaksByPurity),
                ("note", Guard::Unique),
                ("always", Guard::Constant)
            ]
        );
        assert_eq!(
            columns.features.iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>(),
            ["plain", "note", "flag", "always"]
        );
        assert_eq!(columns.learnt.iter().collect::<Vec<_>>(), ["plain"]);
    }
}
