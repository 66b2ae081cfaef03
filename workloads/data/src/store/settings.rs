//! How to reach an S3 service, read from environment variables under a prefix.

use crate::{
    roots::Roots,
    store::{StoreError, StoreErrorKind},
};

/// The region where none is named.
const DEFAULT_REGION: &str = "us-east-1";

/// How to reach an S3 service.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// None: the default chain of AWS (environment, web identity, instance role).
    pub(super) keys: Option<Keys>,
    /// None: the default chain, or [`DEFAULT_REGION`] where there are keys.
    pub(super) region: Option<String>,
    /// Any other service than AWS's own; it is addressed by path.
    pub(super) endpoint: Option<String>,
    /// More root certificates than the system's.
    pub(super) roots: Option<Roots>,
}

/// An access key. Has no `Debug`, so that it is in no log.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) session: Option<String>,
}

impl Settings {
    /// Reads `<prefix>AWS_ACCESS_KEY_ID`, `…AWS_SECRET_ACCESS_KEY`, `…AWS_SESSION_TOKEN`, `…AWS_REGION` and
    /// `…AWS_ENDPOINT_URL`; an empty variable counts as absent.
    ///
    /// # Errors
    /// One of the two keys is there without the other, or the endpoint is no HTTP URL.
    pub fn read(
        prefix: &str,
        roots: Option<Roots>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, StoreError> {
        let value = |name: &str| variable(&format!("{prefix}{name}")).filter(|value| !value.is_empty());
        let keys = match (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => Some(Keys { id, secret, session: value("AWS_SESSION_TOKEN") }),
            (None, None) => None,
            _ => return Err(half_a_key(prefix)),
        };
        let endpoint = value("AWS_ENDPOINT_URL");
        if let Some(url) = endpoint.as_deref().filter(|url| !is_http(url)) {
            return Err(not_a_url(prefix, url));
        }
        let region = value("AWS_REGION").or_else(|| keys.as_ref().map(|_| DEFAULT_REGION.to_owned()));
        Ok(Self { keys, region, endpoint, roots })
    }
}

fn is_http(url: &str) -> bool {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
}

fn half_a_key(prefix: &str) -> StoreError {
    let place = format!("{prefix}AWS_ACCESS_KEY_ID, {prefix}AWS_SECRET_ACCESS_KEY");
    StoreError::new(StoreErrorKind::AccessDenied, place, "one of the two is missing")
}

fn not_a_url(prefix: &str, url: &str) -> StoreError {
    let place = format!("{prefix}AWS_ENDPOINT_URL={url}");
    StoreError::new(StoreErrorKind::Invalid, place, "expected http://host:port or https://host:port")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Settings, StoreError, StoreErrorKind};

    fn read(variables: &[(&str, &str)]) -> Result<Settings, StoreError> {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        Settings::read("DATA_", None, |name| variables.get(name).map(ToString::to_string))
    }

    #[test]
    fn takes_the_variables_of_its_prefix_only() {
        let settings = read(&[
            ("DATA_AWS_ACCESS_KEY_ID", "id"),
            ("DATA_AWS_SECRET_ACCESS_KEY", "secret"),
            ("DATA_AWS_ENDPOINT_URL", "http://10.42.0.1:8333"),
            ("AWS_REGION", "mars"),
        ])
        .ok()
        .unwrap();
        assert_eq!(settings.keys.map(|keys| (keys.id, keys.secret)), Some(("id".into(), "secret".into())));
        assert_eq!(settings.region.as_deref(), Some("us-east-1"));
        assert_eq!(settings.endpoint.as_deref(), Some("http://10.42.0.1:8333"));
    }

    #[test]
    fn leaves_everything_to_the_default_chain() {
        let settings = read(&[("DATA_AWS_REGION", "")]).ok().unwrap();
        assert!(settings.keys.is_none() && settings.region.is_none() && settings.endpoint.is_none());
    }

    #[test]
    fn names_the_missing_half_of_a_key() {
        let error = read(&[("DATA_AWS_ACCESS_KEY_ID", "id")]).err().unwrap();
        assert_eq!(error.kind(), StoreErrorKind::AccessDenied);
        assert!(error.to_string().contains("DATA_AWS_SECRET_ACCESS_KEY"), "{error}");
    }

    #[test]
    fn refuses_an_endpoint_without_a_scheme() {
        for url in ["10.42.0.1:8333", "http://", "s3://loans"] {
            let error = read(&[("DATA_AWS_ENDPOINT_URL", url)]).err().unwrap();
            assert_eq!(error.kind(), StoreErrorKind::Invalid, "{url}");
        }
    }
}
