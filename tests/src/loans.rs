//! The example's loans, as the file has them, as applications and as outcomes.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Map, Value, json};
use underwriter_contract::predict::OutcomeReport;

/// What an application form asks, and what the credit bureau answers on that day.
const FORM: [&str; 19] = [
    "loan_amnt",
    "term",
    "purpose",
    "emp_length",
    "home_ownership",
    "annual_inc",
    "verification_status",
    "dti",
    "delinq_2yrs",
    "earliest_cr_line",
    "inq_last_6mths",
    "mths_since_last_delinq",
    "mths_since_last_record",
    "open_acc",
    "pub_rec",
    "pub_rec_bankruptcies",
    "revol_bal",
    "revol_util",
    "total_acc",
];

/// One loan of the file.
#[derive(Clone, Debug)]
pub struct Loan {
    /// Its id.
    pub id: String,
    /// Its month.
    pub month: Date,
    /// How it ended.
    pub status: String,
    cells: csv::StringRecord,
}

/// All loans of the file, oldest first.
pub struct Loans {
    header: csv::StringRecord,
    /// In order of date.
    pub rows: Vec<Loan>,
}

impl Loans {
    /// Reads the example's file.
    ///
    /// # Errors
    /// Where it is missing or is not what `examples/data/make.py` makes.
    pub fn read() -> Result<Self> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/data/lending-club-2007-2011.csv.gz");
        let file = std::fs::File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
        let header = reader.headers()?.clone();
        let column = |name: &str| header.iter().position(|column| column == name).with_context(|| format!("no {name}"));
        let (id, month, status) = (column("id")?, column("issue_d")?, column("loan_status")?);
        let loan = |cells: csv::StringRecord| -> Result<Loan> {
            Ok(Loan { id: cells[id].into(), month: cells[month].parse()?, status: cells[status].into(), cells })
        };
        let rows = reader.records().map(|cells| loan(cells?)).collect::<Result<_>>()?;
        Ok(Self { header, rows })
    }

    /// The loans from one month to before another.
    pub fn between(&self, from: Date, before: Date) -> impl Iterator<Item = &Loan> {
        self.rows.iter().filter(move |loan| from <= loan.month && loan.month < before)
    }

    /// The file with only the loans before a month, as it would have stood then, gzipped.
    ///
    /// # Errors
    /// None that memory would not have met before.
    pub fn file_before(&self, before: Date) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(GzEncoder::new(Vec::new(), Compression::fast()));
        writer.write_record(&self.header)?;
        for loan in self.rows.iter().filter(|loan| loan.month < before) {
            writer.write_record(&loan.cells)?;
        }
        let mut encoder = writer.into_inner().map_err(|error| error.into_error())?;
        encoder.flush()?;
        Ok(encoder.finish()?)
    }

    /// What is sent to `/predict` for a loan.
    #[must_use]
    pub fn application(&self, loan: &Loan) -> Value {
        let mut fields = Map::from_iter([("id".into(), json!(loan.id)), ("issue_d".into(), json!(loan.month))]);
        for (name, cell) in self.header.iter().zip(&loan.cells).filter(|(name, _)| FORM.contains(name)) {
            fields.insert(name.into(), typed(cell));
        }
        Value::Object(fields)
    }
}

/// A cell as a client would send it: numbers as numbers, nothing as null.
fn typed(cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    cell.parse::<f64>().map_or_else(|_| json!(cell), |number| json!(number))
}

impl Loan {
    /// Whether it was not paid back.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.status == "Charged Off"
    }

    /// What is sent to `/outcomes` for it. The replay takes three years for every loan.
    ///
    /// # Errors
    /// Never for the example's dates.
    pub fn outcome(&self) -> Result<OutcomeReport> {
        let observed_at: Timestamp = self.month.checked_add(3.years())?.to_zoned(TimeZone::UTC)?.timestamp();
        let source = Some("lending-club".into());
        Ok(OutcomeReport { id: self.id.clone(), outcome: self.status.clone(), observed_at, granted: true, source })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::Loans;

    #[test]
    fn the_file_is_the_one_the_story_needs() {
        let loans = Loans::read().unwrap();
        assert_eq!(loans.rows.len(), 39_786);
        assert_eq!(loans.between(date(2010, 1, 1), date(2011, 1, 1)).count(), 11_536);
        assert_eq!(loans.rows.iter().filter(|loan| loan.is_bad()).count(), 5_670);
        assert!(loans.rows.windows(2).all(|pair| pair[0].month <= pair[1].month));
    }

    #[test]
    fn an_application_holds_nothing_that_comes_later() {
        let loans = Loans::read().unwrap();
        let application = loans.application(&loans.rows[0]);
        assert_eq!(application["loan_amnt"], 7500.0);
        for later in ["loan_status", "recoveries", "total_pymnt", "int_rate"] {
            assert!(application.get(later).is_none(), "{later}");
        }
    }
}
