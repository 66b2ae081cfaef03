//! The whole story on the real cluster, with assertions on objects, on rows in Postgres and on files in S3.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use underwriter_contract::{
    request::TriggerType,
    summary::{MetricName, Verdict},
};
use underwriter_crds::{
    DriftMonitor, LoanModel, ModelVersion, PredictionService,
    conditions::{ConditionType, check, holds},
    model_version::{Decision, VersionState},
};
use underwriter_tests::{
    bucket,
    cluster::Cluster,
    story::{Facts, MODEL, MONITOR, SERVICE, Story},
};

#[tokio::test]
#[ignore = "needs the cluster: make test"]
async fn the_loop_closes_with_real_loans() {
    let mut story = Story::prepare().await.unwrap();
    let facts = story.play().await.unwrap();
    println!("\nSummary\n{facts}");
    nothing_failed(&facts);
    the_first_version_is_honest(&facts);
    drift_is_found_and_named(&facts);
    the_second_version_is_better(&facts);
    objects_agree(&story.cluster, &facts).await;
    artifacts_are_whole(&facts).await;
}

/// The client never retries, and was answered every time; the log was compared with it along the way.
fn nothing_failed(facts: &Facts) {
    assert_eq!(facts.seen.failures, Vec::<String>::new());
    assert!(facts.seen.requests > 33_257, "{} requests", facts.seen.requests); // the loans of 2010 and 2011, and the asker
    let answered_by: BTreeSet<u32> = facts.seen.answers.values().map(|answer| answer.version).collect();
    assert_eq!(answered_by, BTreeSet::from([1, 2]));
    let refused_without_reason = facts
        .seen
        .answers
        .values()
        .filter(|answer| answer.probability >= answer.threshold && answer.reasons.is_empty());
    assert_eq!(refused_without_reason.count(), 0);
}

fn figure(version: &ModelVersion, name: MetricName) -> f64 {
    version.spec.metrics.iter().find(|metric| metric.name == name).unwrap().value
}

/// An ROC AUC above .75 on these loans would be a leak.
fn the_first_version_is_honest(facts: &Facts) {
    let auc = figure(&facts.first, MetricName::RocAuc);
    assert!((0.55..0.75).contains(&auc), "{auc}");
    assert_eq!(facts.first.spec.trigger.kind, TriggerType::Initial);
    assert_eq!(facts.first.spec.data.rows, 6_529);
    assert!(facts.first.spec.leaking.contains(&"recoveries".to_owned()), "{:?}", facts.first.spec.leaking);
    assert!(facts.first.spec.data.to.unwrap().to_string().starts_with("2009-12"));
}

fn drift_is_found_and_named(facts: &Facts) {
    assert_eq!(facts.quiet.verdict, Verdict::Quiet);
    assert_eq!(facts.drifted.verdict, Verdict::Drifted);
    let named: BTreeSet<_> =
        facts.drifted.columns.iter().filter(|column| column.drifted).map(|c| c.name.as_str()).collect();
    for column in ["term", "loan_amnt", "verification_status"] {
        assert!(named.contains(column), "{column} is not among {named:?}");
    }
    assert_eq!((facts.recovered.verdict, facts.recovered.reference_version), (Verdict::Quiet, 2));
}

fn the_second_version_is_better(facts: &Facts) {
    let spec = &facts.second.spec;
    assert_eq!(spec.trigger.kind, TriggerType::Drift);
    assert_eq!(spec.trigger.episodes.len(), 1);
    let comparison = spec.compared_with.as_ref().unwrap();
    assert_eq!((comparison.version, comparison.reused), (1, false));
    assert!(spec.data.rows > facts.first.spec.data.rows + 11_536, "{} rows", spec.data.rows);
    assert!(facts.worth.second > facts.worth.first + 0.02, "{:?}", facts.worth);
    assert!(facts.worth.second < 0.75, "{:?}", facts.worth);
}

async fn objects_agree(cluster: &Cluster, facts: &Facts) {
    let model = cluster.api::<LoanModel>().get(MODEL).await.unwrap().status.unwrap();
    assert_eq!((model.champion, model.challenger, model.latest_version), (Some(2), None, Some(2)));
    let service = cluster.api::<PredictionService>().get(SERVICE).await.unwrap().status.unwrap();
    assert_eq!((service.stable, service.rollout, service.rejected_versions), (Some(2), None, vec![]));
    let monitor = cluster.api::<DriftMonitor>().get(MONITOR).await.unwrap().status.unwrap();
    assert!(!holds(&monitor.conditions, ConditionType::Drifted));
    for conditions in [&model.conditions, &service.conditions, &monitor.conditions] {
        check(conditions).unwrap();
        assert!(holds(conditions, ConditionType::Ready), "{conditions:?}");
    }
    let versions = cluster.versions(MODEL).await.unwrap();
    let states: Vec<_> = versions.iter().map(|version| version.status.as_ref().unwrap().state.unwrap()).collect();
    assert_eq!(states, [VersionState::Retired, VersionState::Champion]);
    let decisions = |version: &ModelVersion| version.spec.decisions.iter().map(|d| d.decision).collect::<Vec<_>>();
    assert_eq!(decisions(&versions[0]), [Decision::Promoted, Decision::Retired]);
    assert_eq!(decisions(&versions[1]), [Decision::Promoted]);
    assert_eq!(versions[0].spec.run_id, facts.first.spec.run_id);
}

/// The folders hold what their digests say, and the leaks were dropped by name.
async fn artifacts_are_whole(facts: &Facts) {
    for version in [&facts.first, &facts.second] {
        let model = bucket::model(version).await.unwrap();
        let dropped: BTreeSet<_> =
            model.manifest().findings.iter().filter(|f| f.leaks()).map(|f| f.column.as_str()).collect();
        for leak in ["recoveries", "total_pymnt", "last_pymnt_amnt", "collection_recovery_fee", "out_prncp"] {
            assert!(dropped.contains(leak), "{leak} is not among {dropped:?}");
        }
    }
}
