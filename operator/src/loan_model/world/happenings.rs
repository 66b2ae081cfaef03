//! What others do: Jobs that end, people who decide or change a spec, services that try, monitors that find drift, and the
//! cluster that loses something.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;
use serde_json::json;
use underwriter_contract::{
    Digest,
    learning::Sweep,
    summary::{Compared, Comparison, Failure, FailureReason, MetricName, Mirrored, Skipped, Summary, Trained},
};
use underwriter_crds::{
    ModelVersion, RETRAIN_REQUESTED,
    loan_model::SweepProgress,
    model_version::{Decision as Verb, DecisionRecord},
};

use super::{
    super::{build::Origin, comparison::ObservedComparison, gates, mirror::ObservedMirror, observe::ObservedRun},
    Ending, Quality, World,
};
use crate::summary::Progress;

impl World {
    /// The run that goes on ends.
    pub fn end_run(&mut self, ending: Ending) {
        let champion = self.expected_champion();
        let Some(run) = self.runs.iter_mut().find(|run| matches!(run.progress, Some(Progress::Running(_)))) else {
            return;
        };
        if run.sweeping().is_some() {
            return end_sweep(run, ending);
        }
        let failed = |reason| Progress::Ended(Summary::Failed(Failure::new(reason, "no such column")));
        run.progress = Some(match ending {
            Ending::Trained(quality) => {
                Progress::Ended(Summary::Trained(Box::new(trained(&run.origin, champion, quality))))
            }
            Ending::Skipped => Progress::Ended(Summary::Skipped(Skipped { run: run.origin.run.clone(), same_as: 1 })),
            Ending::Invalid => failed(FailureReason::ColumnNotFound),
            Ending::Unreachable => failed(FailureReason::Unreachable),
            Ending::Lost => Progress::Lost,
            Ending::Broken => Progress::Broken("BackoffLimitExceeded: too often".into()),
            Ending::Late => Progress::OutOfTime(None),
        });
    }

    /// A trial of the sweep that goes on ends.
    pub fn end_trial(&mut self, well: bool) {
        let sweeping = self.runs.iter_mut().filter(|run| run.sweeping().is_some_and(|sweep| !sweep.ended));
        for sweep in sweeping.filter_map(|run| run.sweep.as_mut()) {
            let SweepProgress { trials, succeeded, failed } = &mut sweep.progress;
            let ended = if well { &mut *succeeded } else { &mut *failed };
            *ended += 1;
            sweep.ended = *succeeded + *failed == *trials;
        }
    }

    /// The mirror that runs ends; where MLflow is down, nobody knows how far it came.
    pub fn end_mirror(&mut self, up: bool) {
        let running = |(mirror, _): &&mut (ObservedMirror, _)| matches!(mirror.progress, Some(Progress::Running(_)));
        let Some((mirror, request)) = self.mirrors.iter_mut().find(running) else { return };
        let mirrored = Mirrored { digest: request.digest(), versions: 1, added: 0 };
        let down = Failure::new(FailureReason::Unreachable, "MLflow is down");
        mirror.progress = Some(Progress::Ended(if up { Summary::Mirrored(mirrored) } else { Summary::Failed(down) }));
        self.shown = up.then(|| request.clone());
    }

    /// The comparison that runs ends: in differences of some quality, on honest rows or not, or in a failure.
    pub fn end_comparison(&mut self, found: Result<(Quality, bool), FailureReason>) {
        let running = |comparison: &&mut ObservedComparison| matches!(comparison.progress, Some(Progress::Running(_)));
        let Some(comparison) = self.comparisons.iter_mut().find(running) else { return };
        let summary = match found {
            Ok((quality, reused)) => {
                let comparison = Comparison { reused, ..difference(comparison.pair.champion, quality) };
                Summary::Compared(Compared { run: "r".into(), comparison })
            }
            Err(reason) => Summary::Failed(Failure::new(reason, "no loan to compare on")),
        };
        comparison.progress = Some(Progress::Ended(summary));
    }

    /// Points are to be tried in pods of their own, or no longer.
    pub fn sweep(&mut self, trials: Option<u32>) {
        self.model.spec.training.sweep = trials.map(|trials| Sweep { trials, parallelism: 2 });
        self.model.metadata.generation = self.model.metadata.generation.map(|generation| generation + 1);
    }

    /// Whether versions are shown in MLflow.
    pub fn set_registry(&mut self, wanted: bool) {
        let registry = json!({"mlflow": {"trackingUri": "http://mlflow:5000"}});
        self.model.spec.registry = wanted.then(|| serde_json::from_value(registry).unwrap());
    }

    pub fn schedule(&mut self, schedule: Option<&str>) {
        self.model.spec.retraining.schedule = schedule.map(Into::into);
        self.model.metadata.generation = self.model.metadata.generation.map(|generation| generation + 1);
    }

    pub fn wait(&mut self, hours: i64) {
        self.rewound |= hours < 0;
        self.now += SignedDuration::from_hours(hours);
    }

    pub fn say(&mut self, number: usize, decision: Verb) {
        let at = self.now;
        let count = self.versions.len();
        if let Some(version) =
            self.versions.get_mut(number % count.max(1)).filter(|version| version.spec.decisions.len() < 20)
        {
            version.spec.decisions.push(DecisionRecord { decision, by: "ada".into(), reason: "because".into(), at });
        }
    }

    /// Somebody takes the champion back.
    pub fn take_back(&mut self) {
        let champion = self.expected_champion();
        let place = self.versions.iter().position(|version| Some(version.spec.version) == champion);
        if let Some(place) = place {
            self.say(place, Verb::Revoked);
        }
    }

    pub fn change_spec(&mut self, seed: u32) {
        self.model.spec.training.seed = seed;
        self.model.metadata.generation = self.model.metadata.generation.map(|generation| generation + 1);
    }

