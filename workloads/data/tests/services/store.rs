//! Objects: what is read is what was written, and each fault has its kind.

use std::time::{Duration, Instant};

use underwriter_data::store::{Location, StoreErrorKind};
use underwriter_servers::{Folder, S3, SECRET, free_port};

use crate::clients::store;

fn location(text: &str) -> Location {
    text.parse().unwrap()
}

#[tokio::test]
async fn reads_and_lists_what_it_wrote() {
    let s3 = S3::shared();
    let (store, folder) = (store(&s3.url(), SECRET, None), location(&format!("s3://{}/loans/", s3.bucket().await)));
    for (name, text) in [("b.csv", "two"), ("a.csv", "one"), ("2010/c.csv", "three")] {
        store.write(&folder.join(name), text.into()).await.unwrap();
    }
    assert_eq!(store.read(&folder.join("a.csv"), 3).await.unwrap(), b"one");
    let listed: Vec<_> =
        store.list(&folder).await.unwrap().into_iter().map(|entry| (entry.location, entry.bytes)).collect();
    assert_eq!(listed, [(folder.join("2010/c.csv"), 5), (folder.join("a.csv"), 3), (folder.join("b.csv"), 3)]);
    assert_eq!(store.list(&folder.join("a.csv")).await.unwrap().len(), 1);
    assert!(store.exists(&folder.join("a.csv")).await.unwrap());
    assert!(!store.exists(&folder.join("a")).await.unwrap());
    assert_eq!(store.find(&folder.join("d.csv"), 9).await.unwrap(), None);
}

#[tokio::test]
async fn names_what_is_missing_or_too_large() {
    let s3 = S3::shared();
    let (store, here) = (store(&s3.url(), SECRET, None), location(&format!("s3://{}/a", s3.bucket().await)));
    store.write(&here, vec![0; 100]).await.unwrap();
    assert_eq!(store.read(&here, 99).await.unwrap_err().kind(), StoreErrorKind::Invalid);
    let nowhere = location("s3://no-such-bucket/a");
    for error in [
        store.read(&here.join("b"), 9).await.unwrap_err(),
        store.find(&nowhere, 9).await.unwrap_err(),
        store.write(&nowhere, vec![1]).await.unwrap_err(),
        store.exists(&nowhere).await.unwrap_err(),
        store.list(&nowhere).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::NotFound, "{error}");
    }
    let error = store.list(&nowhere).await.unwrap_err().to_string();
    assert!(error.contains("s3://no-such-bucket/a") && error.contains("NoSuchBucket"), "{error}");
}

#[tokio::test]
async fn tells_refused_keys() {
    let s3 = S3::shared();
    let here = location(&format!("s3://{}/a", s3.bucket().await));
    let store = store(&s3.url(), "another", None);
    for error in [store.find(&here, 9).await.unwrap_err(), store.write(&here, vec![1]).await.unwrap_err()] {
        assert_eq!(error.kind(), StoreErrorKind::AccessDenied, "{error}");
        assert!(!error.to_string().contains("another"), "{error}");
    }
}

#[tokio::test]
async fn gives_up_on_a_service_that_is_not_there() {
    let refused = format!("http://127.0.0.1:{}", free_port());
    for endpoint in [refused.as_str(), "http://s3.no-such-name.invalid"] {
        let begun = Instant::now();
        let error = store(endpoint, SECRET, None).read(&location("s3://loans/a"), 9).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{endpoint}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn takes_files_where_they_are_allowed() {
    let folder = Folder::new("files");
    let here = Location::File(folder.path().join("model"));
    let refusing = store("http://127.0.0.1:1", SECRET, None);
    assert_eq!(refusing.write(&here, vec![1]).await.unwrap_err().kind(), StoreErrorKind::Invalid);

    let store = refusing.with_files();
    store.write(&here.join("b"), b"two".to_vec()).await.unwrap();
    store.write(&here.join("a/c"), b"one".to_vec()).await.unwrap();
    assert_eq!(store.read(&here.join("b"), 3).await.unwrap(), b"two");
    assert_eq!(store.read(&here.join("b"), 2).await.unwrap_err().kind(), StoreErrorKind::Invalid);
    assert_eq!(store.read(&here.join("d"), 2).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    let listed: Vec<_> = store.list(&here).await.unwrap().into_iter().map(|entry| entry.location).collect();
    assert_eq!(listed, [here.join("a/c"), here.join("b")]);
    assert!(here.is_folder() && store.list(&here.join("none")).await.unwrap().is_empty());
}
