//! Published files: Kaggle's protocol, redirects, refusals, and what passes after a while.

use std::collections::BTreeMap;

use underwriter_data::{
    install_crypto,
    roots::Roots,
    store::{StoreError, StoreErrorKind},
    web::{Settings, Web},
};
use underwriter_servers::{Authority, KAGGLE_KEY, KAGGLE_USERNAME, Published, S3, free_port};

fn web(variables: &[(&str, &str)], roots: Option<Roots>) -> Web {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    let found = |name: &str| variables.get(name).map(ToString::to_string);
    Web::new(Settings::read("DATA_", roots, found).map_err(|error| error.to_string()).unwrap())
}

fn kaggle(published: &Published, key: &str) -> Web {
    let base = published.kaggle();
    web(&[("DATA_KAGGLE_USERNAME", KAGGLE_USERNAME), ("DATA_KAGGLE_KEY", key), ("DATA_KAGGLE_BASE_URL", &base)], None)
}

async fn read(web: &Web, address: &str) -> Result<Vec<u8>, StoreError> {
    web.read(&address.parse().unwrap(), 1000).await
}

async fn fault(web: &Web, address: &str) -> (StoreErrorKind, String) {
    let error = read(web, address).await.unwrap_err();
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn reads_a_file_of_a_dataset_and_takes_its_key_nowhere_else() {
    let published = Published::start();
    published.put("owner/loans/a b.csv", "x,y\n");
    let web = kaggle(&published, KAGGLE_KEY);
    // the storage answers a request that brings the key with 400
    assert_eq!(read(&web, "kaggle://owner/loans/a b.csv").await.unwrap(), b"x,y\n");
}

#[tokio::test]
async fn names_what_kaggle_refuses_and_what_to_do() {
    let published = Published::start();
    let refused = fault(&kaggle(&published, "wrong"), "kaggle://owner/loans/a.csv").await;
    assert!(refused.0 == StoreErrorKind::AccessDenied && refused.1.contains("Unauthenticated"), "{refused:?}");
    assert!(
        refused.1.starts_with("kaggle://owner/loans/a.csv: 401") && refused.1.contains("KAGGLE_KEY"),
        "{refused:?}"
    );
    assert!(!refused.1.contains("wrong"), "{refused:?}");
    let web = kaggle(&published, KAGGLE_KEY);
    let private = fault(&web, "kaggle://private/loans/a.csv").await;
    assert!(
        private.0 == StoreErrorKind::AccessDenied && private.1.contains("accept the dataset's terms"),
        "{private:?}"
    );
    let missing = fault(&web, "kaggle://owner/loans/none.csv").await;
    assert!(missing.0 == StoreErrorKind::NotFound && missing.1.contains("owner, dataset and file"), "{missing:?}");
}

#[tokio::test]
async fn reads_an_address_and_tells_its_faults() {
    let published = Published::start();
    let web = web(&[], None);
    published.put("a.csv", "x,y\n");
    assert_eq!(read(&web, &published.url("a.csv?signature=secret")).await.unwrap(), b"x,y\n");
    for (file, kind) in [
        ("none.csv", StoreErrorKind::NotFound),
        ("secret", StoreErrorKind::AccessDenied),
        ("login", StoreErrorKind::Invalid),
    ] {
        let (found, message) = fault(&web, &published.url(&format!("{file}?signature=1234"))).await;
        assert!(found == kind && message.contains(file) && !message.contains("1234"), "{message}");
    }
    published.put("large.csv", vec![b'x'; 1001]);
    assert_eq!(fault(&web, &published.url("large.csv")).await.0, StoreErrorKind::Invalid);
}

#[tokio::test]
async fn asks_again_for_what_may_pass() {
    let published = Published::start();
    let web = web(&[], None);
    published.put("flaky", "x\n");
    assert_eq!(read(&web, &published.url("flaky")).await.unwrap(), b"x\n");
    let (kind, message) = fault(&web, &published.url("broken")).await;
    assert!(
        kind == StoreErrorKind::Unreachable && message.contains("502") && message.contains("no upstream"),
        "{message}"
    );
    assert_eq!((published.asked("flaky"), published.asked("broken")), (3, 3));
    let (kind, message) = fault(&web, &format!("http://127.0.0.1:{}/a.csv", free_port())).await;
    assert!(kind == StoreErrorKind::Unreachable && message.contains("network policies"), "{message}");
}

/// An S3 server serves as one that speaks TLS: it refuses who brings no signature.
#[tokio::test]
async fn trusts_the_bundle() {
    install_crypto();
    let authority = Authority::new();
    let s3 = S3::start(Some(&authority));
    let address = format!("{}/loans/a.csv", s3.https());
    assert_eq!(fault(&web(&[], None), &address).await.0, StoreErrorKind::Unreachable);
    let trusting = web(&[], Some(Roots::read(&authority.file("ca.pem")).unwrap()));
    assert_eq!(fault(&trusting, &address).await.0, StoreErrorKind::AccessDenied);
}