    pub fn ask(&mut self, token: u32) {
        self.token = token;
        self.model.annotations_mut().insert(RETRAIN_REQUESTED.into(), token.to_string());
    }

    /// A monitor finds drift against the champion; its episode is named by the reference and `scan`.
    pub fn drift(&mut self, scan: u32, new_bad: u64) {
        self.scan = scan;
        let reference = self.expected_champion().unwrap_or(1);
        let condition = json!({"type": "Drifted", "status": "True", "reason": "Drifted", "message": "", "lastTransitionTime": self.now});
        let scanned = json!({"scan": "s", "at": self.now, "referenceVersion": reference, "rows": 3000, "verdict": "Drifted",
            "driftedShare": 0.6, "columns": [], "newBad": new_bad, "report": "s3://r/"});
        let episode = json!({"id": format!("m-{reference}-{scan}"), "referenceVersion": reference, "scans": 2, "since": self.now});
        let monitor = json!({"metadata": {"name": "m"}, "spec": {"modelRef": {"name": "loans"}, "source": {"service": "s"}},
            "status": {"observedGeneration": 1, "conditions": [condition], "lastScan": scanned, "episode": episode}});
        self.monitors = vec![serde_json::from_value(monitor).unwrap()];
    }

    pub fn add_service(&mut self) {
        let service = json!({"metadata": {"name": "s"}, "spec": {"modelRef": {"name": "loans"}}});
        self.services.push(serde_json::from_value(service).unwrap());
    }

    /// Every service ends its trial of the challenger.
    pub fn vote(&mut self, passes: bool) {
        let Some(number) = self.status().challenger else { return };
        let Some(run) = self
            .versions
            .iter()
            .find(|version| version.spec.version == number)
            .map(|version| version.spec.run_id.clone())
        else {
            return;
        };
        for service in &mut self.services {
            let status = if passes {
                json!({"rollout": {"version": number, "phase": "Passed", "step": 0, "weight": 10, "generation": 1, "since": self.now,
                    "predictions": 0, "errors": 0, "readings": []}})
            } else {
                json!({"rejectedVersions": [{"version": number, "run": run, "reason": "it erred"}]})
            };
            service.status = Some(serde_json::from_value(status).unwrap());
        }
    }

    /// Asks for little, so that versions that were refused pass.
    pub fn relax_gates(&mut self, relaxed: bool) {
        let little = json!([{"metric": "recall", "atLeast": 0.1}]);
        self.model.spec.promotion.gates = if relaxed { serde_json::from_value(little).unwrap() } else { Vec::new() };
    }

    /// Every status is lost.
    pub fn lose_statuses(&mut self) {
        self.model.status = None;
        self.versions.iter_mut().for_each(|version| version.status = None);
    }

    /// The cluster is restored from a backup: new UIDs, no statuses, no Jobs.
    pub fn restore(&mut self) {
        self.lose_statuses();
        self.model.metadata.uid = Some(format!("{}'", self.model.uid().unwrap()));
        self.runs.clear();
        self.mirrors.clear();
        self.comparisons.clear();
        self.monitors.clear();
        let now = self.now;
        for version in &mut self.versions {
            (version.metadata.creation_timestamp, version.metadata.owner_references) = (Some(Time(now)), None);
        }
        self.services.iter_mut().for_each(|service| service.status = None);
    }

    /// Somebody deletes the model, with all that Kubernetes removes then, and describes it again.
    pub fn delete_and_describe_again(&mut self) {
        let uid = self.model.uid().unwrap();
        let owned = |version: &ModelVersion| version.owner_references().iter().any(|owner| owner.uid == uid);
        self.versions.retain(|version| !owned(version));
        self.runs.clear();
        self.mirrors.clear();
        self.comparisons.clear();
        self.monitors.clear(); // what only a Job knew to have been answered is answered again, and may be
        self.model.status = None;
        self.model.metadata.uid = Some(format!("{uid}'"));
    }
}

/// However it ends, the run goes on with what there is.
fn end_sweep(run: &mut ObservedRun, ending: Ending) {
    let Some(sweep) = &mut run.sweep else { return };
    let open = sweep.progress.trials - sweep.progress.succeeded - sweep.progress.failed;
    match ending {
        Ending::Trained(_) | Ending::Skipped => sweep.progress.succeeded += open,
        Ending::Invalid | Ending::Unreachable | Ending::Lost | Ending::Broken | Ending::Late => {
            sweep.progress.failed += open
        }
    }
    sweep.ended = true;
}

/// What is found against a champion.
fn difference(champion: u32, quality: Quality) -> Comparison {
    let (low, high) = match quality {
        Quality::Better => (0.01, 0.03),
        Quality::Unclear => (-0.05, 0.05),
        Quality::Beaten | Quality::Worse => (-0.05, -0.02),
    };
    let differences = vec![gates::fixture::metric(MetricName::RocAuc, low, high)];
    gates::fixture::comparison(champion, false, differences)
}

fn trained(origin: &Origin, champion: Option<u32>, quality: Quality) -> Trained {
    let recall = if quality == Quality::Worse { 0.5 } else { 0.8 };
    let mut trained = json!({
        "run": origin.run, "manifest": Digest::of(origin.run.as_bytes()), "algorithm": "Scorecard", "threshold": 0.2, "leaking": ["recoveries"],
        "data": {"uri": "s3://loans/", "digest": Digest::of(b"data"), "rows": 9000},
        "metrics": [{"name": "recall", "value": recall, "low": recall - 0.02, "high": recall + 0.02}],
    });
    if let Some(champion) = champion {
        trained["comparedWith"] = json!(difference(champion, quality));
    }
    serde_json::from_value(trained).unwrap()
}
