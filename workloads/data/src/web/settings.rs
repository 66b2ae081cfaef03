//! Kaggle's credentials and address, read from environment variables.

use crate::{
    roots::Roots,
    store::{StoreError, StoreErrorKind},
};

/// Where Kaggle answers.
pub const KAGGLE: &str = "https://www.kaggle.com";

/// How to read what is published.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// None: Kaggle is asked without a name, which is enough for some datasets.
    pub(super) token: Option<Token>,
    /// Kaggle, or what speaks its protocol.
    pub(super) kaggle: String,
    /// More root certificates than the system's.
    pub(super) roots: Option<Roots>,
}

/// What `kaggle.json` holds. Has no `Debug`, so that it is in no log.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) username: String,
    pub(super) key: String,
}

impl Settings {
    /// Reads `<prefix>KAGGLE_USERNAME`, `…KAGGLE_KEY` and `…KAGGLE_BASE_URL`, or the same without the prefix, as Kaggle's
    /// own programs are told; an empty variable counts as absent.
    ///
    /// # Errors
    /// Name or key is there without the other, or the base is no HTTP URL.
    pub fn read(
        prefix: &str,
        roots: Option<Roots>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, StoreError> {
        let filled = |name: &str| variable(name).filter(|value| !value.is_empty());
        let value = |name: &str| filled(&format!("{prefix}{name}")).or_else(|| filled(name));
        let token = match (value("KAGGLE_USERNAME"), value("KAGGLE_KEY")) {
            (Some(username), Some(key)) => Some(Token { username, key }),
            (None, None) => None,
            _ => return Err(half_a_token(prefix)),
        };
        let kaggle = value("KAGGLE_BASE_URL").unwrap_or_else(|| KAGGLE.to_owned());
        if !kaggle.starts_with("https://") && !kaggle.starts_with("http://") {
            let place = format!("{prefix}KAGGLE_BASE_URL={kaggle}");
            return Err(StoreError::new(StoreErrorKind::Invalid, place, "expected https://host"));
        }
        Ok(Self { token, kaggle: kaggle.trim_end_matches('/').to_owned(), roots })
    }
}

fn half_a_token(prefix: &str) -> StoreError {
    let place = format!("{prefix}KAGGLE_USERNAME, {prefix}KAGGLE_KEY");
    StoreError::new(StoreErrorKind::AccessDenied, place, "one of the two is missing")
}

#[cfg(test)]
mod tests {
    use super::{KAGGLE, Settings, StoreErrorKind};

    fn read(variables: &'static [(&str, &str)]) -> Result<Settings, StoreErrorKind> {
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::read("DATA_", None, find).map_err(|error| error.kind())
    }

    #[test]
    fn takes_the_secrets_variables_before_the_laptops() {
        let settings = read(&[
            ("DATA_KAGGLE_USERNAME", "team"),
            ("DATA_KAGGLE_KEY", "one"),
            ("KAGGLE_USERNAME", "me"),
            ("KAGGLE_KEY", "two"),
        ]);
        let token = settings.ok().unwrap().token.unwrap();
        assert_eq!((token.username.as_str(), token.key.as_str()), ("team", "one"));
        let laptop = read(&[("KAGGLE_USERNAME", "me"), ("KAGGLE_KEY", "two")]).ok().unwrap();
        assert_eq!((laptop.token.unwrap().username.as_str(), laptop.kaggle.as_str()), ("me", KAGGLE));
        assert!(read(&[("DATA_KAGGLE_KEY", "")]).ok().unwrap().token.is_none());
    }

    #[test]
    fn refuses_half_a_token_and_a_base_without_a_scheme() {
        assert_eq!(read(&[("DATA_KAGGLE_KEY", "one")]).err(), Some(StoreErrorKind::AccessDenied));
        assert_eq!(read(&[("KAGGLE_BASE_URL", "kaggle.test")]).err(), Some(StoreErrorKind::Invalid));
    }
}
