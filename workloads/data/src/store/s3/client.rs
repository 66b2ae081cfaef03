//! The client: credentials, addressing, trust, and how long it waits.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    config::{Builder, Credentials, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient},
};
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};

use crate::{roots::Roots, store::Settings};

/// With [`CONNECT`] and pauses of at most one and two seconds between attempts, a service that is not there is reported
/// after thirteen seconds at the latest.
const ATTEMPTS: u32 = 3;
/// For name, connection and TLS handshake.
const CONNECT: Duration = Duration::from_secs(3);
/// From the request to the first byte of its answer.
const READ: Duration = Duration::from_secs(30);

pub(super) async fn connect(settings: &Settings) -> Client {
    let shared = shared(settings).await;
    Client::from_conf(addressing(Builder::from(&shared), settings.endpoint.is_some()).build())
}

async fn shared(settings: &Settings) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(speaking_tls(settings.roots.as_ref()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build());
    if let Some(keys) = &settings.keys {
        let (id, secret, session) = (keys.id.as_str(), keys.secret.as_str(), keys.session.clone());
        loader = loader.credentials_provider(Credentials::new(id, secret, session, None, "secret"));
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

/// Another service than AWS's own has no name for each bucket, and may not know the newer checksums.
fn addressing(builder: Builder, other_service: bool) -> Builder {
    if !other_service {
        return builder;
    }
    builder
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
}

/// By ring, which the database's connections use as well: the SDK's own choice would link a second library for the same.
fn speaking_tls(roots: Option<&Roots>) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new().tls_provider(Provider::rustls(CryptoMode::Ring));
    let trust = roots.map(|roots| TrustStore::default().with_pem_certificate(roots.pem()));
    match trust.map(|trust| TlsContext::builder().with_trust_store(trust).build()) {
        Some(Ok(context)) => builder.tls_context(context).build_https(),
        Some(Err(_)) | None => builder.build_https(),
    }
}
