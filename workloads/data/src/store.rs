//! Objects in S3, or in any service that speaks its protocol, and files on a laptop.
//!
//! A [`Store`] holds one set of credentials; a [`Location`] says where an object is. Reads are bounded by the caller, and
//! a service that is not there is reported within twenty seconds. Nothing is streamed: what this product reads and
//! writes fits into memory. Caching is not here either.

mod error;
mod files;
mod location;
mod s3;
mod settings;

pub use error::{StoreError, StoreErrorKind};
pub use location::{InvalidLocation, Location};
pub use settings::Settings;

use crate::roots::Roots;

/// Reads and writes objects under one set of credentials.
#[derive(Clone)]
pub struct Store {
    s3: s3::Bucketed,
    files: bool,
}

/// An object of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Where it is.
    pub location: Location,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Store {
    /// A store with the credentials found in the environment under a prefix
    /// ([`DATA_PREFIX`](underwriter_contract::request::DATA_PREFIX),
    /// [`ARTIFACTS_PREFIX`](underwriter_contract::request::ARTIFACTS_PREFIX)); nothing is contacted yet. It refuses files.
    ///
    /// # Errors
    /// The settings are incomplete ([`Settings::read`]), or the CA bundle cannot be read.
    pub fn from_env(prefix: &str) -> Result<Self, StoreError> {
        let roots =
            Roots::from_env().map_err(|error| StoreError::new(StoreErrorKind::Invalid, "root certificates", error))?;
        Ok(Self::new(Settings::read(prefix, roots, |name| std::env::var(name).ok())?))
    }

    /// A store with these settings. It refuses files.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { s3: s3::Bucketed::new(settings), files: false }
    }

    /// The same store, which takes files of this machine as well: for laptops, where the person who names a file
    /// owns it.
    #[must_use]
    pub fn with_files(self) -> Self {
        Self { files: true, ..self }
    }

    /// The bytes of an object of at most `limit` bytes.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] without the object or its bucket, [`StoreErrorKind::Invalid`] for one that is
    /// larger.
    pub async fn read(&self, location: &Location, limit: u64) -> Result<Vec<u8>, StoreError> {
        let found = self.find(location, limit).await?;
        found.ok_or_else(|| StoreError::new(StoreErrorKind::NotFound, location, "there is no such object"))
    }

    /// As [`Store::read`], but an object that is not there is `None`; a bucket that is not there is still an error.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn find(&self, location: &Location, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        match location {
            Location::S3 { bucket, key } => self.s3.find(bucket, key, limit).await,
            Location::File(path) => files::find(self.permit(path)?, limit),
        }
    }

    /// Writes an object, over what was there.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] without the bucket.
    pub async fn write(&self, location: &Location, bytes: Vec<u8>) -> Result<(), StoreError> {
        match location {
            Location::S3 { bucket, key } => self.s3.write(bucket, key, bytes).await,
            Location::File(path) => files::write(self.permit(path)?, &bytes),
        }
    }

    /// Whether there is such an object.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] without the bucket.
    pub async fn exists(&self, location: &Location) -> Result<bool, StoreError> {
        match location {
            Location::S3 { bucket, key } => self.s3.exists(bucket, key).await,
            Location::File(path) => Ok(self.permit(path)?.is_file()),
        }
    }

    /// The objects of a folder, those in folders within included, by name; an object names itself.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] without the bucket.
    pub async fn list(&self, folder: &Location) -> Result<Vec<Entry>, StoreError> {
        let mut entries = match folder {
            Location::S3 { bucket, key } => self.s3.list(bucket, key).await?,
            Location::File(path) => files::list(self.permit(path)?)?,
        };
        entries.sort();
        Ok(entries)
    }

    fn permit<'a>(&self, path: &'a std::path::Path) -> Result<&'a std::path::Path, StoreError> {
        let refused = || StoreError::new(StoreErrorKind::Invalid, path.display(), "files are read on a laptop only");
        self.files.then_some(path).ok_or_else(refused)
    }
}

impl StoreError {
    pub(crate) fn too_large(place: impl std::fmt::Display, limit: u64) -> Self {
        Self::new(StoreErrorKind::Invalid, place, format_args!("is larger than the {limit} bytes that are read here"))
    }
}
