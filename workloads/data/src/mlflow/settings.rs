//! How to reach MLflow: its address, and credentials from environment variables under a prefix.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{MlflowError, MlflowErrorKind};
use crate::roots::Roots;

/// How to reach MLflow. Has no `Debug`, so that no credential is in a log.
#[derive(Clone)]
pub struct Settings {
    /// The address without a slash at its end.
    pub(super) address: String,
    /// The header's value.
    pub(super) authorization: Option<String>,
    /// More root certificates than the system's.
    pub(super) roots: Option<Roots>,
}

impl Settings {
    /// Reads `<prefix>MLFLOW_TRACKING_TOKEN`, or `…MLFLOW_TRACKING_USERNAME` and `…MLFLOW_TRACKING_PASSWORD`, as MLflow's
    /// own clients call them; an empty variable counts as absent.
    ///
    /// # Errors
    /// The address is no HTTP URL, or one of name and password is there without the other.
    pub fn read(
        address: &str,
        prefix: &str,
        roots: Option<Roots>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, MlflowError> {
        let value = |name: &str| variable(&format!("{prefix}MLFLOW_TRACKING_{name}")).filter(|value| !value.is_empty());
        if !address.starts_with("http://") && !address.starts_with("https://") {
            return Err(MlflowError::new(MlflowErrorKind::Invalid, address, "expected http://host or https://host"));
        }
        let authorization = match (value("TOKEN"), value("USERNAME"), value("PASSWORD")) {
            (Some(token), None, None) => Some(format!("Bearer {token}")),
            (None, Some(name), Some(password)) => {
                Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))))
            }
            (None, None, None) => None,
            _ => return Err(unclear(prefix)),
        };
        Ok(Self { address: address.trim_end_matches('/').to_owned(), authorization, roots })
    }
}

fn unclear(prefix: &str) -> MlflowError {
    let place = format!("{prefix}MLFLOW_TRACKING_…");
    MlflowError::new(MlflowErrorKind::AccessDenied, place, "expected TOKEN alone, or USERNAME and PASSWORD together")
}

#[cfg(test)]
mod tests {
    use super::{MlflowError, MlflowErrorKind, Settings};

    fn read(address: &str, variables: &[(&str, &str)]) -> Result<Settings, MlflowError> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::read(address, "REGISTRY_", None, variable)
    }

    #[test]
    fn takes_a_token_or_name_and_password() {
        let basic = [("REGISTRY_MLFLOW_TRACKING_USERNAME", "ada"), ("REGISTRY_MLFLOW_TRACKING_PASSWORD", "pw")];
        let authorization = |variables| read("http://m/", variables).ok().unwrap().authorization;
        assert_eq!(authorization(&basic).as_deref(), Some("Basic YWRhOnB3"));
        assert_eq!(authorization(&[("REGISTRY_MLFLOW_TRACKING_TOKEN", "t")]).as_deref(), Some("Bearer t"));
        assert_eq!(authorization(&[("REGISTRY_MLFLOW_TRACKING_TOKEN", "")]), None);
        let half = read("http://m", &basic[..1]).err().unwrap();
        assert_eq!(half.kind(), MlflowErrorKind::AccessDenied);
    }

    #[test]
    fn refuses_an_address_without_a_scheme() {
        assert_eq!(read("mlflow:5000", &[]).err().unwrap().kind(), MlflowErrorKind::Invalid);
        assert_eq!(read("http://mlflow:5000/", &[]).ok().unwrap().address, "http://mlflow:5000");
    }
}
