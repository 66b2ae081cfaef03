//! Finds the records of a CSV file and sets the broken ones aside, each with its line and its fault.
//!
//! RFC 4180 with any line ending: a field is quoted as a whole or not at all, `""` is a quote within one. A broken
//! record costs its first line only: a quote that was never closed cannot swallow the rest of the file.
//! Not here: what the fields mean. The sound records go on to polars.

use thiserror::Error;

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// It has another number of fields than the header.
    #[error("{found} fields instead of {expected}")]
    Fields {
        /// In this record.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// A quote opens inside of a field.
    #[error("a quote inside of a field that is not quoted")]
    StrayQuote,
    /// A quoted field goes on behind its closing quote.
    #[error("text behind a closing quote")]
    TextAfterQuote,
    /// A quote is never closed.
    #[error("a quote that is never closed")]
    OpenQuote,
    /// Its bytes are no text.
    #[error("bytes that are not UTF-8")]
    Encoding,
}

/// A record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct Broken {
    /// Its first line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// The records of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The names in the first record.
    pub header: Vec<String>,
    /// The sound records below it, each ending in one `\n`.
    pub sound: Vec<u8>,
    /// How many those are.
    pub rows: u64,
    /// The others.
    pub broken: Vec<Broken>,
}

/// Divides a file into sound and broken records; empty lines are neither.
///
/// # Errors
/// When the header itself is broken, for then nothing can be read.
pub fn scan(bytes: &[u8]) -> Result<Records, Broken> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = Lines { bytes, start: 0, line: 1 };
    let Some((_, header)) = lines.next_record(None) else { return Ok(Records::default()) };
    let header = fields(header?);
    let mut records = Records { sound: Vec::with_capacity(bytes.len()), header, ..Records::default() };
    while let Some((_, record)) = lines.next_record(Some(records.header.len())) {
        records.add(record);
    }
    Ok(records)
}

impl Records {
    fn add(&mut self, record: Result<&str, Broken>) {
        match record {
            Ok("") => {}
            Ok(text) => {
                self.rows += 1;
                self.sound.extend_from_slice(text.as_bytes());
                self.sound.push(b'\n');
            }
            Err(broken) => self.broken.push(broken),
        }
    }
}

/// What is left of a file.
struct Lines<'a> {
    bytes: &'a [u8],
    start: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    /// The next record and its line; a broken one is passed by one line only.
    fn next_record(&mut self, expected: Option<usize>) -> Option<(u64, Result<&'a str, Broken>)> {
        let rest = self.bytes.get(self.start..).filter(|rest| !rest.is_empty())?;
        let line = self.line;
        let record = delimit(rest).and_then(|extent| Ok((extent, text(rest, extent, expected)?)));
        let (end, result) = match record {
            Ok((extent, text)) => (extent.end, Ok(text)),
            Err(fault) => (first_line(rest), Err(Broken { line, fault })),
        };
        self.start += end + terminator(&rest[end..]);
        self.line += line_breaks(&rest[..end]) + 1;
        Some((line, result))
    }
}

/// Where a record ends (without its line ending), and its number of fields.
#[derive(Clone, Copy)]
struct Extent {
    end: usize,
    fields: usize,
}

/// Where in a record a byte stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Plain,
    Quoted,
    Closed,
}

/// Finds the end of the record that `bytes` begin with.
fn delimit(bytes: &[u8]) -> Result<Extent, Fault> {
    let (mut place, mut fields) = (Place::Start, 1);
    for (at, byte) in bytes.iter().enumerate() {
        place = match (place, byte) {
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, _) | (Place::Closed, b'"') => Place::Quoted,
            (_, b'\n' | b'\r') => return Ok(Extent { end: at, fields }),
            (_, b',') => {
                fields += 1;
                Place::Start
            }
            (Place::Start, b'"') => Place::Quoted,
            (Place::Plain, b'"') => return Err(Fault::StrayQuote),
            (Place::Closed, _) => return Err(Fault::TextAfterQuote),
            (Place::Start | Place::Plain, _) => Place::Plain,
        };
    }
    match place {
        Place::Quoted => Err(Fault::OpenQuote),
        _ => Ok(Extent { end: bytes.len(), fields }),
    }
}

