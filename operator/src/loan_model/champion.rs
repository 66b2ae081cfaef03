//! Who decides, who is tried, and what the record of decisions is still missing.
//!
//! All of it is derived from the versions' decisions and the gates, every time anew: the champion is the version that was
//! promoted last and that nobody took back since.

use jiff::Timestamp;
use underwriter_contract::summary::Comparison;
use underwriter_crds::{
    ModelVersion, PredictionService,
    loan_model::PromotionPolicy,
    model_version::{Decision, DecisionRecord, VersionState},
    prediction_service::RolloutPhase,
};

use super::{
    gates::{Figures, Verdict, evaluate},
    observe::Observed,
    validate::Validated,
};
use crate::names::MANAGER;

/// Where the versions of a model stand.
#[derive(Debug)]
pub struct Standing<'a> {
    /// The one that decides.
    pub champion: Option<&'a ModelVersion>,
    /// The newest that may and does not decide yet.
    pub challenger: Option<&'a ModelVersion>,
    /// Every one, oldest first.
    pub versions: Vec<Placed<'a>>,
}

/// One version and where it stands.
#[derive(Debug)]
pub struct Placed<'a> {
    /// The version.
    pub version: &'a ModelVersion,
    /// Where it stands.
    pub state: VersionState,
    /// What the gates say of it.
    pub verdict: Verdict,
    /// Its decisions, summed up.
    pub record: Record,
}

/// A version's decisions, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// A person said yes, and not no since.
    pub approved: bool,
    /// A person said no, and not yes since.
    pub denied: bool,
    /// A person took it back, for good.
    pub revoked: bool,
    /// It was tried and went back, for good.
    pub rolled_back: bool,
    /// A newer one was tried instead.
    pub superseded: bool,
    /// When it last became champion.
    pub promoted: Option<Timestamp>,
    /// It was told that it is champion no longer.
    pub retired: bool,
}

impl Record {
    fn of(version: &ModelVersion) -> Self {
        version.spec.decisions.iter().fold(Self::default(), Self::then)
    }

    fn then(self, next: &DecisionRecord) -> Self {
        match next.decision {
            Decision::Approved => Self { approved: true, denied: false, ..self },
            Decision::Denied => Self { approved: false, denied: true, ..self },
            Decision::Revoked => Self { revoked: true, ..self },
            Decision::RolledBack => Self { rolled_back: true, ..self },
            Decision::Superseded => Self { superseded: true, ..self },
            Decision::Promoted => Self { promoted: Some(next.at), retired: false, ..self },
            Decision::Retired => Self { retired: true, ..self },
        }
    }

    /// Somebody or something said no, whatever its figures.
    const fn is_out(&self) -> bool {
        self.denied || self.revoked || self.rolled_back
    }

    /// Whether pods may be told to serve it: it was champion, or a person approved it.
    #[must_use]
    pub const fn may_serve(&self) -> bool {
        !self.is_out() && (self.promoted.is_some() || self.approved)
    }
}

impl<'a> Standing<'a> {
    /// Derives it from what is observed.
    #[must_use]
    pub fn derive(validated: &Validated, observed: &'a Observed) -> Self {
        let records = || observed.versions.iter().map(|version| (version.as_ref(), Record::of(version)));
        let out: Vec<_> =
            records().filter(|(_, record)| record.is_out()).map(|(version, _)| version.spec.version).collect();
        let champions = records().filter(|(_, record)| !record.is_out());
        let champion = champions
            .filter_map(|(version, record)| Some((record.promoted?, version.spec.version, version)))
            .max_by_key(|(promoted, number, _)| (*promoted, *number))
            .map(|(_, _, version)| version);
        let mut versions: Vec<_> = records()
            .map(|(version, record)| {
                let verdict = evaluate(&validated.gates, figures(version, champion, &out));
                let state = initial_state(&record, &verdict);
                Placed { version, state, verdict, record }
            })
            .collect();
        let challenger = versions.iter_mut().rev().find(|placed| placed.may_challenge(champion, validated.policy));
        let challenger = challenger.map(|placed| {
            placed.state = VersionState::Challenger;
            placed.version
        });
        if let Some(placed) = versions.iter_mut().find(|placed| is_same(placed.version, champion)) {
            placed.state = VersionState::Champion;
        }
        Self { champion, challenger, versions }
    }

