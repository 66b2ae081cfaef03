//! Files that are published: at an HTTPS address, or in a dataset of Kaggle.
//!
//! Kaggle's public API answers a request for a file, with HTTP basic authentication, by a redirect to where the bytes
//! are; a credential never follows to another host. What fails for a moment is asked for three times. Not here: what the
//! bytes are packed in.

mod address;
mod client;
mod settings;

pub use address::{Address, InvalidAddress};
pub use settings::{KAGGLE, Settings};

use crate::{
    roots::Roots,
    store::{StoreError, StoreErrorKind},
};

/// Reads what is published.
#[derive(Clone)]
pub struct Web {
    settings: Settings,
}

impl Web {
    /// With the credentials found in the environment under a prefix; nothing is contacted yet.
    ///
    /// # Errors
    /// The settings are incomplete ([`Settings::read`]), or the CA bundle cannot be read.
    pub fn from_env(prefix: &str) -> Result<Self, StoreError> {
        let roots =
            Roots::from_env().map_err(|error| StoreError::new(StoreErrorKind::Invalid, "root certificates", error))?;
        Ok(Self::new(Settings::read(prefix, roots, |name| std::env::var(name).ok())?))
    }

    /// With these settings.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// The bytes of a file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] and [`StoreErrorKind::AccessDenied`] as the server says,
    /// [`StoreErrorKind::Unreachable`] where nothing answers or the server fails, [`StoreErrorKind::Invalid`] for a file
    /// that is larger, and for a web page.
    pub async fn read(&self, address: &Address, limit: u64) -> Result<Vec<u8>, StoreError> {
        let (settings, wanted) = (self.settings.clone(), address.clone());
        let read = tokio::task::spawn_blocking(move || client::read(&settings, &wanted, limit)).await;
        read.unwrap_or_else(|error| Err(StoreError::new(StoreErrorKind::Other, address, error)))
    }
}
