//! S3 and Postgres by TLS, trusted by the bundle of a private authority and by nothing else.

use underwriter_data::{
    install_crypto,
    log::LogErrorKind,
    roots::Roots,
    store::{Location, StoreErrorKind},
};
use underwriter_servers::{Authority, Postgres, S3, SECRET};

use crate::clients::{log, store};

#[tokio::test]
async fn trusts_the_bundle_for_s3() {
    install_crypto();
    let authority = Authority::new();
    let s3 = S3::start(Some(&authority));
    let here: Location = format!("s3://{}/a", s3.bucket().await).parse().unwrap();
    let error = store(&s3.https(), SECRET, None).write(&here, vec![1]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
    let trusting = store(&s3.https(), SECRET, Some(Roots::read(&authority.file("ca.pem")).unwrap()));
    trusting.write(&here, vec![1]).await.unwrap();
    assert_eq!(trusting.read(&here, 1).await.unwrap(), [1]);
}

#[tokio::test]
async fn trusts_the_bundle_for_postgres() {
    install_crypto();
    let authority = Authority::new();
    let server = Postgres::start(Some(&authority));
    let url = server.database().await;
    let roots = Roots::read(&authority.file("ca.pem")).unwrap();
    for mode in ["verify-ca", "verify-full"] {
        let url = format!("{url}?sslmode={mode}");
        let error = log(&url, None).unwrap().ping().await.unwrap_err();
        assert_eq!(error.kind(), LogErrorKind::Unreachable, "{error}");
        log(&url, Some(&roots)).unwrap().ping().await.unwrap();
    }
}
