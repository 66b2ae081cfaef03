//! What a version's decisions mean for protected groups, on the test rows: evidence, not a verdict.
//!
//! Nothing is learnt from these columns. Approval rates are compared with those of the largest group, as the four-fifths
//! rule does (29 CFR 1607.4 D, there with the most favoured group); where the ratio's interval lies below .8, a person
//! should look. Not here: whether a difference is justified.

use std::collections::BTreeMap;

use serde::Serialize;
use underwriter_contract::learning::{ColumnRole, Data};

use super::{
    features::{Cells, Feature},
    performance::TestRow,
    shares::{Ratio, Share},
};

/// Bands of a number.
const BANDS: usize = 4;
/// The most levels that are shown one by one.
const MOST_LEVELS: usize = 20;
/// Groups with fewer rows are not compared.
const ENOUGH: u64 = 30;
/// Of rows without a value.
const NOT_GIVEN: &str = "not given";

/// One protected column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProtectedColumn {
    /// Its name.
    pub column: String,
    /// Its levels, the most frequent first, or its bands by quarters of the rows.
    pub groups: Vec<Group>,
}

/// What decisions mean for one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The level or band.
    pub name: String,
    /// Share that went bad; its whole is the number of rows.
    pub bad_rate: Share,
    /// Share that is approved.
    pub approved: Share,
    /// Share of the bad that is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<Share>,
    /// Share of the good that is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub false_refusals: Option<Share>,
    /// Against the largest group; none for itself and for groups with too few rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versus_largest: Option<Versus>,
}

/// Ratios of a group's shares to those of the largest group.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Versus {
    /// Of the approval rates: the adverse impact ratio.
    pub approved: Option<Ratio>,
    /// Of the recalls.
    pub recall: Option<Ratio>,
    /// Of the shares of the good that are refused.
    pub false_refusals: Option<Ratio>,
}

impl Group {
    /// Whether it has enough rows for a comparison.
    pub const fn is_large_enough(&self) -> bool {
        self.bad_rate.whole >= ENOUGH
    }
}

/// Every protected column that a loan model names.
pub fn columns(features: &[Feature], data: &Data, rows: &[TestRow]) -> Vec<ProtectedColumn> {
    let rule = |name: &str| data.columns.iter().find(|rule| rule.name == name).map(|rule| rule.role);
    let protected = features.iter().filter(|feature| rule(&feature.name) == Some(ColumnRole::Protected));
    protected.map(|feature| column(feature, rows)).collect()
}

fn column(feature: &Feature, rows: &[TestRow]) -> ProtectedColumn {
    let divided = match &feature.cells {
        Cells::Numbers(numbers) => bands(numbers, rows),
        Cells::Levels { names, codes } => levels(names, codes, rows),
    };
    let groups = divided.into_iter().filter_map(|(name, rows)| group(name, &rows)).collect();
    ProtectedColumn { column: feature.name.clone(), groups }.compared()
}

fn group(name: String, rows: &[&TestRow]) -> Option<Group> {
    let refused = |bad: bool| Share::of(rows.iter().filter(|row| row.bad == bad).map(|row| row.refused));
    Some(Group {
        name,
        bad_rate: Share::of(rows.iter().map(|row| row.bad))?,
        approved: Share::of(rows.iter().map(|row| !row.refused))?,
        recall: refused(true),
        false_refusals: refused(false),
        versus_largest: None,
    })
}

impl ProtectedColumn {
    /// The group that others are compared with; rare levels taken together are none.
    pub fn largest(&self) -> Option<&Group> {
        let single = self.groups.iter().take(MOST_LEVELS).rev();
        single.max_by_key(|group| group.bad_rate.whole).filter(|group| group.is_large_enough())
    }

    fn compared(mut self) -> Self {
        if let Some(largest) = self.largest().cloned() {
            compare(&mut self.groups, &largest);
        }
        self
    }
}

fn compare(groups: &mut [Group], largest: &Group) {
    let over = |own: Option<Share>, other: Option<Share>| own.zip(other).and_then(|(own, other)| own.over(&other));
    for group in groups.iter_mut().filter(|group| group.is_large_enough() && group.name != largest.name) {
        group.versus_largest = Some(Versus {
            approved: group.approved.over(&largest.approved),
            recall: over(group.recall, largest.recall),
            false_refusals: over(group.false_refusals, largest.false_refusals),
        });
    }
}

type Divided<'a> = Vec<(String, Vec<&'a TestRow>)>;

fn levels<'a>(names: &[String], codes: &[Option<u32>], rows: &'a [TestRow]) -> Divided<'a> {
    let name = |row: &TestRow| {
        let code = codes.get(row.row).copied().flatten();
        code.and_then(|code| names.get(code as usize)).map_or(NOT_GIVEN, String::as_str)
    };
    let mut groups: BTreeMap<&str, Vec<&TestRow>> = BTreeMap::new();
    rows.iter().for_each(|row| groups.entry(name(row)).or_default().push(row));
    let mut groups: Divided = groups.into_iter().map(|(name, rows)| (name.to_owned(), rows)).collect();
    groups.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    let rare = groups.split_off(groups.len().min(MOST_LEVELS));
    if !rare.is_empty() {
        groups.push((format!("{} other values", rare.len()), rare.into_iter().flat_map(|(_, rows)| rows).collect()));
    }
    groups
}

