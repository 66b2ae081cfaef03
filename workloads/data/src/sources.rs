//! Where loans are read from: objects of a store, files of a laptop, and what is published on the web.

use std::{fmt, str::FromStr};

use crate::{
    store::{Location, Store, StoreError},
    web::{Address, Web},
};

/// Everything that loans can be read from, under the credentials of one Secret.
#[derive(Clone)]
pub struct Sources {
    store: Store,
    web: Web,
}

/// One place with loans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a store, or on this machine: an object, or a folder of parts.
    Stored(Location),
    /// On the web: one file.
    Published(Address),
}

/// A text that names no place with loans.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no place with loans: expected s3://bucket/prefix/, https://host/file (http:// of this machine only), \
     kaggle://owner/dataset/file or, on a laptop, a path"
)]
pub struct InvalidOrigin(String);

impl Sources {
    /// With the credentials found in the environment under a prefix; nothing is contacted yet. It refuses files.
    ///
    /// # Errors
    /// As [`Store::from_env`] and [`Web::from_env`].
    pub fn from_env(prefix: &str) -> Result<Self, StoreError> {
        Ok(Self { store: Store::from_env(prefix)?, web: Web::from_env(prefix)? })
    }

    /// The same, which reads files of this machine as well.
    #[must_use]
    pub fn with_files(self) -> Self {
        Self { store: self.store.with_files(), ..self }
    }

    /// The parts of an origin that hold anything, by name; those that begin with `_` or `.` are marks of other programs.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub async fn parts(&self, origin: &Origin) -> Result<Vec<Origin>, StoreError> {
        match origin {
            Origin::Published(_) => Ok(vec![origin.clone()]),
            Origin::Stored(location) => {
                let entries = self.store.list(location).await?.into_iter();
                let parts = entries.filter(|entry| entry.bytes > 0 && !entry.location.name().starts_with(['_', '.']));
                Ok(parts.map(|entry| Origin::Stored(entry.location)).collect())
            }
        }
    }

    /// The bytes of a part of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Store::read`] and [`Web::read`].
    pub async fn read(&self, part: &Origin, limit: u64) -> Result<Vec<u8>, StoreError> {
        match part {
            Origin::Stored(location) => self.store.read(location, limit).await,
            Origin::Published(address) => self.web.read(address, limit).await,
        }
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let published = || text.parse().map(Self::Published);
        text.parse().map(Self::Stored).or_else(|_| published()).map_err(|_| InvalidOrigin(text.to_owned()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(location) => location.fmt(f),
            Self::Published(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn reads_every_kind_of_place() {
        for text in ["s3://loans/2009/", "https://example.org/a.csv", "kaggle://owner/loans/a.csv", "loans/a.csv"] {
            let origin: Origin = text.parse().unwrap();
            assert_eq!(origin.to_string(), text);
            assert_eq!(matches!(origin, Origin::Published(_)), text.starts_with("https") || text.starts_with("kaggle"));
        }
        let error = "http://example.org/a.csv".parse::<Origin>().unwrap_err().to_string();
        assert!(
            error.contains("\"http://example.org/a.csv\" is no place") && error.contains("of this machine only"),
            "{error}"
        );
    }
}
