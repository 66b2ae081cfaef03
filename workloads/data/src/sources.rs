//! Where loans are read from: objects of a store, files of a laptop, and what is published on the web.

use std::{fmt, str::FromStr};

use crate::{
    store::{InvalidLocation, Location, Store, StoreError},
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
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        match text.parse() {
            Ok(address) => Ok(Self::Published(address)),
            Err(_) => text.parse().map(Self::Stored),
        }
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
