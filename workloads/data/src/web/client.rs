//! The requests: who is trusted, how long they wait, and what an answer means.

use std::{fmt::Write as _, io::Read as _, sync::Arc, thread, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ureq::{
    Agent, Body, Error,
    config::RedirectAuthHeaders,
    http::{Response, StatusCode, header},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{Address, Settings, settings::Token};
use crate::{
    roots::Roots,
    store::{StoreError, StoreErrorKind},
};

/// Pauses before another attempt; there is one attempt more.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// For name, connection and TLS handshake.
const CONNECT: Duration = Duration::from_secs(3);
/// From the request to the first byte of its answer, and between two reads of it.
const READ: Duration = Duration::from_secs(30);
/// Characters of a refusal that are shown.
const SHOWN: u64 = 200;

/// Asks for a file, again where the fault may pass.
pub(super) fn read(settings: &Settings, address: &Address, limit: u64) -> Result<Vec<u8>, StoreError> {
    let agent = agent(settings, address);
    let mut pauses = PAUSES.iter();
    loop {
        let failed = match once(&agent, settings, address, limit) {
            Err(error) if error.kind() == StoreErrorKind::Unreachable => error,
            other => return other,
        };
        let Some(pause) = pauses.next() else { return Err(failed) };
        thread::sleep(*pause);
    }
}

fn agent(settings: &Settings, address: &Address) -> Agent {
    let plain = |url: &str| url.starts_with("http://");
    let unencrypted = match address {
        Address::Url(url) => plain(url),
        Address::Kaggle { .. } => plain(&settings.kaggle),
    };
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(trusted(settings.roots.as_ref()))))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .https_only(!unencrypted)
        .http_status_as_error(false)
        .redirect_auth_headers(RedirectAuthHeaders::SameHost)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(READ))
        .timeout_per_read(Some(READ))
        .tls_config(tls)
        .user_agent(concat!("underwriter/", env!("CARGO_PKG_VERSION")));
    config.build().new_agent()
}

/// The system's roots, and those of the CA bundle.
fn trusted(roots: Option<&Roots>) -> Vec<Certificate<'static>> {
    let system = rustls_native_certs::load_native_certs().certs;
    let system = system.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    let own = parse_pem(roots.map_or(&[], Roots::pem)).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    system.chain(own).collect()
}

fn once(agent: &Agent, settings: &Settings, address: &Address, limit: u64) -> Result<Vec<u8>, StoreError> {
    let mut request = agent.get(url(settings, address));
    if let (Address::Kaggle { .. }, Some(token)) = (address, &settings.token) {
        request = request.header(header::AUTHORIZATION, basic(token));
    }
    let mut answer = request.call().map_err(|error| unanswered(address, &error))?;
    if answer.status() != StatusCode::OK {
        return Err(refused(address, &mut answer));
    }
    let mime = answer.body().mime_type().unwrap_or_default();
    if mime.eq_ignore_ascii_case("text/html") {
        let cause = "the answer is a web page, not a file";
        return Err(StoreError::new(StoreErrorKind::Invalid, address, cause)
            .advising("check the address, and whether one must log in there"));
    }
    body(address, answer, limit)
}

fn url(settings: &Settings, address: &Address) -> String {
    match address {
        Address::Url(url) => url.clone(),
        Address::Kaggle { owner, dataset, file } => {
            format!("{}/api/v1/datasets/download/{owner}/{dataset}/{}", settings.kaggle, encoded(file))
        }
    }
}

/// A text as one segment of a path.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing to a String cannot fail
        }
        encoded
    })
}

fn basic(Token { username, key }: &Token) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{key}")))
}

fn body(address: &Address, answer: Response<Body>, limit: u64) -> Result<Vec<u8>, StoreError> {
    let mut body = answer.into_body();
    let declared = body.content_length().unwrap_or(0);
    if declared > limit {
        return Err(StoreError::too_large(address, limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(declared).unwrap_or(0));
    let cut =
        |error| StoreError::new(StoreErrorKind::Unreachable, address, format_args!("the answer broke off: {error}"));
    body.as_reader().take(limit + 1).read_to_end(&mut bytes).map_err(cut)?;
    if bytes.len() as u64 > limit { Err(StoreError::too_large(address, limit)) } else { Ok(bytes) }
}

/// What a status means, in the server's own words.
fn refused(address: &Address, answer: &mut Response<Body>) -> StoreError {
    let status = answer.status();
    let mut words = Vec::new();
    let read = answer.body_mut().as_reader().take(SHOWN).read_to_end(&mut words);
    let words = read
        .map_or(String::new(), |_| String::from_utf8_lossy(&words).split_whitespace().collect::<Vec<_>>().join(" "));
    let kind = match status.as_u16() {
        401 | 403 => StoreErrorKind::AccessDenied,
        404 | 410 => StoreErrorKind::NotFound,
        408 | 429 | 500.. => StoreErrorKind::Unreachable,
        _ => StoreErrorKind::Other,
    };
    let error = StoreError::new(kind, address, format!("{status} {words}").trim());
    advised(error, address)
}

fn advised(error: StoreError, address: &Address) -> StoreError {
    let kaggle = matches!(address, Address::Kaggle { .. });
    match (error.kind(), kaggle) {
        (StoreErrorKind::AccessDenied, true) => error.advising(
            "put KAGGLE_USERNAME and KAGGLE_KEY into the Secret of data.secretRef (on a laptop, the environment), and accept \
             the dataset's terms on kaggle.com",
        ),
        (StoreErrorKind::AccessDenied, false) => error.advising("only what is public, or signed in its address, can be read"),
        (StoreErrorKind::NotFound, true) => error.advising("check owner, dataset and file as the dataset's page has them"),
        (StoreErrorKind::NotFound, false) => error.advising("check the address"),
        (StoreErrorKind::Unreachable, _) => error.advising(
            "check the address, the network policies and proxies, and the root certificates (UNDERWRITER_CA_BUNDLE)",
        ),
        _ => error,
    }
}

fn unanswered(address: &Address, error: &Error) -> StoreError {
    let (kind, cause) = match error {
        Error::BadUri(_) | Error::Http(_) => (StoreErrorKind::Invalid, error.to_string()),
        Error::RequireHttpsOnly(_) => {
            (StoreErrorKind::Invalid, "it leads to an address that is not encrypted".to_owned())
        }
        Error::TooManyRedirects | Error::RedirectFailed => (StoreErrorKind::Other, error.to_string()),
        other => (StoreErrorKind::Unreachable, other.to_string()),
    };
    advised(StoreError::new(kind, address, cause), address)
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn encodes_one_segment() {
        assert_eq!(encoded("a b/ü.csv"), "a%20b%2F%C3%BC.csv");
    }
}