    /// The champion's number.
    #[must_use]
    pub fn champion_number(&self) -> Option<u32> {
        self.champion.map(|version| version.spec.version)
    }

    /// The version that would decide if the champion were taken back.
    #[must_use]
    pub fn previous(&self) -> Option<u32> {
        let former =
            self.versions.iter().filter(|placed| !placed.record.is_out() && !is_same(placed.version, self.champion));
        let former = former.filter_map(|placed| Some((placed.record.promoted?, placed.version.spec.version)));
        former.max().map(|(_, number)| number)
    }

    /// The newest version that waits for a person; older ones than champion and challenger wait for nobody.
    #[must_use]
    pub fn awaiting(&self) -> Option<&Placed<'a>> {
        let bar = newest(self.champion, self.challenger).unwrap_or_default();
        let waits = |placed: &&Placed<'_>| placed.state == VersionState::Candidate && placed.version.spec.version > bar;
        self.versions.iter().rev().find(waits)
    }

    /// The next decision that the record is missing, if any.
    #[must_use]
    pub fn next_decision(
        &self,
        services: &[impl AsRef<PredictionService>],
        now: Timestamp,
    ) -> Option<(&'a ModelVersion, DecisionRecord)> {
        let (version, decision, reason) = self
            .returning()
            .or_else(|| self.retiring())
            .or_else(|| self.superseding())
            .or_else(|| self.voted(services))?;
        Some((version, DecisionRecord { decision, by: MANAGER.into(), reason, at: self.not_before_others(now) }))
    }

    /// A champion that had been retired is back, because its successors were taken back.
    fn returning(&self) -> Option<(&'a ModelVersion, Decision, String)> {
        let placed = self.versions.iter().find(|placed| is_same(placed.version, self.champion))?;
        placed
            .record
            .retired
            .then(|| (placed.version, Decision::Promoted, "the versions after it were taken back".into()))
    }

    /// A former champion that was not told yet.
    fn retiring(&self) -> Option<(&'a ModelVersion, Decision, String)> {
        let champion = self.champion_number()?;
        let untold = |placed: &&Placed<'_>| {
            let Placed { version, record, .. } = placed;
            version.spec.version != champion && record.promoted.is_some() && !record.retired && !record.is_out()
        };
        let placed = self.versions.iter().find(untold)?;
        Some((placed.version, Decision::Retired, format!("v{champion} decides")))
    }

    /// An undecided version that is older than the one tried, or than the one that decides.
    fn superseding(&self) -> Option<(&'a ModelVersion, Decision, String)> {
        let newer = newest(self.champion, self.challenger)?;
        let overtaken = |placed: &&Placed<'_>| {
            let undecided = matches!(placed.state, VersionState::Candidate);
            undecided && !placed.record.superseded && placed.version.spec.version < newer
        };
        let placed = self.versions.iter().find(overtaken)?;
        Some((placed.version, Decision::Superseded, format!("v{newer} is newer")))
    }

    /// What the services that try the challenger have found.
    fn voted(&self, services: &[impl AsRef<PredictionService>]) -> Option<(&'a ModelVersion, Decision, String)> {
        let challenger = self.challenger?;
        let approved =
            self.versions.iter().any(|placed| is_same(placed.version, self.challenger) && placed.record.approved);
        let merit = if approved { "a person approved it" } else { "it passed its gates" };
        if self.champion.is_none() {
            return Some((challenger, Decision::Promoted, format!("{merit}, and no other decides")));
        }
        let votes: Vec<_> = services
            .iter()
            .map(AsRef::as_ref)
            .filter(|service| is_voter(service))
            .map(|service| vote(service, challenger))
            .collect();
        if let Some(reason) =
            votes.iter().find_map(|vote| if let Vote::Failed(reason) = vote { Some(reason.clone()) } else { None })
        {
            return Some((challenger, Decision::RolledBack, reason));
        }
        let passed = votes.iter().all(|vote| *vote == Vote::Passed);
        let tried = match votes.len() {
            0 => "no service had to try it".to_owned(),
            1 => "a service tried it".to_owned(),
            several => format!("{several} services tried it"),
        };
        passed.then(|| (challenger, Decision::Promoted, format!("{merit}, and {tried}")))
    }

    /// Decisions are ordered by their time: one is never earlier than another of ours, whatever the clock says.
    fn not_before_others(&self, now: Timestamp) -> Timestamp {
        let decisions = self.versions.iter().flat_map(|placed| &placed.version.spec.decisions);
        decisions.filter(|record| record.by == MANAGER).map(|record| record.at).chain([now]).max().unwrap_or(now)
    }
}

