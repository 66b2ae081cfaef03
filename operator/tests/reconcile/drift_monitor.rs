//! Scanning, and what comes of it.

use serde_json::{Value, json};

use crate::api_server::{Cluster, Controller::DriftMonitor, MONITOR};

/// A monitor of the champion, asked for a scan.
fn asked() -> Cluster {
    let cluster = Cluster::with_champion();
    cluster.own(MONITOR, "DriftMonitor", json!({"modelRef": {"name": "loans"}, "source": {"service": "loan-api"}}));
    cluster.change(MONITOR, &json!({"metadata": {"annotations": {"underwriter.dev/scan-requested": "now"}}}));
    cluster
}

fn scanned(cluster: &Cluster, verdict: &str) -> Value {
    let scan = cluster.only("jobs").1["metadata"]["name"].clone();
    json!({"scanned": {"scan": scan, "at": "2026-01-01T00:00:02Z", "referenceVersion": 1, "rows": 3000, "verdict": verdict,
        "driftedShare": 0.6, "columns": [], "newBad": 7, "report": "s3://a/report.json"}})
}

#[tokio::test]
async fn a_scan_is_made_once_and_written_down() {
    let cluster = asked();
    let writes = cluster.settle(DriftMonitor).await;
    let jobs: Vec<_> = writes.iter().filter(|write| write.starts_with("create jobs/")).collect();
    assert_eq!(jobs.len(), 1, "{writes:?}");
    cluster.job_ends("Complete", 0, &scanned(&cluster, "Drifted"));
    assert_eq!(cluster.settle(DriftMonitor).await, ["patch driftmonitors/drift/status"]);
    assert_eq!(cluster.get(MONITOR)["status"]["lastScan"]["newBad"], 7);
    assert_eq!(cluster.condition(MONITOR, "Drifted").unwrap().0, "False/DriftUnconfirmed");
}

#[tokio::test]
async fn a_failed_scan_says_why() {
    let cluster = asked();
    cluster.settle(DriftMonitor).await;
    let failure = json!({"failed": {"reason": "AccessDenied", "message": "s3://a/: the keys are refused"}});
    cluster.job_ends("Failed", 3, &failure);
    assert_eq!(cluster.settle(DriftMonitor).await, ["patch driftmonitors/drift/status", "event ScanFailed"]);
    let (state, message) = cluster.condition(MONITOR, "Ready").unwrap();
    assert!(state == "False/AccessDenied" && message.contains("the keys are refused"), "{state}: {message}");
}

#[tokio::test]
async fn a_lost_status_scans_nothing_again() {
    let cluster = asked();
    cluster.settle(DriftMonitor).await;
    cluster.job_ends("Complete", 0, &scanned(&cluster, "Quiet"));
    cluster.settle(DriftMonitor).await;
    cluster.change(MONITOR, &json!({"status": null}));
    let writes = cluster.settle(DriftMonitor).await;
    assert!(!writes.iter().any(|write| write.contains("jobs/")), "{writes:?}");
    assert_eq!(cluster.get(MONITOR)["status"]["lastScan"]["newBad"], 7);
}
