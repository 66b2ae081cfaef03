//! Weight of evidence of a value, and what the trees see of it.
//!
//! Not here: how evidence is learnt from rows.

use underwriter_contract::manifest::{Bins, ColumnKind, Evidence, Levels};

use crate::value::Value;

/// Weight of evidence of a value: of its interval, its level, or of there being none.
#[must_use]
pub fn of(evidence: &Evidence, value: &Value) -> f64 {
    match evidence {
        Evidence::Bins(bins) => of_number(bins, value),
        Evidence::Levels(levels) => of_level(levels, value),
    }
}

/// What the trees see of a value: numbers as they are (no value is not-a-number, or what stands for it), categories as
/// their evidence.
#[must_use]
pub fn feature(kind: ColumnKind, evidence: &Evidence, value: &Value) -> f64 {
    match (kind, value) {
        (ColumnKind::Category, _) => of(evidence, value),
        (_, Value::Number(number)) => *number,
        (_, Value::Missing | Value::Level(_)) => instead(evidence).unwrap_or(f64::NAN),
    }
}

const fn instead(evidence: &Evidence) -> Option<f64> {
    match evidence {
        Evidence::Bins(bins) => bins.instead,
        Evidence::Levels(_) => None,
    }
}

/// Whether a category was seen in training, however rarely.
#[must_use]
pub fn is_seen(levels: &Levels, level: &str) -> bool {
    levels.evidence.contains_key(level) || levels.rare.iter().any(|rare| rare == level)
}

fn of_number(bins: &Bins, value: &Value) -> f64 {
    let Value::Number(number) = value else { return bins.missing };
    let bin = bins.edges.partition_point(|edge| edge <= number);
    bins.evidence.get(bin).copied().unwrap_or(bins.missing)
}

fn of_level(levels: &Levels, value: &Value) -> f64 {
    match value {
        Value::Level(level) => levels.evidence.get(level).copied().unwrap_or(levels.other),
        Value::Missing | Value::Number(_) => levels.missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins() -> Evidence {
        Evidence::Bins(Bins { edges: vec![1.0, 2.0], evidence: vec![-1.0, 0.5, 2.0], missing: 0.25, instead: None })
    }

    fn levels() -> Levels {
        Levels {
            evidence: [("RENT".to_owned(), 0.5)].into(),
            rare: vec!["NONE".to_owned()],
            other: 0.125,
            missing: -0.5,
        }
    }

    #[test]
    fn a_bin_holds_its_lower_edge() {
        let expected = [(-1e9, -1.0), (0.999, -1.0), (1.0, 0.5), (1.999, 0.5), (2.0, 2.0), (1e9, 2.0)];
        for (number, evidence) in expected {
            assert_eq!(of(&bins(), &Value::Number(number)), evidence, "{number}");
        }
        assert_eq!(of(&bins(), &Value::Missing), 0.25);
    }

    #[test]
    fn rare_and_unseen_levels_share_their_evidence() {
        let evidence = Evidence::Levels(levels());
        let level = |text: &str| of(&evidence, &Value::Level(text.to_owned()));
        assert_eq!((level("RENT"), level("NONE"), level("CASTLE")), (0.5, 0.125, 0.125));
        assert_eq!(of(&evidence, &Value::Missing), -0.5);
        assert!(is_seen(&levels(), "NONE") && !is_seen(&levels(), "CASTLE"));
    }

    #[test]
    fn trees_see_numbers_as_they_are() {
        assert_eq!(feature(ColumnKind::Number, &bins(), &Value::Number(1.5)), 1.5);
        assert!(feature(ColumnKind::Date, &bins(), &Value::Missing).is_nan());
        let neutral = Evidence::Bins(Bins { edges: vec![], evidence: vec![0.0], missing: 0.0, instead: Some(3.5) });
        assert_eq!(feature(ColumnKind::Number, &neutral, &Value::Missing), 3.5);
        let evidence = Evidence::Levels(levels());
        assert_eq!(feature(ColumnKind::Category, &evidence, &Value::Level("RENT".to_owned())), 0.5);
        assert_eq!(feature(ColumnKind::Category, &evidence, &Value::Missing), -0.5);
    }
}
