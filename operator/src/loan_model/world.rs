//! A small simulated cluster for tests of [`decide`]: it does what a decision says, loses what a crash loses, and checks
//! the invariants at every write.

use std::{collections::BTreeMap, sync::Arc};

use clap::Parser as _;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;
use serde_json::json;
use underwriter_contract::{
    Digest,
    learning::Sweep,
    request::{MirrorRequest, TriggerType},
    summary::{Failure, FailureReason, Mirrored, Skipped, Summary, Trained},
};
use underwriter_crds::{
    DriftMonitor, LoanModel, LoanModelStatus, ModelVersion, PredictionService, RETRAIN_REQUESTED, conditions,
    loan_model::{LastRun, RunResult, SweepProgress},
    model_version::{Decision as Verb, DecisionRecord, VersionState},
};

use super::{
    build::{self, Origin},
    champion::Standing,
    decide::{Action, Decision, active, decide},
    gates::{Verdict, evaluate},
    mirror::{ObservedMirror, is_seen, request},
    observe::{Observed, ObservedRun, ObservedSweep, is_recorded},
    validate::{Validated, validate},
};
use crate::{settings::Settings, summary::Progress};

/// How good a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    Better,
    Unclear,
    Worse,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Trained(Quality),
    Skipped,
    Invalid,
    Unreachable,
    Lost,
    Broken,
    Late,
}

/// The write after which a pass is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    Never,
    AfterAction,
    AfterVersions,
}

/// The cluster, as far as a LoanModel is concerned.
#[derive(Clone)]
pub struct World {
    pub model: LoanModel,
    pub versions: Vec<ModelVersion>,
    pub runs: Vec<ObservedRun>,
    pub services: Vec<PredictionService>,
    pub monitors: Vec<DriftMonitor>,
    pub now: Timestamp,
    pub started: Vec<Origin>,
    pub notices: Vec<String>,
    pub token: u32,
    pub scan: u32,
    /// Whether the clock went back, so that a moment of the schedule may come again.
    pub rewound: bool,
    pub settings: Settings,
    pub mirrors: Vec<(ObservedMirror, MirrorRequest)>,
    /// What MLflow shows.
    pub shown: Option<MirrorRequest>,
}

