//! Segments: the append-only files of a spool, numbered in the order in which they were begun.
//!
//! Only the writer appends, and only to the newest; all others are sealed. What lies in the folder when a process starts
//! was left by an earlier one and is sealed too.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

use super::line;

const EXTENSION: &str = "jsonl";

/// The segment that is being written.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    file: File,
    bytes: u64,
    begun: Instant,
}

impl Segment {
    /// Begins segment `number`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn begin(folder: &Path, number: u64) -> io::Result<Self> {
        let path = folder.join(format!("{number:016}.{EXTENSION}"));
        let file = File::options().append(true).create_new(true).open(&path)?;
        Ok(Self { path, file, bytes: 0, begun: Instant::now() })
    }

    /// Appends whole lines, all or none: what a failed write leaves is cut off again.
    ///
    /// # Errors
    /// The file cannot be written; where even the cut fails, nothing more may be appended.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), AppendError> {
        if let Err(error) = self.file.write_all(lines) {
            let torn = self.file.set_len(self.bytes).is_err();
            return Err(AppendError { error, torn });
        }
        self.bytes += lines.len() as u64;
        Ok(())
    }

    /// Bytes written.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Time since it was begun.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Ends it.
    #[must_use]
    pub fn seal(self) -> Sealed {
        Sealed { path: self.path, bytes: self.bytes }
    }
}

/// A failed write.
#[derive(Debug)]
pub struct AppendError {
    /// The cause.
    pub error: io::Error,
    /// Whether half a line may stand at the end.
    pub torn: bool,
}

/// A segment that nothing is appended to any more.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Where.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// What a segment holds.
#[derive(Debug)]
pub struct Contents<R> {
    /// Its records, in order.
    pub records: Vec<R>,
    /// Lines that are torn or were changed since.
    pub damaged: u64,
}

impl<R: DeserializeOwned> Contents<R> {
    /// Reads all that is whole of a segment's bytes.
    ///
    /// # Errors
    /// There are no more bytes to be had.
    pub fn read(bytes: impl BufRead) -> io::Result<Self> {
        let mut contents = Self { records: Vec::new(), damaged: 0 };
        for text in bytes.split(b'\n') {
            match line::body(&text?).map(serde_json::from_slice) {
                Some(Ok(record)) => contents.records.push(record),
                _ => contents.damaged += 1,
            }
        }
        Ok(contents)
    }
}

impl Sealed {
    /// Reads all that is whole.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read<R: DeserializeOwned>(&self) -> io::Result<Contents<R>> {
        Contents::read(BufReader::new(File::open(&self.path)?))
    }

    /// Waits until its bytes are on the disk.
    ///
    /// # Errors
    /// They cannot be brought there.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_data()
    }
}

/// The segments in a folder, oldest first, and the number that the next one takes.
///
/// # Errors
/// The folder cannot be made or read.
pub fn survey(folder: &Path) -> io::Result<(Vec<Sealed>, u64)> {
    fs::create_dir_all(folder)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = number(&entry.path()) {
            found.push((number, Sealed { path: entry.path(), bytes: entry.metadata()?.len() }));
        }
    }
    found.sort_by_key(|(number, _)| *number);
    let next = found.last().map_or(0, |(number, _)| number.saturating_add(1));
    Ok((found.into_iter().map(|(_, sealed)| sealed).collect(), next))
}

fn number(path: &Path) -> Option<u64> {
    let of_ours = path.extension().is_some_and(|extension| extension == EXTENSION);
    of_ours.then(|| path.file_stem()?.to_str()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{Segment, survey};
    use underwriter_servers::Folder;

    use crate::spool::line;

    fn lines(records: std::ops::Range<u32>) -> Vec<u8> {
        let mut lines = Vec::new();
        records.for_each(|record| line::append(&mut lines, &record).unwrap());
        lines
    }

    #[test]
    fn a_torn_last_line_is_skipped_and_counted() {
        let folder = Folder::new("predictor");
        let mut segment = Segment::begin(folder.path(), 7).unwrap();
        let all = lines(0..3);
        segment.append(&all[..all.len() - 4]).unwrap();
        let contents = segment.seal().read::<u32>().unwrap();
        assert_eq!((contents.records, contents.damaged), (vec![0, 1], 1));
    }

    #[test]
    fn a_later_process_finds_segments_in_order_and_goes_on_numbering() {
        let folder = Folder::new("predictor");
        for number in [10, 9] {
            let mut segment = Segment::begin(folder.path(), number).unwrap();
            segment.append(&lines(0..1)).unwrap();
        }
        std::fs::write(folder.path().join("refused.txt"), "not a segment").unwrap();
        let (found, next) = survey(folder.path()).unwrap();
        let names: Vec<_> = found.iter().map(|sealed| sealed.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["0000000000000009.jsonl", "0000000000000010.jsonl"]);
        assert_eq!(next, 11);
        assert_eq!(found[0].bytes, lines(0..1).len() as u64);
    }
}