/// The text of a record with as many fields as are expected.
fn text(bytes: &[u8], extent: Extent, expected: Option<usize>) -> Result<&str, Fault> {
    let text = std::str::from_utf8(&bytes[..extent.end]).map_err(|_| Fault::Encoding)?;
    match expected {
        Some(expected) if extent.fields != expected && !text.is_empty() => {
            Err(Fault::Fields { found: extent.fields, expected })
        }
        _ => Ok(text),
    }
}

/// The length of the line ending that `bytes` begin with.
fn terminator(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\r\n") { 2 } else { usize::from(!bytes.is_empty()) }
}

/// The length of the first line.
fn first_line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len())
}

/// Line breaks within a record: `\n`, `\r\n` or a bare `\r`.
fn line_breaks(record: &[u8]) -> u64 {
    let bare = |pair: &[u8]| pair[0] == b'\r' && pair[1] != b'\n';
    let newlines = record.iter().filter(|byte| **byte == b'\n').count();
    (newlines + record.windows(2).filter(|pair| bare(pair)).count()) as u64
}

/// The fields of a sound record, without quotes and surrounding blanks.
fn fields(record: &str) -> Vec<String> {
    let mut quoted = false;
    let separator = |character: char| {
        quoted ^= character == '"';
        character == ',' && !quoted
    };
    record.split(separator).map(|field| unquoted(field).trim().to_owned()).collect()
}

fn unquoted(field: &str) -> String {
    let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
    inner.map_or_else(|| field.to_owned(), |inner| inner.replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fault, scan};

    fn sound(text: &str) -> (String, Vec<(u64, Fault)>) {
        let records = scan(text.as_bytes()).unwrap();
        let broken = records.broken.iter().map(|broken| (broken.line, broken.fault)).collect();
        (String::from_utf8(records.sound).unwrap(), broken)
    }

    #[test]
    fn reads_any_line_ending() {
        for ending in ["\n", "\r\n", "\r"] {
            let text = ["\u{feff}a,b", "1,2", "", "3,\"4,5\""].join(ending);
            assert_eq!(sound(&text), ("1,2\n3,\"4,5\"\n".to_owned(), vec![]), "{ending:?}");
        }
        assert_eq!(scan(b"\xef\xbb\xbfa, \"b \"\"c\"\"\"\n").unwrap_err().fault, Fault::StrayQuote);
        assert_eq!(scan(b"\xef\xbb\xbfa,\"b \"\"c\"\", d\"\n").unwrap().header, ["a", "b \"c\", d"]);
    }

    #[test]
    fn names_line_and_fault_of_what_is_broken() {
        let text = "a,b\n1,2,3\n1\n\"x\ny\",2\n1,\"2\n3,4\n5,\"6\"7\n8,9\"\n10,11\n";
        let (sound, broken) = sound(text);
        assert_eq!(sound, "\"x\ny\",2\n3,4\n10,11\n");
        let fields = |found| Fault::Fields { found, expected: 2 };
        // line 6 opens a quote that line 8 seems to close
        let expected = [
            (2, fields(3)),
            (3, fields(1)),
            (6, Fault::TextAfterQuote),
            (8, Fault::TextAfterQuote),
            (9, Fault::StrayQuote),
        ];
        assert_eq!(broken, expected);
    }

    #[test]
    fn loses_one_line_to_a_quote_that_is_never_closed() {
        assert_eq!(sound("a,b\n1,\"2\n3,4\n"), ("3,4\n".to_owned(), vec![(2, Fault::OpenQuote)]));
    }

    #[test]
    fn counts_bytes_that_are_no_text() {
        let records = scan(b"a,b\n1,\xff\n3,4\n").unwrap();
        assert_eq!((records.rows, records.broken[0].line, records.broken[0].fault), (1, 2, Fault::Encoding));
        assert!(scan(b"\xff\xfe\n").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..200)) {
            if let Ok(records) = scan(&bytes) {
                let again = scan(&[b"h\n".as_slice(), &records.sound].concat());
                prop_assert!(again.is_ok());
            }
        }

        #[test]
        fn keeps_every_sound_record(rows in proptest::collection::vec("[a-z ,\"\n\r]{0,8}", 0..20)) {
            let quoted = |text: &String| format!("\"{}\",x\n", text.replace('"', "\"\""));
            let body: String = rows.iter().map(quoted).collect();
            let records = scan(format!("a,b\n{body}").as_bytes()).unwrap();
            prop_assert_eq!(records.broken, vec![]);
            prop_assert_eq!(records.rows, rows.len() as u64);
            prop_assert_eq!(records.sound, body.as_bytes());
        }
    }
}