impl World {
    /// A model nobody has looked at yet.
    pub fn new() -> Self {
        let least = [
            "o",
            "--tasks-image",
            "t",
            "--predictor-image",
            "p",
            "--artifacts-uri",
            "s3://a/",
            "--prediction-log-secret",
            "log",
        ];
        let model = json!({
            "apiVersion": "underwriter.dev/v1alpha1", "kind": "LoanModel",
            "metadata": {"name": "loans", "namespace": "bank", "uid": "uid-0", "generation": 1},
            "spec": {
                "data": {"uri": "s3://loans/", "label": {"column": "status", "bad": ["bad"], "good": ["good"]}, "id": {"application": "id"}},
                "decision": {"recall": {"atLeast": 0.75}},
            },
        });
        Self {
            model: serde_json::from_value(model).unwrap(),
            versions: Vec::new(),
            runs: Vec::new(),
            services: Vec::new(),
            monitors: Vec::new(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            started: Vec::new(),
            notices: Vec::new(),
            token: 0,
            scan: 0,
            rewound: false,
            settings: Settings::try_parse_from(least).unwrap(),
            mirrors: Vec::new(),
            shown: None,
        }
    }

    /// As the cluster's observer would see it.
    pub fn observe(&self) -> Observed {
        let mut observed = Observed {
            status: self.model.status.clone().unwrap_or_default(),
            versions: self.versions.iter().cloned().map(Arc::new).collect(),
            runs: self.runs.clone(),
            services: self.services.iter().cloned().map(Arc::new).collect(),
            monitors: self.monitors.iter().cloned().map(Arc::new).collect(),
            mirrors: self.mirrors.iter().map(|(mirror, _)| mirror.clone()).collect(),
        };
        let newest = observed.mirrors.len().saturating_sub(1);
        for (index, mirror) in observed.mirrors.iter_mut().enumerate() {
            if index < newest || is_seen(observed.status.mirror.as_ref(), &mirror.job, mirror.created) {
                mirror.progress = None;
            }
        }
        for index in 0..observed.runs.len() {
            if is_recorded(&observed.runs[index].origin, &observed) {
                observed.runs[index].progress = None;
            }
        }
        observed
    }

    pub fn validated(&self) -> Validated {
        validate(&self.model, &self.settings).unwrap()
    }

    pub fn status(&self) -> LoanModelStatus {
        self.model.status.clone().unwrap_or_default()
    }

    /// One pass, cut off where told; whether anything was written.
    pub fn pass(&mut self, crash: Crash) -> bool {
        let observed = self.observe();
        let decision = decide(&self.validated(), &observed, self.now);
        self.check(&decision);
        let Decision { action, status, versions, notices, .. } = decision;
        let mut wrote = action.is_some();
        if let Some(action) = action {
            self.act(action, &observed);
        }
        if crash == Crash::AfterAction {
            return true;
        }
        for (number, status) in versions {
            let version = self.versions.iter_mut().find(|version| version.spec.version == number).unwrap();
            wrote |= version.status.replace(status.clone()) != Some(status);
        }
        if crash == Crash::AfterVersions {
            return true;
        }
        wrote |= self.model.status.replace(status.clone()) != Some(status);
        self.notices.extend(notices.into_iter().map(|notice| notice.reason));
        wrote
    }

    /// Passes until nothing is written any more.
    pub fn settle(&mut self) {
        let settled = (0..60).any(|_| !self.pass(Crash::Never));
        assert!(settled, "writes without end: {:#?}", decide(&self.validated(), &self.observe(), self.now).action);
    }

    fn check(&self, decision: &Decision) {
        conditions::check(&decision.status.conditions).unwrap();
        for (_, status) in &decision.versions {
            conditions::check(&status.conditions).unwrap();
        }
        let champions = decision.versions.iter().filter(|(_, status)| status.state == Some(VersionState::Champion));
        assert!(champions.count() <= 1, "two champions");
        assert_eq!(decision.status.champion, self.expected_champion(), "champion lost or invented");
        self.check_schedule(decision);
    }

    /// A run is promised where there is a schedule, and never in a pause; of what was missed, one run makes up for all.
    fn check_schedule(&self, decision: &Decision) {
        let next = decision.status.next_scheduled_run;
        let promises = self.model.spec.retraining.schedule.is_some() && !self.model.spec.suspend;
        assert_eq!(next.is_some(), promises, "{:?}", self.model.spec.retraining);
        if let Some(Action::Start(origin)) = &decision.action {
            assert!(next.is_none_or(|next| next > self.now), "{origin:?} leaves {next:?} open");
            let promised = self.status().next_scheduled_run;
            let scheduled = origin.trigger.scheduled.filter(|_| origin.attempt == 1);
            assert!(scheduled.is_none() || (promises && scheduled == promised), "{origin:?} was not promised");
            assert!(scheduled <= Some(self.now), "{origin:?} comes too early");
        }
    }

    /// Worked out anew from the record: of the versions ever promoted that nobody took back, the one promoted last.
    pub fn expected_champion(&self) -> Option<u32> {
        let mut best: Option<(Timestamp, u32)> = None;
        for version in &self.versions {
            let decisions = &version.spec.decisions;
            let position = |wanted: Verb| decisions.iter().rposition(|record| record.decision == wanted);
            let denied = position(Verb::Denied).is_some_and(|no| position(Verb::Approved).is_none_or(|yes| yes < no));
            let out = denied || position(Verb::Revoked).is_some() || position(Verb::RolledBack).is_some();
            if let Some(promoted) = position(Verb::Promoted).filter(|_| !out) {
                best = best.max(Some((decisions[promoted].at, version.spec.version)));
            }
        }
        best.map(|(_, number)| number)
    }

    fn act(&mut self, action: Action, observed: &Observed) {
        match action {
            Action::Record(version) => self.record(*version),
            Action::Decide(number, record) => self.decided(number, record),
            Action::Start(origin) => self.start(*origin, observed),
            Action::Own(number, owned) => self.own(number, owned),
            Action::Prune(number) => self.prune(number),
            Action::Train(origin, sweep) => self.train(&origin, &sweep),
            Action::Mirror(request) => self.mirror(*request),
            Action::Remove(name) if self.mirrors.iter().any(|(mirror, _)| mirror.job == name) => {
                let running = |mirror: &ObservedMirror| matches!(mirror.progress, Some(Progress::Running(_)));
                let gone = |(mirror, _): &(ObservedMirror, _)| mirror.job == name;
                assert!(!self.mirrors.iter().any(|mirror| gone(mirror) && running(&mirror.0)), "{name} still runs");
                self.mirrors.retain(|mirror| !gone(mirror));
            }
            Action::Remove(name) => self.remove(&name, observed),
        }
    }

    fn remove(&mut self, name: &str, observed: &Observed) {
        let is_sweep = |run: &ObservedRun| run.sweep.as_ref().is_some_and(|sweep| sweep.job == name);
        let place = self.runs.iter().position(|run| run.job == name || is_sweep(run));
        let place = place.expect("a Job that does not exist is removed");
        let run = &mut self.runs[place];
        assert!(is_recorded(&run.origin, observed), "{name} is removed before its result is written down");
        if run.job == name {
            assert!(run.sweep.is_none() || is_sweep(run), "the sweep of {name} is left behind");
            self.runs.remove(place);
        } else {
            run.sweep = None;
        }
    }

    /// What a sweep was for is learnt once, after it has ended.
    fn train(&mut self, origin: &Origin, sweep: &str) {
        let name = self.validated().name.training_job(origin.version, origin.attempt);
        let run = self.runs.iter_mut().find(|run| run.origin == *origin).expect("nothing was tried for it");
        let ended = run.sweeping().filter(|observed| observed.ended && observed.job == sweep);
        assert!(ended.is_some(), "{name} begins before its sweep has ended, or twice");
        run.job = name;
    }

    fn own(&mut self, number: u32, owned: bool) {
        let owner = build::owner(&self.validated());
        let version = self.versions.iter_mut().find(|version| version.spec.version == number).unwrap();
        let owners = version.metadata.owner_references.get_or_insert_default();
        owners.retain(|standing| standing.uid != owner.uid);
        owners.extend(owned.then_some(owner));
    }

    /// A version goes only where there are too many, and nobody misses it.
    fn prune(&mut self, number: u32) {
        let limit = self.model.spec.history_limit as usize;
        assert!(self.versions.len() > limit, "v{number} is pruned, of {}", self.versions.len());
        let index = self.versions.iter().position(|version| version.spec.version == number).unwrap();
        let before = self.expected_champion();
        assert_ne!(before, Some(number), "the champion is pruned");
        let pinned = self.services.iter().any(|service| service.spec.model_ref.version == Some(number));
        assert!(!pinned, "v{number} is pinned");
        let heir = self.without(before).expected_champion();
        assert!(heir.is_none() || heir != Some(number), "v{number} is next in line");
        let version = self.versions.remove(index);
        let champion = self.versions.iter().find(|version| Some(version.spec.version) == before);
        let refused = matches!(evaluate(&self.validated().gates, &version.spec, champion), Verdict::Fail(..));
        let past = |record: &DecisionRecord| !matches!(record.decision, Verb::Approved | Verb::Promoted);
        assert!(refused || version.spec.decisions.iter().any(past), "v{number} is still to be decided about");
        assert!(self.versions.iter().any(|version| version.spec.version > number), "a number comes again");
    }

    /// The same world without one version.
    fn without(&self, number: Option<u32>) -> Self {
        let mut world = self.clone();
        world.versions.retain(|version| Some(version.spec.version) != number);
        world
    }

    /// Somebody deletes the model, with all that Kubernetes removes then, and describes it again.
    pub fn delete_and_describe_again(&mut self) {
        let uid = self.model.uid().unwrap();
        let owned = |version: &ModelVersion| version.owner_references().iter().any(|owner| owner.uid == uid);
        self.versions.retain(|version| !owned(version));
        self.runs.clear();
        self.mirrors.clear();
        self.monitors.clear(); // what only a Job knew to have been answered is answered again, and may be
        self.model.status = None;
        self.model.metadata.uid = Some(format!("{uid}'"));
    }

    pub fn schedule(&mut self, schedule: Option<&str>) {
        self.model.spec.retraining.schedule = schedule.map(Into::into);
        self.model.metadata.generation = self.model.metadata.generation.map(|generation| generation + 1);
    }

    fn record(&mut self, mut version: ModelVersion) {
        let number = version.spec.version;
        assert!(self.versions.iter().all(|standing| standing.spec.version != number), "v{number} is made twice");
        version.metadata.creation_timestamp = Some(Time(self.now));
        version.metadata.generation = Some(1);
        self.versions.push(version);
        self.versions.sort_by_key(|version| version.spec.version);
    }

    fn decided(&mut self, number: u32, record: DecisionRecord) {
        let champion = self.expected_champion();
        let champion = self.versions.iter().find(|version| Some(version.spec.version) == champion).cloned();
        let gates = self.validated().gates;
        let version = self.versions.iter_mut().find(|version| version.spec.version == number).unwrap();
        if record.decision == Verb::Promoted {
            let said = |verb: Verb| version.spec.decisions.iter().any(|record| record.decision == verb);
            assert!(!said(Verb::Revoked) && !said(Verb::RolledBack), "v{number} comes back from the dead");
            let first = !said(Verb::Promoted);
            let newer = champion.as_ref().is_none_or(|champion| champion.spec.version < number);
            assert!(newer || !first, "v{number} is older than the champion");
            if first && !said(Verb::Approved) {
                assert_eq!(
                    evaluate(&gates, &version.spec, champion.as_ref()),
                    Verdict::Pass,
                    "v{number} is promoted against its gates"
                );
            }
        }
        version.spec.decisions.push(record);
        assert!(version.spec.decisions.len() <= 32, "the record of v{number} overflows");
    }

    fn start(&mut self, origin: Origin, observed: &Observed) {
        assert!(active(observed).is_none(), "two runs at a time");
        assert!(!self.model.spec.suspend, "{origin:?} starts though it is suspended");
        let name = self.validated().name;
        let (training, sweep) =
            (name.training_job(origin.version, origin.attempt), name.sweep_job(origin.version, origin.attempt));
        assert!(self.runs.iter().all(|run| run.job != training && run.job != sweep), "{training} is made twice");
        self.check_trigger(&origin);
        self.started.push(origin.clone());
        let progress = |trials| SweepProgress { trials, ..SweepProgress::default() };
        let tried = |trials| ObservedSweep { job: sweep.clone(), progress: progress(trials), ended: false };
        let tried = origin.trials.map(tried);
        self.runs.push(ObservedRun {
            job: if tried.is_some() { sweep.clone() } else { training },
            origin,
            created: self.now + SignedDuration::from_secs(1),
            progress: Some(Progress::Running(None)),
            sweep: tried,
        });
        self.runs.sort_by_key(|run| (run.origin.version, run.origin.attempt));
    }

    fn mirror(&mut self, request: MirrorRequest) {
        let job = self.validated().name.mirror_job(&request.digest());
        for (standing, _) in &self.mirrors {
            assert_ne!(standing.job, job, "{job} is made twice");
            assert!(!matches!(standing.progress, Some(Progress::Running(_))), "two mirrors at a time");
        }
        // The API server's clock does not go back where the operator's does.
        let newest = self.mirrors.iter().map(|(mirror, _)| mirror.created).chain([self.now]).max().unwrap();
        let told = self.status().mirror.map_or(newest, |told| told.created.max(newest));
        let created = told + SignedDuration::from_secs(1);
        self.mirrors.push((ObservedMirror { job, created, progress: Some(Progress::Running(None)) }, request));
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

    /// Whether versions are shown in MLflow.
    pub fn set_registry(&mut self, wanted: bool) {
        let registry = json!({"mlflow": {"trackingUri": "http://mlflow:5000"}});
        self.model.spec.registry = wanted.then(|| serde_json::from_value(registry).unwrap());
    }

    /// What MLflow should show.
    pub fn to_be_shown(&self) -> Option<MirrorRequest> {
        let (validated, observed) = (self.validated(), self.observe());
        request(&validated, validated.mlflow.as_ref()?, &Standing::derive(&validated, &observed))
    }

    /// Nothing is answered by two versions.
    fn check_trigger(&self, origin: &Origin) {
        for earlier in self.started.iter().filter(|earlier| earlier.version != origin.version) {
            assert!(
                origin.trigger.token.is_none() || earlier.trigger.token != origin.trigger.token,
                "{origin:?} answers a request again"
            );
            let scheduled = origin.trigger.scheduled;
            assert!(
                scheduled.is_none() || self.rewound || scheduled > earlier.trigger.scheduled,
                "{origin:?} answers a moment again"
            );
            for episode in &origin.trigger.episodes {
                assert!(!earlier.trigger.episodes.contains(episode), "{origin:?} answers an episode again");
            }
        }
        for version in &self.versions {
            assert_ne!(version.spec.version, origin.version, "{origin:?} makes a version that stands");
            assert_ne!(version.spec.run_id, origin.run, "{origin:?} is a run that stands");
        }
        if origin.trigger.kind == TriggerType::SpecChange && origin.attempt == 1 {
            let before = self.started.last().map(|before| &before.config_digest);
            assert_ne!(before, Some(&origin.config_digest), "a change of the spec is answered twice");
        }
    }

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

    /// Points are to be tried in pods of their own, or no longer.
    pub fn sweep(&mut self, trials: Option<u32>) {
        self.model.spec.training.sweep = trials.map(|trials| Sweep { trials, parallelism: 2 });
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
        self.monitors.clear();
        let now = self.now;
        for version in &mut self.versions {
            (version.metadata.creation_timestamp, version.metadata.owner_references) = (Some(Time(now)), None);
        }
        self.services.iter_mut().for_each(|service| service.status = None);
    }

    /// Whether something is still to be learnt that only a Job or a status knows to have been answered.
    pub fn has_loose_ends(&self) -> bool {
        let Validated { resolved, request, .. } = self.validated();
        let learnt = self.versions.last().is_some_and(|version| version.spec.config_digest == resolved.config_digest);
        let tokens: Vec<_> = self.versions.iter().filter_map(|version| version.spec.trigger.token.clone()).collect();
        !learnt || request.is_some_and(|token| !tokens.contains(&token))
    }

    pub fn last_run(&self) -> Option<(u32, u32, RunResult)> {
        self.status().last_run.map(|LastRun { version, attempt, result, .. }| (version, attempt, result))
    }

    /// The conditions that are true, by type and reason.
    pub fn true_conditions(&self) -> BTreeMap<String, String> {
        let conditions = self.status().conditions.into_iter().filter(|condition| condition.status == "True");
        conditions.map(|condition| (condition.type_, condition.reason)).collect()
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

fn trained(origin: &Origin, champion: Option<u32>, quality: Quality) -> Trained {
    let (low, high) = match quality {
        Quality::Better => (0.01, 0.03),
        Quality::Unclear => (-0.05, 0.05),
        Quality::Worse => (-0.05, -0.02),
    };
    let recall = if quality == Quality::Worse { 0.5 } else { 0.8 };
    let compared = champion.map(|version| {
        json!({"version": version, "rows": 900, "reused": false,
            "differences": [{"name": "rocAuc", "value": (low + high) / 2.0, "low": low, "high": high}]})
    });
    let mut trained = json!({
        "run": origin.run, "manifest": Digest::of(origin.run.as_bytes()), "algorithm": "Scorecard", "threshold": 0.2, "leaking": ["recoveries"],
        "data": {"uri": "s3://loans/", "digest": Digest::of(b"data"), "rows": 9000},
        "metrics": [{"name": "recall", "value": recall, "low": recall - 0.02, "high": recall + 0.02}],
    });
    if let Some(compared) = compared {
        trained["comparedWith"] = compared;
    }
    serde_json::from_value(trained).unwrap()
}
