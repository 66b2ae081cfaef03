//! Reads the loans: every part of the source, appended in the order of their names.
//!
//! Single rows that cannot be read are counted and reported; many of them mean that the file is not what it should be.

pub mod parts;
pub mod records;

use underwriter_contract::summary::{Failure, FailureReason};

use self::parts::NAMED;
use super::table::Table;

/// The largest share of rows that may be broken.
const MOST_BROKEN: f64 = 0.01;

/// What was read.
#[derive(Debug, Default)]
pub struct Source {
    /// Every row that can be read.
    pub table: Table,
    /// How many cannot.
    pub broken: u64,
    /// The first of those, by part, line and fault.
    pub examples: Vec<String>,
    /// Rows whose bytes are no UTF-8, and were read as Windows-1252.
    pub recoded: u64,
}

/// Reads the parts of a source, each with its name.
///
/// # Errors
/// `DataInvalid`, when a part is damaged or more than one row in a hundred is; `NotFound`, when there is no part.
pub fn read(parts: &[(String, impl AsRef<[u8]>)]) -> Result<Source, Failure> {
    let mut source = Source::default();
    for (name, bytes) in parts {
        source.add(name, bytes.as_ref())?;
    }
    source.checked()
}

impl Source {
    /// Appends a part.
    ///
    /// # Errors
    /// `DataInvalid`, when nothing of it can be read.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let invalid = |fault| Failure::new(FailureReason::DataInvalid, format_args!("{name} {fault}"));
        let part = parts::read(name, bytes).map_err(invalid)?;
        self.table.append(part.table);
        self.broken += part.broken;
        self.recoded += part.recoded;
        let room = NAMED.saturating_sub(self.examples.len());
        self.examples.extend(part.examples.iter().take(room).map(|broken| format!("{name} {broken}")));
        Ok(())
    }

    /// The source, when no more of it is broken than may be.
    ///
    /// # Errors
    /// `DataInvalid`, when more than one row in a hundred cannot be read.
    pub fn checked(self) -> Result<Self, Failure> {
        let rows = self.table.height() as u64 + self.broken;
        if self.broken as f64 > MOST_BROKEN * rows as f64 {
            let examples = self.examples.join("; ");
            let message = format!("{} of {rows} rows cannot be read, more than 1 %: {examples}", self.broken);
            return Err(Failure::new(FailureReason::DataInvalid, message));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn appends_parts_and_counts_what_is_broken() {
        let first = format!("a,b\n{}", "1,2\n".repeat(150));
        let parts = [("one.csv".to_owned(), first.as_str()), ("two.csv".to_owned(), "b,c\n3,4\n5\n")];
        let source = read(&parts).unwrap();
        assert_eq!((source.table.height(), source.broken), (151, 1));
        assert_eq!(source.examples, ["two.csv line 3: 1 fields instead of 2"]);
    }

    #[test]
    fn refuses_a_file_with_many_broken_rows() {
        let failure = read(&[("one.csv".to_owned(), "a,b\n1,2\n3\n")]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "DataInvalid: 1 of 2 rows cannot be read, more than 1 %: one.csv line 3: 1 fields instead of 2"
        );
    }
}
