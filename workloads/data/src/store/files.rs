//! Files of this machine, for laptops.

use std::{
    io::{self, ErrorKind, Write as _},
    path::Path,
};

use crate::store::{Entry, Location, StoreError, StoreErrorKind};

fn failed(path: &Path, error: &io::Error) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StoreErrorKind::NotFound,
        ErrorKind::PermissionDenied => StoreErrorKind::AccessDenied,
        _ => StoreErrorKind::Other,
    };
    StoreError::new(kind, path.display(), error)
}

/// The bytes of a file, or `None` where there is none.
pub(super) fn find(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let size = match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| failed(path, &error))?.len(),
    };
    if size > limit {
        return Err(StoreError::too_large(path.display(), limit));
    }
    std::fs::read(path).map(Some).map_err(|error| failed(path, &error))
}

/// Writes a file and the folders above it. It gets its name only when it is complete.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let written = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let partial = path.with_added_extension("partial");
        let mut file = std::fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)
    };
    written().map_err(|error| failed(path, &error))
}

/// The files of a folder and of those within; a file names itself, what is not there has none.
pub(super) fn list(path: &Path) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(path, &error)),
        Ok(found) if found.is_file() => entries.push(entry(path, found.len())),
        Ok(_) => collect(path, &mut entries).map_err(|error| failed(path, &error))?,
    }
    Ok(entries)
}

fn entry(path: &Path, bytes: u64) -> Entry {
    Entry { location: Location::File(path.to_owned()), bytes }
}

fn collect(folder: &Path, entries: &mut Vec<Entry>) -> io::Result<()> {
    for found in std::fs::read_dir(folder)? {
        let found = found?;
        let metadata = found.metadata()?;
        if metadata.is_dir() {
            collect(&found.path(), entries)?;
        } else if metadata.is_file() {
            entries.push(entry(&found.path(), metadata.len()));
        }
    }
    Ok(())
}
