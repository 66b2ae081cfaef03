//! Files of a run: through MLflow's own proxy, or straight into the bucket that it names.

use super::{Mlflow, MlflowError, MlflowErrorKind, connection::Call};
use crate::store::Location;

/// The proxy's part of the API, after `/api/2.0/`.
const PROXY: &str = "mlflow-artifacts/artifacts/";

/// Where the files of a run go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Through the server, below this path.
    Proxy(String),
    /// Into a bucket, by whoever has its credentials.
    Bucket(Location),
}

impl Mlflow {
    /// Where the files of a folder go that MLflow calls so.
    ///
    /// # Errors
    /// It is a place that only MLflow's own machine or another service can write.
    pub fn destination(&self, artifact_uri: &str) -> Result<Destination, MlflowError> {
        let proxied = format!("{}/api/2.0/{PROXY}", self.0.address());
        let path = artifact_uri.strip_prefix("mlflow-artifacts:/").filter(|path| !path.starts_with('/'));
        if let Some(path) = path.or_else(|| artifact_uri.strip_prefix(&proxied)) {
            return Ok(Destination::Proxy(path.trim_end_matches('/').to_owned()));
        }
        let bucket = artifact_uri.starts_with("s3://").then(|| artifact_uri.parse().ok()).flatten();
        bucket.map(Destination::Bucket).ok_or_else(|| unwritable(artifact_uri))
    }

    /// Writes a file through the proxy, over what was there.
    ///
    /// # Errors
    /// MLflow does not take it.
    pub async fn upload(&self, folder: &str, file: &str, bytes: Vec<u8>) -> Result<(), MlflowError> {
        let path = format!("{PROXY}{}/{}", escaped(folder), escaped(file));
        self.0.raw(Call::Put(bytes), &path).await.map(drop)
    }
}

fn unwritable(place: &str) -> MlflowError {
    let cause = "only s3:// and what MLflow serves itself can be written from here; start MLflow with \
                 --artifacts-destination, or name an experiment whose artifacts are there";
    MlflowError::new(MlflowErrorKind::Invalid, place, cause)
}

/// A path with everything escaped that means something in a URL (RFC 3986, section 2.3).
fn escaped(path: &str) -> String {
    let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if keeps(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Destination, Mlflow, escaped};
    use crate::mlflow::Settings;

    fn destination(uri: &str) -> Option<Destination> {
        let settings = Settings::read("http://mlflow:5000/", "", None, |_| None).ok()?;
        Mlflow::new(settings).destination(uri).ok()
    }

    #[test]
    fn files_go_through_the_proxy_or_into_the_bucket() {
        let proxy = Some(Destination::Proxy("1/ab/artifacts".into()));
        assert_eq!(destination("mlflow-artifacts:/1/ab/artifacts"), proxy);
        assert_eq!(destination("http://mlflow:5000/api/2.0/mlflow-artifacts/artifacts/1/ab/artifacts/"), proxy);
        let bucket = "s3://runs/1/ab/artifacts".parse().ok().map(Destination::Bucket);
        assert_eq!(destination("s3://runs/1/ab/artifacts"), bucket);
        for elsewhere in ["/mlruns/1", "file:///mlruns/1", "dbfs:/1", "mlflow-artifacts://other/1", "http://other/1"] {
            assert_eq!(destination(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn a_path_is_escaped_but_for_its_slashes() {
        assert_eq!(escaped("my runs/1/é.txt"), "my%20runs/1/%C3%A9.txt");
    }
}
