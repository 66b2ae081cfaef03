//! One object of the source becomes a table: CSV or Parquet, plain or compressed, told apart by their first bytes.

use std::{io::Cursor, num::NonZeroUsize, sync::Arc};

use polars::{
    io::utils::compression::{ByteSourceReader, SupportedCompression},
    prelude::{CsvReadOptions, DataFrame, DataType, Field, ParquetReader, PolarsResult, Schema, SerReader},
};
use thiserror::Error;

use super::records::{self, Broken, Records};
use crate::train::table::Table;

/// A table, and what of its object could not be read.
#[derive(Debug)]
pub struct Part {
    /// The rows that could.
    pub table: Table,
    /// Those that could not.
    pub broken: Vec<Broken>,
}

/// Why a whole object cannot be read.
#[derive(Debug, Error)]
pub enum PartError {
    /// It is neither CSV nor Parquet, or damaged.
    #[error("is neither CSV nor Parquet, or is damaged: {0}")]
    Format(#[from] polars::error::PolarsError),
    /// Its compressed bytes end early, or are no compressed bytes.
    #[error("cannot be decompressed: {0}")]
    Compression(#[from] std::io::Error),
    /// The header of a CSV file cannot be read.
    #[error("has a header that cannot be read: {0}")]
    Header(#[from] Broken),
    /// Two columns have one name.
    #[error("has two columns named {0:?}")]
    Repeated(String),
}

/// Reads an object.
///
/// # Errors
/// When nothing of it can be read; single broken rows are counted instead.
pub fn read(bytes: &[u8]) -> Result<Part, PartError> {
    if bytes.starts_with(b"PAR1") {
        let frame = ParquetReader::new(Cursor::new(bytes)).finish()?;
        return Ok(Part { table: Table::from_frame(&frame)?, broken: Vec::new() });
    }
    let Some(compression) = SupportedCompression::check(bytes) else { return csv(bytes) };
    let mut reader = ByteSourceReader::try_new(Cursor::new(bytes), Some(compression))?;
    let (plain, _) = reader.read_next_slice(&Default::default(), usize::MAX, None)?;
    csv(&plain)
}

fn csv(bytes: &[u8]) -> Result<Part, PartError> {
    let records = records::scan(bytes)?;
    if let Some(name) = repeated(&records.header) {
        return Err(PartError::Repeated(name.clone()));
    }
    Ok(Part { table: Table::from_frame(&frame(&records)?)?, broken: records.broken })
}

fn repeated(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name))
}

/// All columns as texts: what they are is found by the code that reads requests.
fn frame(records: &Records) -> PolarsResult<DataFrame> {
    let schema: Schema = records.header.iter().map(|name| Field::new(name.into(), DataType::String)).collect();
    if records.rows == 0 {
        return Ok(DataFrame::empty_with_schema(&schema));
    }
    CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(Arc::new(schema)))
        .with_infer_schema_files(NonZeroUsize::MIN)
        .into_reader_with_file_handle(Cursor::new(records.sound.as_slice()))
        .finish()
}

#[cfg(test)]
mod tests {
    use polars::prelude::{ParquetWriter, df};
    use proptest::prelude::*;

    use super::{PartError, frame, read, records};

    #[test]
    fn reads_texts_as_they_are() {
        let part = read(b"id,when,what\n007,2011-12-01,\n1e3,,\"a, b\"\n").unwrap();
        let column = |name: &str| {
            part.table.column(name).unwrap().iter().map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(column("id"), [Some("007".to_owned()), Some("1e3".to_owned())]);
        assert_eq!(column("when"), [Some("2011-12-01".to_owned()), None]);
        assert_eq!(column("what"), [None, Some("a, b".to_owned())]);
    }

    #[test]
    fn reads_parquet_of_any_type() {
        let mut frame =
            df!("n" => [Some(1.5), None], "i" => [1i8, 2], "t" => ["a", "b"], "f" => [true, false]).unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let table = read(&bytes).unwrap().table;
        let column =
            |name: &str| table.column(name).unwrap().iter().map(|cell| cell.map(str::to_owned)).collect::<Vec<_>>();
        assert_eq!(column("n"), [Some("1.5".to_owned()), None]);
        assert_eq!(column("i"), [Some("1".to_owned()), Some("2".to_owned())]);
        assert_eq!(column("f"), [Some("true".to_owned()), Some("false".to_owned())]);
    }

    #[test]
    fn says_why_an_object_cannot_be_read() {
        assert!(matches!(read(b"a,b,a\n1,2,3\n"), Err(PartError::Repeated(name)) if name == "a"));
        assert!(matches!(read(b"PAR1 no parquet"), Err(PartError::Format(_))));
        assert!(matches!(read(b"\x1f\x8b\x08 no gzip"), Err(PartError::Compression(_))));
        assert!(matches!(read(b"\xff\xfe\n"), Err(PartError::Header(_))));
        assert_eq!(read(b"").unwrap().table.height(), 0);
        assert_eq!(read(b"a,b\n").unwrap().table.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), magic in 0..4usize) {
            let magic: &[u8] = [b"".as_slice(), b"PAR1", b"\x1f\x8b\x08\x00", b"a,b\n"][magic];
            let _ = read(&[magic, &bytes].concat());
        }

        #[test]
        fn polars_finds_the_records_that_the_scan_found(text in "[a-b,\"\n\r#' ]{0,120}") {
            if let Ok(records) = records::scan(format!("a,b\n{text}").as_bytes()) {
                prop_assert_eq!(frame(&records).unwrap().height() as u64, records.rows);
            }
        }
    }
}
