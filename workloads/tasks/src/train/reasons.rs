//! The texts of reasons, from the names of columns.

use underwriter_contract::manifest::{ColumnKind, ReasonText};

/// What is said of a column, in plain words as far as its name has them.
pub fn text(column: &str, kind: ColumnKind) -> ReasonText {
    let name = column.replace(['_', '.'], " ");
    let (high, low) = match kind {
        ColumnKind::Number => (format!("{name} is high"), format!("{name} is low")),
        ColumnKind::Date => (format!("{name} is long ago"), format!("{name} is recent")),
        ColumnKind::Category => {
            let riskier = format!("{name}: this value is riskier than others");
            (riskier.clone(), riskier)
        }
    };
    let missing = format!("{name} was not given");
    ReasonText { high, low, missing, unseen: format!("{name}: a value not seen before") }
}

/// The same text, whatever the value.
pub fn always(text: String) -> ReasonText {
    ReasonText { high: text.clone(), low: text.clone(), missing: text.clone(), unseen: text }
}

#[cfg(test)]
mod tests {
    use underwriter_contract::manifest::ColumnKind;

    #[test]
    fn speaks_of_the_column() {
        let text = super::text("annual_inc", ColumnKind::Number);
        assert_eq!((text.low.as_str(), text.missing.as_str()), ("annual inc is low", "annual inc was not given"));
    }
}
