//! A small simulated cluster for tests of [`decide`]: it does what a decision says, loses what a crash loses, and checks
//! the invariants at every write.

mod happenings;
mod written;

use std::{collections::BTreeMap, sync::Arc};

use clap::Parser as _;
use jiff::Timestamp;
use serde_json::json;
use underwriter_contract::request::MirrorRequest;
use underwriter_crds::{
    DriftMonitor, LoanModel, LoanModelStatus, ModelVersion, PredictionService, conditions,
    loan_model::{LastRun, RunResult},
    model_version::{Decision as Verb, VersionState},
};

use super::{
    build::Origin,
    champion::Standing,
    comparison::{self, ObservedComparison, Pair},
    decide::{Action, Decision, decide},
    gates::Verdict,
    mirror::{ObservedMirror, is_seen, request},
    observe::{Observed, ObservedRun, is_recorded},
    validate::{Validated, validate},
};
use crate::{settings::Settings, summary::Progress};

/// How good a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    Better,
    Unclear,
    /// Worse than the champion, and good enough by itself.
    Beaten,
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
#[derive(Clone, Debug)]
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
    pub comparisons: Vec<ObservedComparison>,
    /// Every Job that ever compared.
    pub compared: Vec<Pair>,
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
            comparisons: Vec::new(),
            compared: Vec::new(),
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
            comparisons: self.comparisons.clone(),
        };
        let newest = observed.comparisons.len().saturating_sub(1);
        for index in 0..observed.comparisons.len() {
            let ObservedComparison { job, pair, .. } = &observed.comparisons[index];
            if index < newest || comparison::is_seen(observed.version(pair.version), job) {
                observed.comparisons[index].progress = None;
            }
        }
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

    /// What the operator would decide.
    pub fn decide(&self) -> Decision {
        let (validated, observed) = (self.validated(), self.observe());
        decide(&validated, &observed, &Standing::derive(&validated, &observed), self.now)
    }

    pub fn status(&self) -> LoanModelStatus {
        self.model.status.clone().unwrap_or_default()
    }

    /// One pass, cut off where told; whether anything was written.
    pub fn pass(&mut self, crash: Crash) -> bool {
        let observed = self.observe();
        let decision = self.decide();
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
        assert!(settled, "writes without end: {:#?}", self.decide().action);
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
            Action::Compare(pair, request) => self.compare(pair, &request),
            Action::Remove(name) if self.comparisons.iter().any(|comparison| comparison.job == name) => {
                self.comparisons.retain(|comparison| comparison.job != name);
            }
            Action::Remove(name) if self.mirrors.iter().any(|(mirror, _)| mirror.job == name) => {
                let running = |mirror: &ObservedMirror| matches!(mirror.progress, Some(Progress::Running(_)));
                let gone = |(mirror, _): &(ObservedMirror, _)| mirror.job == name;
                assert!(!self.mirrors.iter().any(|mirror| gone(mirror) && running(&mirror.0)), "{name} still runs");
                self.mirrors.retain(|mirror| !gone(mirror));
            }
            Action::Remove(name) => self.remove(&name, observed),
        }
    }

    /// What the gates say of a version.
    pub fn verdict(&self, number: u32) -> Verdict {
        let (validated, observed) = (self.validated(), self.observe());
        let placed = Standing::derive(&validated, &observed).versions;
        placed.into_iter().find(|placed| placed.version.spec.version == number).unwrap().verdict
    }

    /// What MLflow should show.
    pub fn to_be_shown(&self) -> Option<MirrorRequest> {
        let (validated, observed) = (self.validated(), self.observe());
        request(&validated, validated.mlflow.as_ref()?, &Standing::derive(&validated, &observed))
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
