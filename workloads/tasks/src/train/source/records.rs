//! Reads the records of a CSV file one after another, and names line and fault of those that are broken.
//!
//! RFC 4180 with any line ending: a field is quoted as a whole or not at all, `""` is a quote within one. A broken
//! record costs its first line only: a quote that was never closed cannot swallow the rest of the file. Bytes that are
//! no UTF-8 are read as Windows-1252, which is what spreadsheets write. At most [`LONGEST`] and a chunk are in memory.
//! Not here: what the fields mean.

use std::io::{self, Read};

use encoding_rs::WINDOWS_1252;
use thiserror::Error;

/// Bytes of the longest record.
pub const LONGEST: usize = 1 << 20;
/// Bytes that are asked for at once.
const CHUNK: usize = 1 << 18;
/// By which some programs mark UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

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
    /// No line of a file of loans is as long.
    #[error("more than a mebibyte without an end")]
    Endless,
    /// Its bytes are no text.
    #[error("bytes that are no text (UTF-8 and Windows-1252 are read; save it as UTF-8)")]
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

/// The fields of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    text: String,
    ends: Vec<usize>,
    /// Whether its bytes were no UTF-8.
    pub recoded: bool,
}

/// How many fields a record must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Width {
    /// Columns up to the last that has a name.
    named: usize,
    /// All of them.
    all: usize,
}

/// Reads the records of a file.
#[derive(Debug)]
pub struct Records<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    line: u64,
    width: Option<Width>,
}

impl<R: Read> Records<R> {
    /// The records of a file; nothing is read yet.
    pub const fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), start: 0, ended: false, line: 1, width: None }
    }

    /// Reads the names in the first record, without surrounding blanks. A line of prose above it is passed over: one
    /// field, where the next line has more. From now on records must be as wide.
    ///
    /// # Errors
    /// When the source cannot be read; within, when the header itself is broken, for then nothing can be read.
    pub fn header(&mut self) -> io::Result<Result<Vec<String>, Broken>> {
        self.skip_mark()?;
        let mut record = Record::default();
        loop {
            match self.next(&mut record)? {
                None => return Ok(Ok(Vec::new())),
                Some(Err(broken)) => return Ok(Err(broken)),
                Some(Ok(())) if record.len() == 1 && self.fields_ahead()? > 1 => {}
                Some(Ok(())) => break,
            }
        }
        let names: Vec<String> = record.fields().map(|name| name.trim().to_owned()).collect();
        let named = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        self.width = Some(Width { named, all: names.len() });
        Ok(Ok(names))
    }

    /// Reads the next record that is not empty; none at the end. A broken one is passed by one line only.
    ///
    /// # Errors
    /// When the source cannot be read; within, when the record is broken.
    pub fn next(&mut self, record: &mut Record) -> io::Result<Option<Result<(), Broken>>> {
        loop {
            let Some(extent) = self.extent()? else { return Ok(None) };
            let (line, rest) = (self.line, &self.buffer[self.start..]);
            let read = extent.and_then(|extent| {
                record.read(&rest[..extent])?;
                self.width.map_or(Ok(extent), |width| width.check(record).map(|()| extent))
            });
            self.pass(read.unwrap_or_else(|_| first_line(rest)));
            match read {
                Ok(_) if record.is_blank() => {}
                read => return Ok(Some(read.map(drop).map_err(|fault| Broken { line, fault }))),
            }
        }
    }

    fn skip_mark(&mut self) -> io::Result<()> {
        while self.buffer.len() < MARK.len() && self.refill()? {}
        if self.buffer.starts_with(MARK) {
            self.start = MARK.len();
        }
        Ok(())
    }

    /// How many fields the record has that comes next; empty lines are passed.
    fn fields_ahead(&mut self) -> io::Result<usize> {
        let extent = loop {
            match self.extent()? {
                Some(Ok(0)) => self.pass(0),
                Some(Ok(extent)) => break extent,
                _ => return Ok(0),
            }
        };
        let mut record = Record::default();
        let read = record.read(&self.buffer[self.start..self.start + extent]);
        Ok(if read.is_ok() { record.len() } else { 0 })
    }

    /// Goes on behind the next `end` bytes and their line ending.
    fn pass(&mut self, end: usize) {
        let rest = &self.buffer[self.start..];
        self.line += line_breaks(&rest[..end]) + 1;
        self.start += end + terminator(&rest[end..]);
    }

    /// Bytes of the next record without its line ending, which is in the buffer as well.
    fn extent(&mut self) -> io::Result<Option<Result<usize, Fault>>> {
        loop {
            let rest = &self.buffer[self.start..];
            let found = match delimit(rest) {
                Scan::End(end) if end + 1 < rest.len() || self.ended => Some(Ok(end)),
                Scan::Fault(fault) if self.ended || first_line(rest) + 1 < rest.len() => Some(Err(fault)),
                Scan::Open { quoted } if self.ended => match (rest.len(), quoted) {
                    (0, _) => return Ok(None),
                    (_, true) => Some(Err(Fault::OpenQuote)),
                    (length, false) => Some(Ok(length)),
                },
                _ if rest.len() >= LONGEST => Some(Err(Fault::Endless)),
                _ => None,
            };
            if found.is_some() {
                return Ok(found);
            }
            self.refill()?;
        }
    }

    /// Reads one more chunk; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let before = self.buffer.len();
        let read = self.source.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer)?;
        self.ended = read < CHUNK;
        Ok(self.buffer.len() > before)
    }
}

