//! Which values of a label mean bad and good, where they leave no doubt.

use std::collections::BTreeMap;

use underwriter_contract::summary::{Failure, FailureReason};

use crate::train::texts::Texts;

/// Pairs that mean the same to every lender.
const PLAIN: [(&[&str], &[&str]); 3] = [
    (&["Charged Off", "Default"], &["Fully Paid"]),
    (&["bad"], &["good"]),
    (&["default", "defaulted"], &["paid", "paid off"]),
];
/// Yes and no, which say something where the column's name asks for the bad.
const ASKED: [(&str, &str); 5] = [("1", "0"), ("1.0", "0.0"), ("true", "false"), ("yes", "no"), ("y", "n")];
/// Parts of the names of columns that ask for the bad.
const BAD_NAMES: [&str; 7] = ["default", "delinq", "dlq", "charged_off", "chargeoff", "not.fully.paid", "is_bad"];
/// How many values are shown.
const SHOWN: usize = 8;

/// The values that mean bad and those that mean good, as the column has them.
///
/// # Errors
/// `LabelInvalid` with the column's values, where a person must say.
pub fn find(label: &Texts) -> Result<(Vec<String>, Vec<String>), Failure> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    label.counts().for_each(|(text, count)| *counts.entry(text.trim()).or_default() += count);
    let there = |known: &[&str]| -> Vec<String> {
        let is_known = |text: &&str| known.iter().any(|known| known.eq_ignore_ascii_case(text));
        counts.keys().copied().filter(is_known).map(str::to_owned).collect()
    };
    let both = |bad: &[&str], good: &[&str]| {
        let found = (there(bad), there(good));
        (!found.0.is_empty() && !found.1.is_empty()).then_some(found)
    };
    let name = label.name().to_lowercase();
    let asks_for_bad = counts.len() == 2 && BAD_NAMES.iter().any(|part| name.contains(part));
    let plain = PLAIN.iter().find_map(|(bad, good)| both(bad, good));
    let asked = || ASKED.iter().filter(|_| asks_for_bad).find_map(|(bad, good)| both(&[bad], &[good]));
    plain.or_else(asked).ok_or_else(|| ambiguous(label.name(), counts))
}

fn ambiguous(column: &str, counts: BTreeMap<&str, usize>) -> Failure {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<String> = counts.iter().take(SHOWN).map(|(text, count)| format!("{text:?} ({count})")).collect();
    let message = format!(
        "column {column:?} has {} values, {}{}: say which are bad and which good, by --bad VALUE --good VALUE",
        counts.len(),
        shown.join(", "),
        if counts.len() > SHOWN { ", …" } else { "" }
    );
    Failure::new(FailureReason::LabelInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::train::texts::Texts;

    fn found(name: &str, values: &[&str]) -> Result<String, String> {
        let texts = Texts::new(name, values.iter().map(|value| Some(*value)));
        find(&texts).map(|(bad, good)| format!("{bad:?} {good:?}")).map_err(|failure| failure.to_string())
    }

    #[test]
    fn knows_what_is_plain() {
        let status = found("loan_status", &["Fully Paid", "Current", "Charged Off", "Default", "Fully Paid"]);
        assert_eq!(status.unwrap(), r#"["Charged Off", "Default"] ["Fully Paid"]"#);
        assert_eq!(found("Class", &["Good", "Bad"]).unwrap(), r#"["Bad"] ["Good"]"#);
        assert_eq!(found("SeriousDlqin2yrs", &["0", "1"]).unwrap(), r#"["1"] ["0"]"#);
        assert_eq!(found("default.payment.next.month", &["0", "1"]).unwrap(), r#"["1"] ["0"]"#);
    }

    #[test]
    fn asks_where_it_could_be_either() {
        let message = found("loan_status", &["0", "1", "1"]).unwrap_err();
        assert!(message.contains(r#"column "loan_status" has 2 values, "1" (2), "0" (1): say which"#), "{message}");
        assert!(found("default", &["0", "1", "2"]).is_err());
        assert!(found("fully_paid", &["0", "1"]).is_err());
        assert!(found("loan_status", &["Fully Paid", "Current"]).is_err());
    }
}
