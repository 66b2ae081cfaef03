//! Where a published file is.

use std::{fmt, str::FromStr};

use ureq::http::Uri;

/// Where a published file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `https://host/path`; `http` of this machine only, where nobody listens in.
    Url(String),
    /// `kaggle://owner/dataset/file`.
    Kaggle {
        /// Whose dataset it is.
        owner: String,
        /// The dataset, as its page's address has it.
        dataset: String,
        /// The file in it, with its folders.
        file: String,
    },
}

/// A text that is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address: expected https://host/path or kaggle://owner/dataset/file")]
pub struct InvalidAddress(String);

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let address = match text.split_once("://") {
            Some(("kaggle", path)) => kaggle(path),
            Some(("https" | "http", _)) => url(text),
            _ => None,
        };
        address.ok_or_else(|| InvalidAddress(text.to_owned()))
    }
}

fn kaggle(path: &str) -> Option<Address> {
    let (owner, path) = path.split_once('/')?;
    let (dataset, file) = path.split_once('/')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let slug = |text: &str| !text.is_empty() && text.bytes().all(plain);
    let named = slug(owner) && slug(dataset) && !file.is_empty() && !file.starts_with('/') && !file.ends_with('/');
    named.then(|| Address::Kaggle { owner: owner.into(), dataset: dataset.into(), file: file.into() })
}

fn url(text: &str) -> Option<Address> {
    let uri: Uri = text.parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let secure = uri.scheme_str() == Some("https") || ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    (secure && uri.path() != "/").then(|| Address::Url(text.to_owned()))
}

/// Without what may be secret: a user's name and password, or the signature in a query.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kaggle { owner, dataset, file } => write!(f, "kaggle://{owner}/{dataset}/{file}"),
            Self::Url(text) => {
                let open = text.split(['?', '#']).next().unwrap_or(text);
                let (scheme, rest) = open.split_once("://").unwrap_or(("https", open));
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                let host = authority.rsplit('@').next().unwrap_or(authority);
                write!(f, "{scheme}://{host}/{path}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Address;

    #[test]
    fn reads_addresses() {
        let kaggle = |file: &str| Address::Kaggle { owner: "o".into(), dataset: "d-1".into(), file: file.into() };
        assert_eq!("kaggle://o/d-1/a b.csv".parse(), Ok(kaggle("a b.csv")));
        assert_eq!("kaggle://o/d-1/f/a.csv".parse(), Ok(kaggle("f/a.csv")));
        for text in ["https://example.org/a.csv?x=1", "http://127.0.0.1:80/a", "http://localhost/a"] {
            assert_eq!(text.parse(), Ok(Address::Url(text.into())));
        }
        for text in [
            "http://example.org/a.csv",
            "http://127.0.0.1.example.org/a",
            "https://example.org",
            "https:///a",
            "kaggle://o/d",
            "kaggle://o/d/",
            "kaggle://o/../d",
            "kaggle://o/d?/a",
            "s3://loans/a",
            "a.csv",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn shows_no_secret() {
        let address: Address = "https://me:secret@example.org/a.csv?signature=secret#secret".parse().unwrap();
        assert_eq!(address.to_string(), "https://example.org/a.csv");
    }

    proptest! {
        #[test]
        fn never_panics(text in "(https?|kaggle)://.{0,40}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(!address.to_string().is_empty());
            }
        }
    }
}
