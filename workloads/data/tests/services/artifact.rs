//! Artifacts: complete or not there, and never another than what was written.

use std::collections::BTreeMap;

use serde_json::json;
use underwriter_contract::{
    Digest,
    manifest::{BOOSTER, MANIFEST, Manifest, PROFILE},
    request::ArtifactRef,
    summary::FailureReason,
};
use underwriter_data::{
    artifact::{ArtifactError, finished, load, publish},
    store::{Location, Store},
};
use underwriter_servers::{S3, SECRET};

use crate::clients::store;

fn manifest() -> Manifest {
    let block = json!({"rows": 10, "bad": 2});
    let digest = Digest::of(b"");
    serde_json::from_value(json!({
        "format": 1, "model": "demo/consumer-loans", "version": 1, "run": "0123", "code": "0.1.0",
        "trigger": {"type": "Initial"},
        "learning": {
            "data": {"uri": "s3://loans/a.csv", "label": {"column": "s", "bad": ["b"], "good": ["g"]}},
            "decision": {"recall": {"atLeast": 0.75}},
        },
        "configDigest": digest, "data": {"uri": "s3://loans/a.csv", "digest": digest, "rows": 30},
        "blocks": {"fit": block, "calibrate": block, "test": block}, "columns": [], "findings": [],
        "algorithm": "Scorecard", "scorer": {"weight": 1.0, "linear": {"intercept": -1.5, "terms": []}},
        "calibration": {"slope": 1.0, "intercept": 0.0},
        "threshold": {"score": 0.1, "probability": 0.525, "found": 2, "bad": 2, "recallLow": 0.2},
        "metrics": [], "files": {},
    }))
    .unwrap()
}

async fn published(store: &Store, folder: &Location) -> ArtifactRef {
    let files = BTreeMap::from([(BOOSTER.to_owned(), b"tree".to_vec()), (PROFILE.to_owned(), b"{}".to_vec())]);
    let digest = publish(store, folder, files, manifest()).await.unwrap();
    ArtifactRef { version: 1, run: "0123".into(), uri: folder.to_string(), digest }
}

#[tokio::test]
async fn reads_what_was_published() {
    let s3 = S3::shared();
    let (store, folder): (_, Location) =
        (store(&s3.url(), SECRET, None), format!("s3://{}/v1/", s3.bucket().await).parse().unwrap());
    assert_eq!(finished(&store, &folder).await.unwrap(), None);
    let artifact = published(&store, &folder).await;
    let read = load(&store, &artifact, &[BOOSTER]).await.unwrap();
    assert_eq!(read.files, BTreeMap::from([(BOOSTER.to_owned(), b"tree".to_vec())]));
    assert_eq!(read.manifest.files.keys().collect::<Vec<_>>(), [BOOSTER, PROFILE]);
    assert_eq!(finished(&store, &folder).await.unwrap(), Some((read.manifest, artifact.digest.clone())));
    assert_eq!(published(&store, &folder).await, artifact);
    let unlisted = load(&store, &artifact, &["notes.txt"]).await.unwrap_err();
    assert!(matches!(unlisted, ArtifactError::NotListed { .. }), "{unlisted}");
}

#[tokio::test]
async fn refuses_a_changed_byte() {
    let s3 = S3::shared();
    let (store, bucket) = (store(&s3.url(), SECRET, None), s3.bucket().await);
    for name in [MANIFEST, BOOSTER] {
        let folder: Location = format!("s3://{bucket}/{name}/").parse().unwrap();
        let artifact = published(&store, &folder).await;
        let mut bytes = store.read(&folder.join(name), 1 << 20).await.unwrap();
        bytes[0] ^= 1;
        let changed = Digest::of(&bytes);
        store.write(&folder.join(name), bytes).await.unwrap();
        let error = load(&store, &artifact, &[BOOSTER]).await.unwrap_err();
        assert_eq!(error.reason(), FailureReason::ArtifactCorrupt);
        let text = error.to_string();
        assert!(text.contains(&folder.join(name).to_string()) && text.contains(changed.as_str()), "{text}");
        // What was not touched is still read.
        assert_eq!(load(&store, &artifact, &[PROFILE]).await.is_ok(), name == BOOSTER);
    }
}

#[tokio::test]
async fn names_what_cannot_be_read() {
    let s3 = S3::shared();
    let (store, folder): (_, Location) =
        (store(&s3.url(), SECRET, None), format!("s3://{}/v1/", s3.bucket().await).parse().unwrap());
    let missing = ArtifactRef { version: 1, run: "0".into(), uri: folder.to_string(), digest: Digest::of(b"") };
    assert_eq!(load(&store, &missing, &[]).await.unwrap_err().reason(), FailureReason::NotFound);
    for (bytes, reason) in [
        (b"{\"format\": 99}".as_slice(), FailureReason::RequestInvalid),
        (b"{\"format\": 1}", FailureReason::ArtifactCorrupt),
        (b"\xff\x00nonsense", FailureReason::ArtifactCorrupt),
    ] {
        store.write(&folder.join(MANIFEST), bytes.to_vec()).await.unwrap();
        let error = finished(&store, &folder).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(error.to_string().contains(MANIFEST), "{error}");
    }
}
