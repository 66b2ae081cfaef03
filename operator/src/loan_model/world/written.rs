//! What the operator writes, and what must hold at each write.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use underwriter_contract::{
    request::{CompareRequest, MirrorRequest, TriggerType},
    summary::Comparison,
};
use underwriter_crds::{
    LoanModel, ModelVersion,
    loan_model::SweepProgress,
    model_version::{Decision as Verb, DecisionRecord},
};

use super::{
    super::{
        build::{self, Origin},
        comparison::{ObservedComparison, Pair},
        decide::active,
        gates::Verdict,
        mirror::ObservedMirror,
        observe::{Observed, ObservedRun, ObservedSweep, is_recorded},
    },
    World,
};
use crate::summary::Progress;

impl World {
    pub(super) fn record(&mut self, mut version: ModelVersion) {
        let number = version.spec.version;
        assert!(self.versions.iter().all(|standing| standing.spec.version != number), "v{number} is made twice");
        version.metadata.creation_timestamp = Some(Time(self.now));
        version.metadata.generation = Some(1);
        self.versions.push(version);
        self.versions.sort_by_key(|version| version.spec.version);
    }

    pub(super) fn decided(&mut self, number: u32, record: DecisionRecord) {
        let champion = self.expected_champion();
        let champion = self.versions.iter().find(|version| Some(version.spec.version) == champion).cloned();
        let verdict = self.verdict(number);
        let version = self.versions.iter_mut().find(|version| version.spec.version == number).unwrap();
        if record.decision == Verb::Promoted {
            let said = |verb: Verb| version.spec.decisions.iter().any(|record| record.decision == verb);
            assert!(!said(Verb::Revoked) && !said(Verb::RolledBack), "v{number} comes back from the dead");
            let first = !said(Verb::Promoted);
            let newer = champion.as_ref().is_none_or(|champion| champion.spec.version < number);
            assert!(newer || !first, "v{number} is older than the champion");
            if first && !said(Verb::Approved) {
                assert_eq!(verdict, Verdict::Pass, "v{number} is promoted against its gates");
                assert!(
                    was_compared(version, champion.as_ref().map(|champion| champion.spec.version), &self.model),
                    "v{number} was not compared"
                );
            }
        }
        version.spec.decisions.push(record);
        assert!(version.spec.decisions.len() <= 32, "the record of v{number} overflows");
    }

    pub(super) fn start(&mut self, origin: Origin, observed: &Observed) {
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

    /// What a sweep was for is learnt once, after it has ended.
    pub(super) fn train(&mut self, origin: &Origin, sweep: &str) {
        let name = self.validated().name.training_job(origin.version, origin.attempt);
        let run = self.runs.iter_mut().find(|run| run.origin == *origin).expect("nothing was tried for it");
        let ended = run.sweeping().filter(|observed| observed.ended && observed.job == sweep);
        assert!(ended.is_some(), "{name} begins before its sweep has ended, or twice");
        run.job = name;
    }

    pub(super) fn mirror(&mut self, request: MirrorRequest) {
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

    /// One at a time, and only of a version that waits and that nothing is known of against the champion.
    pub(super) fn compare(&mut self, pair: Pair, request: &CompareRequest) {
        let Pair { version, champion, attempt } = pair;
        let job = self.validated().name.comparison_job(version, champion, attempt);
        for standing in &self.comparisons {
            assert_ne!(standing.job, job, "{job} is made twice");
            assert!(!matches!(standing.progress, Some(Progress::Running(_))), "two comparisons at a time");
        }
        assert_eq!(Some(champion), self.expected_champion(), "{pair:?}");
        assert_eq!((request.version.version, request.champion.version), (version, champion));
        assert!(version > champion, "{pair:?} is over");
        let known = self.versions.iter().find(|known| known.spec.version == version).unwrap();
        assert!(!was_compared(known, Some(champion), &self.model), "{pair:?} is known");
        let created = self.comparisons.iter().map(|comparison| comparison.created).chain([self.now]).max().unwrap();
        let (created, progress) = (created + SignedDuration::from_secs(1), Some(Progress::Running(None)));
        self.comparisons.push(ObservedComparison { job, pair, created, progress });
        self.compared.push(pair);
    }

    pub(super) fn own(&mut self, number: u32, owned: bool) {
        let owner = build::owner(&self.validated());
        let version = self.versions.iter_mut().find(|version| version.spec.version == number).unwrap();
        let owners = version.metadata.owner_references.get_or_insert_default();
        owners.retain(|standing| standing.uid != owner.uid);
        owners.extend(owned.then_some(owner));
    }

    /// A version goes only where there are too many, and nobody misses it.
    pub(super) fn prune(&mut self, number: u32) {
        let limit = self.model.spec.history_limit as usize;
        assert!(self.versions.len() > limit, "v{number} is pruned, of {}", self.versions.len());
        let index = self.versions.iter().position(|version| version.spec.version == number).unwrap();
        let before = self.expected_champion();
        assert_ne!(before, Some(number), "the champion is pruned");
        let pinned = self.services.iter().any(|service| service.spec.model_ref.version == Some(number));
        assert!(!pinned, "v{number} is pinned");
        let heir = self.without(before).expected_champion();
        assert!(heir.is_none() || heir != Some(number), "v{number} is next in line");
        let refused = matches!(self.verdict(number), Verdict::Fail(..));
        let version = self.versions.remove(index);
        let past = |record: &DecisionRecord| !matches!(record.decision, Verb::Approved | Verb::Promoted);
        assert!(refused || version.spec.decisions.iter().any(past), "v{number} is still to be decided about");
        assert!(self.versions.iter().any(|version| version.spec.version > number), "a number comes again");
    }

    pub(super) fn remove(&mut self, name: &str, observed: &Observed) {
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

    /// Nothing is answered by two versions.
    pub(super) fn check_trigger(&self, origin: &Origin) {
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

    /// The same world without one version.
    pub(super) fn without(&self, number: Option<u32>) -> Self {
        let mut world = self.clone();
        world.versions.retain(|version| Some(version.spec.version) != number);
        world
    }
}

/// Whether it is known how a version does against another, or the model does not ask.
fn was_compared(version: &ModelVersion, champion: Option<u32>, model: &LoanModel) -> bool {
    let later = version.status.as_ref().and_then(|status| status.comparison.as_ref()?.found.as_ref());
    let with = |comparison: &Comparison| Some(comparison.version) == champion;
    let asked = model.spec.promotion.gates.is_empty(); // ranking against the champion is among the defaults
    champion.is_none() || !asked || version.spec.compared_with.iter().chain(later).any(with)
}
