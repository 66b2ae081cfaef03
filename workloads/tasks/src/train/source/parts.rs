//! One object of the source becomes a table: CSV or Parquet, plain or packed, told apart by their first bytes.
//!
//! CSV is unpacked and read in one pass, a record at a time; Parquet column by column. The object's own bytes are in
//! memory, what they unpack to never is.

use std::{
    io::{self, Cursor, Read},
    panic::{AssertUnwindSafe, catch_unwind},
};

use flate2::read::MultiGzDecoder;
use polars::{
    error::PolarsError,
    prelude::{DataType, ParquetReader, PolarsResult, SerReader as _},
};
use rayon::prelude::*;
use thiserror::Error;
use zip::{ZipArchive, result::ZipError};

use super::records::{Broken, Record, Records};
use crate::train::{
    table::Table,
    texts::{Builder, Texts},
};

/// How many broken rows of a part are named.
pub const NAMED: usize = 5;
/// What is packed more often than this is no data.
const LAYERS: usize = 2;

/// A table, and what of its object could not be read.
#[derive(Debug, Default)]
pub struct Part {
    /// The rows that could.
    pub table: Table,
    /// How many could not.
    pub broken: u64,
    /// The first of those.
    pub examples: Vec<Broken>,
    /// Rows whose bytes are no UTF-8, and were read as Windows-1252.
    pub recoded: u64,
}