impl Placed<'_> {
    fn may_challenge(&self, champion: Option<&ModelVersion>, policy: PromotionPolicy) -> bool {
        let newer = champion.is_none_or(|champion| self.version.spec.version > champion.spec.version);
        let allowed = match (&self.verdict, policy) {
            (Verdict::Pass, PromotionPolicy::Automatic) => true,
            (Verdict::Pass | Verdict::Hold(..), _) => self.record.approved,
            (Verdict::Fail(..), _) => false,
        };
        newer && allowed && self.state == VersionState::Candidate
    }
}

/// What the gates are to know of a version. A loss against one that was taken back says nothing of those that stand.
fn figures<'a>(version: &'a ModelVersion, champion: Option<&ModelVersion>, taken_back: &[u32]) -> Figures<'a> {
    let champion = champion.map(|champion| champion.spec.version);
    let later = version.status.as_ref().and_then(|status| status.comparison.as_ref()?.found.as_ref());
    let counts = |comparison: &&Comparison| !taken_back.contains(&comparison.version);
    let mut known = later.into_iter().chain(&version.spec.compared_with).filter(counts);
    let newest = known.clone().next();
    let comparison = known.find(|comparison| Some(comparison.version) == champion).or(newest);
    Figures { metrics: &version.spec.metrics, comparison, champion }
}

/// Where a version stands that neither decides nor is tried.
fn initial_state(record: &Record, verdict: &Verdict) -> VersionState {
    match record {
        Record { revoked: true, .. } => VersionState::Revoked,
        Record { rolled_back: true, .. } => VersionState::RolledBack,
        Record { denied: true, .. } => VersionState::Rejected,
        Record { promoted: Some(_), .. } | Record { superseded: true, .. } => VersionState::Retired,
        _ if matches!(verdict, Verdict::Fail(..)) => VersionState::Rejected,
        _ => VersionState::Candidate,
    }
}

fn is_same(version: &ModelVersion, other: Option<&ModelVersion>) -> bool {
    other.is_some_and(|other| other.spec.version == version.spec.version)
}

/// The number of the newest of two.
fn newest(one: Option<&ModelVersion>, other: Option<&ModelVersion>) -> Option<u32> {
    one.into_iter().chain(other).map(|version| version.spec.version).max()
}

/// What one service says of a challenger.
#[derive(Debug, PartialEq, Eq)]
enum Vote {
    Passed,
    Failed(String),
    Open,
}

/// Services that follow the champion and have pods vote.
fn is_voter(service: &PredictionService) -> bool {
    service.spec.model_ref.version.is_none()
        && service.spec.replicas > 0
        && service.metadata.deletion_timestamp.is_none()
}

fn vote(service: &PredictionService, challenger: &ModelVersion) -> Vote {
    let Some(status) = &service.status else { return Vote::Open };
    if let Some(rejected) = status.rejected_versions.iter().find(|rejected| rejected.run == challenger.spec.run_id) {
        return Vote::Failed(rejected.reason.clone());
    }
    let tried = status.rollout.as_ref().filter(|rollout| rollout.version == challenger.spec.version);
    if tried.is_some_and(|rollout| rollout.phase == RolloutPhase::Passed) { Vote::Passed } else { Vote::Open }
}
