//! Where an object or a folder of objects is.

use std::{fmt, path::PathBuf, str::FromStr};

/// An object, or a folder when it ends in `/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    /// `s3://bucket/key`.
    S3 {
        /// The bucket.
        bucket: String,
        /// The key, without a leading slash; empty for the bucket as a whole.
        key: String,
    },
    /// `file:///path`, or just a path: laptop use.
    File(PathBuf),
}

/// A text that names no place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no location: expected s3://bucket/key, file:///path or a path")]
pub struct InvalidLocation(String);

impl Location {
    /// What is called `name` in this folder.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match self {
            Self::S3 { bucket, key } => {
                let slash = if key.is_empty() || key.ends_with('/') { "" } else { "/" };
                Self::S3 { bucket: bucket.clone(), key: format!("{key}{slash}{name}") }
            }
            Self::File(path) => Self::File(path.join(name)),
        }
    }

    /// The part after the last `/`; empty for a folder in S3.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::S3 { key, .. } => key.rsplit('/').next().unwrap_or_default(),
            Self::File(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
        }
    }

    /// Whether it names a folder: it ends in `/`, is a whole bucket, or is a directory of this machine.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        match self {
            Self::S3 { key, .. } => key.is_empty() || key.ends_with('/'),
            Self::File(path) => path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.is_dir(),
        }
    }
}

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let invalid = || InvalidLocation(text.to_owned());
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            let named = !bucket.is_empty() && !key.starts_with('/');
            return if named { Ok(Self::S3 { bucket: bucket.into(), key: key.into() }) } else { Err(invalid()) };
        }
        let path = text.strip_prefix("file://").unwrap_or(text);
        let usable = !path.is_empty() && !path.contains("://") && !path.contains('\0');
        if usable { Ok(Self::File(path.into())) } else { Err(invalid()) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Location;

    fn s3(bucket: &str, key: &str) -> Location {
        Location::S3 { bucket: bucket.into(), key: key.into() }
    }

    #[test]
    fn reads_buckets_keys_and_paths() {
        assert_eq!("s3://loans/2009/a.csv".parse(), Ok(s3("loans", "2009/a.csv")));
        assert_eq!("s3://loans".parse(), Ok(s3("loans", "")));
        assert_eq!("file:///tmp/a.csv".parse(), Ok(Location::File("/tmp/a.csv".into())));
        assert_eq!("model/".parse(), Ok(Location::File("model/".into())));
        for text in ["", "s3://", "s3:///key", "s3://loans//key", "https://example.org/a", "file://", "a\0b"] {
            assert!(text.parse::<Location>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn joins_with_one_slash() {
        for folder in ["s3://b/f", "s3://b/f/"] {
            let joined = folder.parse::<Location>().map(|folder| folder.join("m.json"));
            assert_eq!(joined, Ok(s3("b", "f/m.json")));
        }
        assert_eq!(s3("b", "").join("m.json"), s3("b", "m.json"));
        assert_eq!(s3("b", "f/m.json").name(), "m.json");
    }

    proptest! {
        #[test]
        fn never_panics_and_reads_what_it_writes(text in "(s3://)?.{0,40}") {
            if let Ok(location) = text.parse::<Location>() {
                prop_assert_eq!(location.to_string().parse::<Location>(), Ok(location));
            }
        }
    }
}