/// Why a whole object cannot be read.
#[derive(Debug, Error)]
pub enum PartError {
    /// Parquet that is damaged, or holds what is no value of a loan.
    #[error("is Parquet that cannot be read: {0}")]
    Parquet(#[from] PolarsError),
    /// A library met what it did not expect.
    #[error("is Parquet that is damaged")]
    Damaged,
    /// Its compressed bytes end early, or are no compressed bytes.
    #[error("cannot be decompressed: {0}")]
    Compression(#[from] io::Error),
    /// A zip archive that is damaged.
    #[error("is a zip archive that cannot be read: {0}")]
    Archive(#[from] ZipError),
    /// A zip archive must hold one file of loans.
    #[error("is a zip archive of {}: put the one with the loans into an archive of its own", listed(.0))]
    Members(Vec<String>),
    /// The header of a CSV file cannot be read.
    #[error("has a header that cannot be read: {0}")]
    Header(#[from] Broken),
    /// Two columns have one name.
    #[error("has two columns named {0:?}: rename or remove one of them")]
    Repeated(String),
}

/// What the first bytes of an object tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Parquet,
    Zip,
    Gzip,
    Zstd,
    Csv,
}

impl Format {
    fn of(bytes: &[u8]) -> Self {
        let known: [(&[u8], Self); 4] = [
            (b"PAR1", Self::Parquet),
            (b"PK\x03\x04", Self::Zip),
            (b"\x1f\x8b", Self::Gzip),
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
        ];
        known.iter().find(|(magic, _)| bytes.starts_with(magic)).map_or(Self::Csv, |(_, format)| *format)
    }
}

/// Reads an object. Of a zip archive with several files, the one is read whose name the object has.
///
/// # Errors
/// When nothing of it can be read; single broken rows are counted instead.
pub fn read(name: &str, bytes: &[u8]) -> Result<Part, PartError> {
    match Format::of(bytes) {
        Format::Zip => {
            let mut archive = ZipArchive::new(Cursor::new(bytes))?;
            let member = member(&archive, name)?;
            packed(Box::new(archive.by_index(member)?), LAYERS)
        }
        Format::Parquet => parquet(bytes),
        _ => packed(Box::new(bytes), LAYERS),
    }
}

/// Reads what may still be packed.
fn packed<'a>(mut source: Box<dyn Read + 'a>, layers: usize) -> Result<Part, PartError> {
    let mut head = Vec::new();
    source.by_ref().take(4).read_to_end(&mut head)?;
    let format = Format::of(&head);
    let mut source: Box<dyn Read + 'a> = Box::new(Cursor::new(head).chain(source));
    match format {
        Format::Gzip if layers > 0 => packed(Box::new(MultiGzDecoder::new(source)), layers - 1),
        Format::Zstd if layers > 0 => packed(Box::new(zstd::Decoder::new(source)?), layers - 1),
        Format::Parquet => {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes)?;
            parquet(&bytes)
        }
        _ => csv(source),
    }
}

/// The only file of an archive, or the one that has the object's own name; marks of other programs are no files.
fn member(archive: &ZipArchive<Cursor<&[u8]>>, object: &str) -> Result<usize, PartError> {
    let files: Vec<&str> = archive.file_names().filter(|name| is_file(name)).collect();
    let stem = last(object).trim_end_matches(".zip");
    let wanted = match files.as_slice() {
        [only] => Some(*only),
        several => several.iter().find(|name| last(name) == stem).copied(),
    };
    let found = wanted.and_then(|name| archive.index_for_name(name));
    found.ok_or_else(|| PartError::Members(files.into_iter().map(str::to_owned).collect()))
}

fn is_file(name: &str) -> bool {
    !name.ends_with('/') && !name.starts_with("__MACOSX/") && !last(name).starts_with(['.', '_'])
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn listed(names: &[String]) -> String {
    const FIRST: usize = 5;
    let first = names.iter().take(FIRST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.is_empty() { "no files".to_owned() } else { format!("{} files ({first})", names.len()) }
}

fn csv(source: impl Read) -> Result<Part, PartError> {
    let mut records = Records::new(source);
    let header = records.header()??;
    if let Some(name) = repeated(&header) {
        return Err(PartError::Repeated(name.clone()));
    }
    let (mut part, mut gathered) = (Part::default(), Gathered::of(header.len()));
    while let Some(read) = records.next(gathered.next())? {
        match read {
            Ok(()) => part.recoded += u64::from(gathered.add()),
            Err(broken) => part.note(broken),
        }
    }
    part.table = gathered.table(header);
    Ok(part)
}

/// Columns that grow by some rows at a time, one column after the other: what a column has learnt of its texts stays in the
/// processor's cache meanwhile.
struct Gathered {
    columns: Vec<Builder>,
    waiting: Vec<Record>,
    rows: usize,
}

impl Gathered {
    /// Rows that wait for each other.
    const TOGETHER: usize = 4096;

    fn of(columns: usize) -> Self {
        let columns = (0..columns).map(|_| Builder::default()).collect();
        Self { columns, waiting: vec![Record::default(); Self::TOGETHER], rows: 0 }
    }

    /// Where the next row is to be read to.
    fn next(&mut self) -> &mut Record {
        &mut self.waiting[self.rows % Self::TOGETHER]
    }

    /// Adds the row that was read there; whether its bytes were no UTF-8.
    fn add(&mut self) -> bool {
        let recoded = self.next().recoded;
        self.rows += 1;
        if self.rows.is_multiple_of(Self::TOGETHER) {
            self.pass(Self::TOGETHER);
        }
        recoded
    }

    /// The rows that have waited enter the columns.
    fn pass(&mut self, rows: usize) {
        let waiting = &self.waiting[..rows];
        self.columns.par_iter_mut().enumerate().for_each(|(at, column)| {
            waiting.iter().for_each(|record| column.push(record.field(at)));
        });
    }

    fn table(mut self, header: Vec<String>) -> Table {
        self.pass(self.rows % Self::TOGETHER);
        table(self.columns, header, self.rows)
    }
}

/// A column without a name is left out: no application could be asked for it.
fn table(columns: Vec<Builder>, header: Vec<String>, rows: usize) -> Table {
    let named = columns.into_iter().zip(header).filter(|(_, name)| !name.is_empty());
    Table::new(named.map(|(column, name)| column.finish(name)).collect(), rows)
}

impl Part {
    fn note(&mut self, broken: Broken) {
        self.broken += 1;
        if self.examples.len() < NAMED {
            self.examples.push(broken);
        }
    }
}

fn repeated(names: &[String]) -> Option<&String> {
    let again = |(at, name): (usize, &'_ String)| !name.is_empty() && names[..at].contains(name);
    names.iter().enumerate().find(|(at, name)| again((*at, name))).map(|(_, name)| name)
}

/// All columns as texts: what they are is found by the code that reads requests. A damaged file may send the library into
/// a panic, which says no more than that it is damaged.
fn parquet(bytes: &[u8]) -> Result<Part, PartError> {
    let read = || -> PolarsResult<Table> {
        let schema = ParquetReader::new(Cursor::new(bytes)).schema()?;
        let columns: Vec<Texts> =
            schema.iter_names().map(|name| column(bytes, name.as_str())).collect::<PolarsResult<_>>()?;
        let rows = columns.first().map_or(0, |column| column.iter().len());
        Ok(Table::new(columns, rows))
    };
    let table = catch_unwind(AssertUnwindSafe(read)).map_err(|_| PartError::Damaged)??;
    Ok(Part { table, ..Part::default() })
}

/// Every cell of one column as text; of a moment, its day.
fn column(bytes: &[u8], name: &str) -> PolarsResult<Texts> {
    let reader = ParquetReader::new(Cursor::new(bytes)).with_columns(Some(vec![name.to_owned()]));
    let frame = reader.finish()?;
    let column = frame.column(name)?;
    let column = match column.dtype() {
        DataType::Datetime(..) => column.cast(&DataType::Date)?,
        _ => column.clone(),
    };
    let texts = column.strict_cast(&DataType::String)?;
    Ok(Texts::new(name, texts.str()?.iter()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use polars::prelude::{ParquetWriter, df};
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::{Part, PartError, read};

    const LOANS: &str = "id,when,what\n007,2011-12-01,\n1e3,,\"a, b\"\n";

    fn cells(part: &Part, name: &str) -> Vec<Option<String>> {
        part.table.column(name).unwrap().iter().map(|cell| cell.map(str::to_owned)).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn reads_texts_as_they_are() {
        let part = read("a.csv", LOANS.as_bytes()).unwrap();
        assert_eq!(cells(&part, "id"), [Some("007".to_owned()), Some("1e3".to_owned())]);
        assert_eq!(cells(&part, "when"), [Some("2011-12-01".to_owned()), None]);
        assert_eq!(cells(&part, "what"), [None, Some("a, b".to_owned())]);
    }

    #[test]
    fn reads_what_is_packed_whatever_its_name() {
        let twice = [gzip(&LOANS.as_bytes()[..20]), gzip(&LOANS.as_bytes()[20..])].concat();
        let (zstd, zip) = (zstd::encode_all(LOANS.as_bytes(), 1).unwrap(), archive(&[("b.csv", LOANS.as_bytes())]));
        let nested = archive(&[("b.csv.gz", &twice), ("__MACOSX/b.csv.gz", b"x"), (".mark", b"")]);
        let several = archive(&[("other.csv", b"x\n1\n"), ("folder/a.csv", LOANS.as_bytes())]);
        for bytes in [&twice, &zstd, &zip, &nested, &several] {
            assert_eq!(cells(&read("s3://loans/a.csv", bytes).unwrap(), "id").len(), 2);
        }
    }

    #[test]
    fn reads_parquet_of_any_type() {
        let mut frame =
            df!("n" => [Some(1.5), None], "i" => [1i8, 2], "t" => ["a", "b"], "f" => [true, false]).unwrap();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        for part in [read("a", &bytes).unwrap(), read("a", &gzip(&bytes)).unwrap()] {
            assert_eq!(cells(&part, "n"), [Some("1.5".to_owned()), None]);
            assert_eq!(cells(&part, "i"), [Some("1".to_owned()), Some("2".to_owned())]);
            assert_eq!(cells(&part, "f"), [Some("true".to_owned()), Some("false".to_owned())]);
        }
    }

    #[test]
    fn leaves_out_columns_without_a_name() {
        let part = read("a", b",a,,b,\n1,2,3,4,\n1,2,3,4\n").unwrap();
        assert_eq!((part.table.names().collect::<Vec<_>>(), part.broken), (vec!["a", "b"], 0));
        assert_eq!(cells(&part, "b"), [Some("4".to_owned()), Some("4".to_owned())]);
    }

    #[test]
    fn says_why_an_object_cannot_be_read() {
        assert!(matches!(read("a", b"a,b,a\n1,2,3\n"), Err(PartError::Repeated(name)) if name == "a"));
        assert!(matches!(read("a", b"PAR1 no parquet"), Err(PartError::Parquet(_))));
        assert!(matches!(read("a", b"\x1f\x8b\x08 no gzip"), Err(PartError::Compression(_))));
        assert!(matches!(read("a", &gzip(LOANS.as_bytes())[..30]), Err(PartError::Compression(_))));
        assert!(matches!(read("a", b"\x28\xb5\x2f\xfd no zstd"), Err(PartError::Compression(_))));
        assert!(matches!(read("a", b"PK\x03\x04 no zip"), Err(PartError::Archive(_))));
        assert!(matches!(read("a", b"\xff\xfea\0\n\0"), Err(PartError::Header(_))));
        let members = read("a", &archive(&[("b.csv", b"x\n"), ("c.csv", b"x\n")])).unwrap_err().to_string();
        assert!(members.contains("2 files (b.csv, c.csv)"), "{members}");
        assert_eq!(read("a", b"").unwrap().table.height(), 0);
        assert_eq!(read("a", b"a,b\n").unwrap().table.names().collect::<Vec<_>>(), ["a", "b"]);
    }
}
