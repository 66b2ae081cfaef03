//! One call: what is sent, what comes back, and which kind of fault an answer is.

use std::{sync::Arc, time::Duration};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use ureq::{
    Agent, RequestBuilder,
    http::Response,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::{MlflowError, MlflowErrorKind, Settings};
use crate::roots::Roots;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a call may take in all, an upload included.
const CALL: Duration = Duration::from_secs(120);
/// The largest answer that is read.
const LIMIT: u64 = 16 << 20;

/// What is done to a path.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// With these parameters.
    Get(Vec<(&'static str, String)>),
    Post(Value),
    Delete(Value),
    Put(Vec<u8>),
}

/// A server and how to speak to it.
#[derive(Clone)]
pub(super) struct Connection(Arc<Inner>);

struct Inner {
    agent: Agent,
    address: String,
    authorization: Option<String>,
}

impl Connection {
    pub(super) fn new(settings: Settings) -> Self {
        let Settings { address, authorization, roots } = settings;
        let trusted = if address.starts_with("https:") { trusted(roots.as_ref()) } else { Vec::new() };
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&trusted)).build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(CALL))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self(Arc::new(Inner { agent, address, authorization }))
    }

    /// The address without a slash at its end.
    pub(super) fn address(&self) -> &str {
        &self.0.address
    }

    /// Calls the API; `path` begins after `/api/2.0/`.
    pub(super) async fn call<T: DeserializeOwned>(&self, call: Call, path: &str) -> Result<T, MlflowError> {
        let text = self.raw(call, path).await?;
        let wrong = |_| {
            let start: String = text.chars().take(80).collect();
            MlflowError::new(
                MlflowErrorKind::NotFound,
                self.url(path),
                format_args!("MLflow does not answer so: {start:?}"),
            )
        };
        serde_json::from_str(&text).map_err(wrong)
    }

    /// The same, where the answer says nothing.
    pub(super) async fn raw(&self, call: Call, path: &str) -> Result<String, MlflowError> {
        let (inner, url) = (Arc::clone(&self.0), self.url(path));
        let called = tokio::task::spawn_blocking(move || inner.run(call, &url)).await;
        called.map_err(|panic| MlflowError::new(MlflowErrorKind::Unreachable, self.url(path), panic))?
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/2.0/{path}", self.0.address)
    }
}

impl Inner {
    /// Waits for the answer: for a thread where that hurts nobody.
    fn run(&self, call: Call, url: &str) -> Result<String, MlflowError> {
        let Self { agent, .. } = self;
        let answer = match call {
            Call::Get(query) => self.known(agent.get(url)).query_pairs(query).call(),
            Call::Post(message) => self.json(agent.post(url)).send(message.to_string()),
            Call::Delete(message) => self.json(agent.delete(url).force_send_body()).send(message.to_string()),
            Call::Put(bytes) => {
                self.known(agent.put(url)).header("Content-Type", "application/octet-stream").send(&bytes)
            }
        };
        read(url, answer.map_err(|error| unanswered(url, &error))?)
    }

    fn known<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(value) => request.header("Authorization", value),
            None => request,
        }
    }

    fn json<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        self.known(request).header("Content-Type", "application/json")
    }
}

/// The system's root certificates, and a private authority's.
fn trusted(roots: Option<&Roots>) -> Vec<Certificate<'static>> {
    let system = rustls_native_certs::load_native_certs().certs;
    let own = roots.map(|roots| CertificateDer::pem_slice_iter(roots.pem()).flatten().collect()).unwrap_or_default();
    let all: [Vec<CertificateDer<'static>>; 2] = [system, own];
    all.iter().flatten().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}

fn read(url: &str, mut answer: Response<ureq::Body>) -> Result<String, MlflowError> {
    let status = answer.status();
    let text = answer.body_mut().with_config().limit(LIMIT).lossy_utf8(true).read_to_string();
    let text = text.map_err(|error| unanswered(url, &error))?;
    if status.is_success() { Ok(text) } else { Err(refused(url, status.as_u16(), &text)) }
}

fn unanswered(url: &str, error: &ureq::Error) -> MlflowError {
    let kind = match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => MlflowErrorKind::Invalid,
        _ => MlflowErrorKind::Unreachable,
    };
    MlflowError::new(kind, url, error)
}

/// What MLflow says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    error_code: String,
    #[serde(default)]
    message: String,
}

fn refused(url: &str, status: u16, text: &str) -> MlflowError {
    let refusal: Option<Refusal> = serde_json::from_str(text).ok();
    let kind = match status {
        401 | 403 => MlflowErrorKind::AccessDenied,
        404 => MlflowErrorKind::NotFound,
        408 | 429 | 500.. => MlflowErrorKind::Unreachable,
        _ => MlflowErrorKind::Invalid,
    };
    let said: String = refusal.as_ref().map_or(text, |refusal| &refusal.message).chars().take(300).collect();
    MlflowError::new(kind, url, format_args!("status {status}: {said}")).with_code(refusal.map(|said| said.error_code))
}

#[cfg(test)]
mod tests {
    use super::{MlflowErrorKind, refused};

    #[test]
    fn says_which_kind_of_fault_an_answer_is() {
        let known = refused("u", 400, r#"{"error_code": "RESOURCE_ALREADY_EXISTS", "message": "Experiment(name=a)"}"#);
        assert!(known.is("RESOURCE_ALREADY_EXISTS") && known.to_string().contains("Experiment(name=a)"), "{known}");
        for (status, kind) in [
            (401, MlflowErrorKind::AccessDenied),
            (404, MlflowErrorKind::NotFound),
            (400, MlflowErrorKind::Invalid),
            (429, MlflowErrorKind::Unreachable),
            (503, MlflowErrorKind::Unreachable),
        ] {
            assert_eq!(refused("u", status, "<html>no</html>").kind(), kind, "{status}");
        }
    }
}