/// Quarters of the rows that have a value; equal values stay together.
fn bands<'a>(numbers: &[f64], rows: &'a [TestRow]) -> Divided<'a> {
    let value = |row: &TestRow| numbers.get(row.row).copied().unwrap_or(f64::NAN);
    let (missing, mut filled): (Vec<&TestRow>, Vec<&TestRow>) = rows.iter().partition(|row| value(row).is_nan());
    filled.sort_by(|one, other| value(one).total_cmp(&value(other)));
    let cuts: Vec<f64> =
        (1..BANDS).filter_map(|cut| filled.get(cut * filled.len() / BANDS)).map(|row| value(row)).collect();
    let band = |row: &TestRow| cuts.partition_point(|cut| *cut <= value(row));
    let mut groups: Divided = filled
        .chunk_by(|one, other| band(one) == band(other))
        .map(|rows| (range(rows, value), rows.to_vec()))
        .collect();
    groups.extend((!missing.is_empty()).then(|| (NOT_GIVEN.to_owned(), missing)));
    groups
}

/// From the least to the greatest of sorted rows.
fn range(rows: &[&TestRow], value: impl Fn(&TestRow) -> f64) -> String {
    let ends = rows.first().zip(rows.last()).map(|(first, last)| (value(first), value(last)));
    ends.map_or_else(String::new, |(from, to)| if from == to { from.to_string() } else { format!("{from} to {to}") })
}

#[cfg(test)]
mod tests {
    use underwriter_contract::manifest::ColumnKind;

    use super::{Cells, Feature, TestRow, columns};

    /// Every fourth row is bad; of the first 100 rows half are refused, of the others a fifth.
    fn rows(count: usize) -> Vec<TestRow> {
        let refused = |row: usize| if row < 100 { row.is_multiple_of(2) } else { row.is_multiple_of(5) };
        let row =
            |row| TestRow { row, date: None, score: 0.0, probability: 0.0, bad: row % 4 == 0, refused: refused(row) };
        (0..count).map(row).collect()
    }

    fn groups(kind: ColumnKind, cells: Cells, count: usize) -> Vec<super::Group> {
        let feature = |name: &str| Feature::new(name, kind, cells.clone());
        let data = serde_json::from_value(serde_json::json!({
            "uri": "s3://loans/", "label": {"column": "status", "bad": ["Off"], "good": ["Paid"]},
            "columns": [{"name": "sex", "role": "Protected"}, {"name": "plain", "role": "Excluded"}],
        }))
        .unwrap();
        let mut columns = columns(&[feature("plain"), feature("sex")], &data, &rows(count));
        assert_eq!((columns.len(), columns[0].column.as_str()), (1, "sex"));
        columns.remove(0).groups
    }

    #[test]
    fn compares_levels_with_the_largest() {
        let code = |row: usize| if row < 100 { Some(1) } else { (row < 390).then_some(0) };
        let names = ["<b>".to_owned(), "x".to_owned()].to_vec();
        let groups = groups(ColumnKind::Category, Cells::Levels { names, codes: (0..400).map(code).collect() }, 400);
        assert_eq!(groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["<b>", "x", "not given"]);
        assert_eq!((groups[0].approved.part, groups[0].approved.whole, groups[0].versus_largest), (232, 290, None));
        let versus = groups[1].versus_largest.unwrap();
        assert_eq!((groups[1].approved.value, versus.approved.unwrap().value), (0.5, 0.625));
        // all 25 bad rows of the first hundred have even numbers
        assert_eq!((groups[1].recall.unwrap().part, groups[1].recall.unwrap().whole), (25, 25));
        assert_eq!((groups[1].false_refusals.unwrap().part, groups[1].false_refusals.unwrap().whole), (25, 75));
        assert!(!groups[2].is_large_enough() && groups[2].versus_largest.is_none());
    }

    #[test]
    fn numbers_are_divided_into_quarters() {
        let ages = (0..400).map(|row| if row % 100 == 99 { f64::NAN } else { 20.0 + (row % 40) as f64 }).collect();
        let groups = groups(ColumnKind::Number, Cells::Numbers(ages), 400);
        let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["20 to 28", "29 to 39", "40 to 48", "49 to 59", "not given"]);
        assert_eq!(groups.iter().map(|group| group.bad_rate.whole).sum::<u64>(), 400);
        assert!(super::bands(&[5.0; 400], &rows(400)).iter().all(|(name, rows)| name == "5" && rows.len() == 400));
    }
}