impl Record {
    /// The fields, without their quotes.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }

    /// One of them; none beyond the last.
    pub fn field(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always a field")]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    fn is_blank(&self) -> bool {
        self.len() == 1 && self.text.trim().is_empty()
    }

    /// Takes the fields of a delimited record.
    fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.text.clear();
        self.ends.clear();
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                self.recoded = false;
                self.split(text);
            }
            Err(_) => {
                let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
                self.recoded = true;
                self.split(&text);
            }
        }
        if self.recoded && self.text.chars().any(is_no_text) || self.text.contains('\0') {
            return Err(Fault::Encoding);
        }
        Ok(())
    }

    fn split(&mut self, text: &str) {
        let (mut quoted, mut start) = (false, 0);
        for (at, byte) in text.bytes().enumerate() {
            quoted ^= byte == b'"';
            if byte == b',' && !quoted {
                self.add(&text[start..at]);
                start = at + 1;
            }
        }
        self.add(&text[start..]);
    }

    fn add(&mut self, field: &str) {
        match field.strip_prefix('"').and_then(|field| field.strip_suffix('"')) {
            Some(inner) if inner.contains('"') => self.text.push_str(&inner.replace("\"\"", "\"")),
            inner => self.text.push_str(inner.unwrap_or(field)),
        }
        self.ends.push(self.text.len());
    }
}

/// What no file of loans holds, but a file of another kind that is mistaken for one.
fn is_no_text(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

impl Width {
    /// Columns without a name at the end may be left out, and one separator more at the end of a line says nothing.
    fn check(self, record: &Record) -> Result<(), Fault> {
        let Self { named, all } = self;
        let trailing = record.len() == all + 1 && record.fields().last() == Some("");
        if (named..=all).contains(&record.len()) || trailing || record.is_blank() {
            return Ok(());
        }
        Err(Fault::Fields { found: record.len(), expected: named })
    }
}

/// Where in a record a byte stands.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Plain,
    Quoted,
    Closed,
}

/// What is known of the record that some bytes begin with.
enum Scan {
    /// It ends here, before its line ending.
    End(usize),
    /// It is broken.
    Fault(Fault),
    /// It goes on behind these bytes.
    Open {
        /// Within quotes.
        quoted: bool,
    },
}

/// Finds the end of the record that `bytes` begin with.
fn delimit(bytes: &[u8]) -> Scan {
    let mut place = Place::Start;
    for (at, byte) in bytes.iter().enumerate() {
        place = match (place, byte) {
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, _) | (Place::Closed, b'"') => Place::Quoted,
            (_, b'\n' | b'\r') => return Scan::End(at),
            (_, b',') => Place::Start,
            (Place::Start, b'"') => Place::Quoted,
            (Place::Plain, b'"') => return Scan::Fault(Fault::StrayQuote),
            (Place::Closed, _) => return Scan::Fault(Fault::TextAfterQuote),
            (Place::Start | Place::Plain, _) => Place::Plain,
        };
    }
    Scan::Open { quoted: matches!(place, Place::Quoted) }
}

