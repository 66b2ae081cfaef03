//! One value of one column, as the model reads it.
//!
//! [`read`] is the only way from text to a value: the trainer calls it on the cells of a CSV file, the server on the
//! strings of a request, so that training and serving cannot differ.

use jiff::civil::Date;
use thiserror::Error;
use underwriter_contract::manifest::ColumnKind;

use crate::parse;

/// One value of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// There is none.
    #[default]
    Missing,
    /// Of a number column, or a date's whole months before the application; always finite.
    Number(f64),
    /// Of a category, without surrounding blanks.
    Level(String),
}

/// Why a text is no value of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It does not start like a number, or is out of range.
    #[error("a number")]
    Number,
    /// It is in none of the formats that are understood.
    #[error("a date such as 2011-12-01, 2011-12 or Dec-2011")]
    Date,
    /// It is no text, or one that no database takes.
    #[error("a text without NUL characters")]
    Category,
    /// A date says nothing without the application's own.
    #[error("the application's own time as well, for a date is read as months before it")]
    ApplicationTime,
}

impl Unreadable {
    /// What a column of this kind expects.
    #[must_use]
    pub const fn of(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Number => Self::Number,
            ColumnKind::Date => Self::Date,
            ColumnKind::Category => Self::Category,
        }
    }
}

/// Reads a text as a value of a column. `application` is the date of the application, which dates are counted from.
///
/// # Errors
/// What was expected, when the text is neither missing nor readable.
pub fn read(kind: ColumnKind, text: &str, application: Option<Date>) -> Result<Value, Unreadable> {
    if parse::is_missing(text) {
        return Ok(Value::Missing);
    }
    match kind {
        ColumnKind::Number => parse::number(text).map(Value::Number).ok_or(Unreadable::Number),
        ColumnKind::Category if text.contains('\0') => Err(Unreadable::Category),
        ColumnKind::Category => Ok(Value::Level(text.trim().to_owned())),
        ColumnKind::Date => {
            let date = parse::date(text).ok_or(Unreadable::Date)?;
            let application = application.ok_or(Unreadable::ApplicationTime)?;
            Ok(Value::Number(parse::months_before(date, application)))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [ColumnKind; 3] = [ColumnKind::Number, ColumnKind::Date, ColumnKind::Category];

    #[test]
    fn each_kind_is_read_in_its_way() {
        let application = parse::date("2011-12");
        assert_eq!(read(ColumnKind::Number, "36 months", None), Ok(Value::Number(36.0)));
        assert_eq!(read(ColumnKind::Category, " RENT ", None), Ok(Value::Level("RENT".to_owned())));
        assert_eq!(read(ColumnKind::Date, "Dec-2001", application), Ok(Value::Number(120.0)));
        assert_eq!(read(ColumnKind::Date, "Dec-2001", None), Err(Unreadable::ApplicationTime));
        assert_eq!(read(ColumnKind::Date, "soon", application), Err(Unreadable::Date));
        assert_eq!(read(ColumnKind::Number, "many", application), Err(Unreadable::Number));
        assert_eq!(read(ColumnKind::Category, "a\0b", None), Err(Unreadable::Category));
        assert!(KINDS.iter().all(|kind| read(*kind, " n/a", application) == Ok(Value::Missing)));
    }

    proptest! {
        #[test]
        fn numbers_are_finite(text in any::<String>()) {
            for kind in KINDS {
                let value = read(kind, &text, parse::date("2011-12"));
                prop_assert!(!matches!(value, Ok(Value::Number(number)) if !number.is_finite()));
            }
        }
    }
}
