//! Root certificates beside those of the system: a private authority's, or those of RDS.
//!
//! One PEM file, named by the environment, serves the store and the log alike. It is parsed here, once and with an error
//! that names it, because the S3 client would panic on a certificate that it cannot read.

use std::path::{Path, PathBuf};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// The variable that names a PEM file with more root certificates.
pub const CA_BUNDLE: &str = "UNDERWRITER_CA_BUNDLE";

/// A PEM file whose every certificate can be a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots(Vec<u8>);

/// A PEM file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{CA_BUNDLE}={}: {cause}; it must be a readable PEM file with at least one root certificate", file.display())]
pub struct RootsError {
    file: PathBuf,
    cause: String,
}

impl Roots {
    /// The certificates of [`CA_BUNDLE`]; none where the variable is not set.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is not a certificate.
    pub fn from_env() -> Result<Option<Self>, RootsError> {
        std::env::var_os(CA_BUNDLE).filter(|file| !file.is_empty()).map(|file| Self::read(Path::new(&file))).transpose()
    }

    /// The certificates of a file.
    ///
    /// # Errors
    /// As [`Roots::from_env`].
    pub fn read(file: &Path) -> Result<Self, RootsError> {
        let parsed = std::fs::read(file).map_err(|error| error.to_string()).and_then(Self::parse);
        parsed.map_err(|cause| RootsError { file: file.to_owned(), cause })
    }

    /// The PEM text.
    #[must_use]
    pub fn pem(&self) -> &[u8] {
        &self.0
    }

    fn parse(pem: Vec<u8>) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            store.add(certificate).map_err(|error| error.to_string())?;
        }
        if store.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(Self(pem)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Roots;

    #[test]
    fn names_the_file_that_is_missing() {
        let error = Roots::read("/no/such/bundle.pem".as_ref()).unwrap_err().to_string();
        assert!(error.contains("/no/such/bundle.pem") && error.contains("UNDERWRITER_CA_BUNDLE"), "{error}");
    }

    #[test]
    fn refuses_a_file_without_certificates() {
        assert!(Roots::parse(b"hello".to_vec()).is_err());
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Roots::parse(broken.into()).is_err());
    }

    proptest! {
        #[test]
        fn survives_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let framed = [b"-----BEGIN CERTIFICATE-----\n", bytes.as_slice(), b"\n-----END CERTIFICATE-----\n"].concat();
            let _ = (Roots::parse(bytes), Roots::parse(framed));
        }
    }
}