/// The length of the line ending that `bytes` begin with.
fn terminator(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\r\n") { 2 } else { usize::from(matches!(bytes.first(), Some(b'\n' | b'\r'))) }
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::{Broken, Fault, LONGEST, Record, Records};

    /// Header, sound records and broken ones.
    type Scanned = (Vec<String>, Vec<Vec<String>>, Vec<(u64, Fault)>);

    /// Read a few bytes at a time.
    fn scan(bytes: &[u8]) -> Result<Scanned, Broken> {
        let mut records = Records::new(Dripping(bytes));
        let header = records.header().unwrap()?;
        let (mut rows, mut broken, mut record) = (Vec::new(), Vec::new(), Record::default());
        while let Some(read) = records.next(&mut record).unwrap() {
            match read {
                Ok(()) => rows.push(record.fields().map(str::to_owned).collect()),
                Err(Broken { line, fault }) => broken.push((line, fault)),
            }
        }
        Ok((header, rows, broken))
    }

    /// Gives a few bytes at a time, as a network does.
    struct Dripping<'a>(&'a [u8]);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let few = buffer.len().min(7);
            self.0.read(&mut buffer[..few])
        }
    }

    fn rows(text: &str) -> Vec<String> {
        let (_, rows, broken) = scan(text.as_bytes()).unwrap();
        assert_eq!(broken, []);
        rows.iter().map(|row| row.join("|")).collect()
    }

    #[test]
    fn reads_any_line_ending() {
        for ending in ["\n", "\r\n", "\r"] {
            let text = ["\u{feff}a,b", "1,2", "", "3,\"4,5\""].join(ending);
            assert_eq!(rows(&text), ["1|2", "3|4,5"], "{ending:?}");
            assert_eq!(rows(&format!("{text}{ending}")), ["1|2", "3|4,5"], "{ending:?}");
        }
        assert_eq!(scan(b"\xef\xbb\xbfa, \"b \"\"c\"\"\"\n").unwrap_err().fault, Fault::StrayQuote);
        assert_eq!(scan(b"\xef\xbb\xbfa,\"b \"\"c\"\", d\"\n").unwrap().0, ["a", "b \"c\", d"]);
        assert_eq!(scan(b"").unwrap(), (vec![], vec![], vec![]));
    }

    #[test]
    fn names_line_and_fault_of_what_is_broken() {
        let text = "a,b\n1,2,3\n1\n\"x\ny\",2\n1,\"2\n3,4\n5,\"6\"7\n8,9\"\n10,11\n";
        let (_, rows, broken) = scan(text.as_bytes()).unwrap();
        assert_eq!(rows, [["x\ny", "2"], ["3", "4"], ["10", "11"]]);
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
        let (_, rows, broken) = scan(b"a,b\n1,\"2\n3,4\n").unwrap();
        assert_eq!((rows, broken), (vec![vec!["3".to_owned(), "4".to_owned()]], vec![(2, Fault::OpenQuote)]));
        let endless = format!("a,b\n1,\"{}\n3,4\n", "x\n".repeat(LONGEST));
        let (_, rows, broken) = scan(endless.as_bytes()).unwrap();
        assert_eq!((rows.len(), broken[0]), (1, (2, Fault::Endless)));
    }

    #[test]
    fn reads_the_bytes_of_spreadsheets() {
        let (_, rows, broken) = scan(b"a,b\nM\xfcller,\x93x\x94\n").unwrap();
        assert_eq!((rows, broken), (vec![vec!["Müller".to_owned(), "“x”".to_owned()]], vec![]));
        assert_eq!(scan(b"a,b\n1,\xff\x01\n3,4\n").unwrap().2, [(2, Fault::Encoding)]);
        assert_eq!(scan(b"\xff\xfea\0,\0b\0\n\0").unwrap_err().fault, Fault::Encoding);
    }

    #[test]
    fn takes_separators_that_say_nothing() {
        assert_eq!(rows("a,b,\n1,2,\n3,4\n"), ["1|2|", "3|4"]);
        assert_eq!(rows("a,b\n1,2,\n3,4\n  \n"), ["1|2|", "3|4"]);
        assert_eq!(scan(b"a,b\n1,2,3\n").unwrap().2, [(2, Fault::Fields { found: 3, expected: 2 })]);
    }

    #[test]
    fn passes_over_a_line_of_prose() {
        let (header, rows, _) = scan(b"Notes offered by the lender (https://example.org)\n\na,b\n1,2\n").unwrap();
        assert_eq!((header, rows.len()), (vec!["a".to_owned(), "b".to_owned()], 1));
        assert_eq!(scan(b"a\n1\n2\n").unwrap().1, [["1"], ["2"]]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..200)) {
            let _ = scan(&bytes);
        }

        #[test]
        fn reads_what_another_writer_wrote(rows in prop::collection::vec(prop::collection::vec("[a-z ,\"\n\rü]{0,6}", 3), 0..20)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            rows.iter().for_each(|row| writer.write_record(row).unwrap());
            let (_, found, broken) = scan(&writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(broken, vec![]);
            prop_assert_eq!(found, rows);
        }
    }
}
