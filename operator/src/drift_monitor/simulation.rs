//! Random histories of a monitor in a small simulated cluster: Jobs that end one way or another, champions that change,
//! pauses, requests, and an operator that may be killed after any write.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use underwriter_contract::{
    Digest,
    request::ArtifactRef,
    summary::{ColumnDrift, Failure, FailureReason, Scanned, Verdict},
};
use underwriter_crds::{
    DriftMonitorStatus,
    conditions::{check, holds, merge},
    loan_model::{Artifacts, Resolved},
};

use super::{
    decide::{Decision, decide},
    episode::{MAX_HISTORY, is_recorded},
    state::{Cause, Observed, Outcome, Scan},
    validate::Validated,
};
use crate::schedule::Schedule;

/// A scan's result, an hour after the one before.
pub fn scanned(index: i64, reference_version: u32, verdict: Verdict) -> Scanned {
    found(format!("scan-{index}"), Timestamp::UNIX_EPOCH + index.hours(), reference_version, verdict)
}

fn found(scan: String, at: Timestamp, reference_version: u32, verdict: Verdict) -> Scanned {
    let drifted = verdict == Verdict::Drifted;
    let column = ColumnDrift { name: "term".into(), distance: 0.31, threshold: 0.1, nulls_change: 0.0, drifted };
    let (from, to, report) = (None, None, "s3://artifacts/report/".into());
    let drifted_share = if drifted { 0.6 } else { 0.1 };
    let columns = vec![column];
    Scanned { scan, at, reference_version, rows: 3000, from, to, verdict, drifted_share, columns, new_bad: 120, report }
}

/// What befalls a monitor.
#[derive(Clone, Debug)]
enum Happening {
    /// The operator looks, and is killed after so many writes.
    Reconcile(usize),
    /// The running scan ends.
    End(End),
    /// Minutes pass.
    Pass(i32),
    /// Another version becomes champion.
    Promote,
    /// Another version becomes champion, trained for the drift that goes on.
    Answer,
    /// Somebody asks for a scan.
    Request,
    /// It is paused, or goes on.
    Suspend(bool),
    /// The status is deleted.
    Forget,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Found(Verdict),
    Failed(FailureReason),
}

struct World {
    now: Timestamp,
    champion: u32,
    /// The episodes that the champion was trained for.
    answers: Vec<String>,
    consecutive: u32,
    suspend: bool,
    requests: u32,
    scans: Vec<(Scan, u32)>,
    status: DriftMonitorStatus,
    /// Every cause that a Job was made for.
    causes: BTreeSet<String>,
    /// Whether statuses were deleted: then a request may be answered twice.
    forgot: bool,
}

impl World {
    fn new(consecutive: u32) -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            champion: 1,
            answers: Vec::new(),
            consecutive,
            suspend: false,
            requests: 0,
            scans: Vec::new(),
            status: DriftMonitorStatus::default(),
            causes: BTreeSet::new(),
            forgot: false,
        }
    }

    fn validated(&self) -> Validated {
        let artifacts = Artifacts { uri: "s3://artifacts/".into(), secret_ref: None };
        let (run, uri) = (format!("run{}", self.champion), "s3://artifacts/v/".into());
        Validated {
            schedule: Schedule::parse("*/30 * * * *", None).unwrap(),
            reference: ArtifactRef { version: self.champion, run, uri, digest: Digest::of(b"") },
            answers: self.answers.clone(),
            resolved: Resolved { artifacts, prediction_log: None, config_digest: Digest::of(b"") },
            consecutive: self.consecutive,
            suspend: self.suspend,
        }
    }

    fn observed(&self) -> Observed {
        let look = |(scan, _): &(Scan, u32)| {
            let known = is_recorded(&self.status.history, &scan.job, scan.created);
            let outcome = if known { Outcome::Known } else { scan.outcome.clone() };
            Scan { outcome, ..scan.clone() }
        };
        Observed {
            uid: "uid".into(),
            created: Timestamp::UNIX_EPOCH,
            requested: (self.requests > 0).then(|| format!("token-{}", self.requests)),
            scans: self.scans.iter().map(look).collect(),
            status: self.status.clone(),
        }
    }

    /// One pass, of which the first `writes` come through.
    fn reconcile(&mut self, writes: usize) -> Decision {
        let observed = self.observed();
        let decision = decide(&Ok(self.validated()), &observed, self.now);
        let conditions = merge(&self.status.conditions, decision.conditions.clone(), Some(1), self.now);
        check(&conditions).unwrap();
        if let Some(start) = &decision.start {
            assert!(!self.suspend, "a scan in a pause");
            assert!(observed.running().is_none(), "two scans at a time");
            let new = self.causes.insert(format!("{:?}", start.cause));
            assert!(new || self.forgot, "{start:?} twice");
            let (job, cause) = (format!("monitor-{}", start.suffix), start.cause.clone());
            if self.scans.iter().all(|(scan, _)| scan.job != job) {
                self.scans
                    .push((Scan { job, created: self.now, cause, outcome: Outcome::Running(None) }, self.champion));
            }
            if writes == 1 {
                return decision;
            }
        }
        for job in &decision.remove {
            let (scan, _) = self.scans.iter().find(|(scan, _)| scan.job == *job).unwrap();
            let written = matches!(scan.outcome, Outcome::Failed(_))
                || matches!(&scan.outcome, Outcome::Scanned(scanned)
                if is_recorded(&self.status.history, &scan.job, scanned.at));
            assert!(written, "{scan:?} is removed before it is written down");
        }
        let tally = decision.tally.clone();
        self.status = DriftMonitorStatus {
            last_scan: tally.last_scan,
            scan: decision.scan.clone(),
            history: tally.history,
            episode: tally.episode,
            last_schedule: decision.last_schedule,
            next_scan: decision.next_scan,
            last_handled_scan_request: decision.last_request.clone(),
            conditions,
            ..DriftMonitorStatus::default()
        };
        if writes > 2 {
            self.scans.retain(|(scan, _)| !decision.remove.contains(&scan.job));
        }
        decision
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Reconcile(writes) => drop(self.reconcile(*writes)),
            Happening::End(end) => {
                self.now += 1.minutes(); // a scan takes time: no two read the log at the same moment
                let now = self.now;
                let running = self.scans.iter_mut().find(|(scan, _)| matches!(scan.outcome, Outcome::Running(_)));
                if let Some((scan, reference)) = running {
                    scan.outcome = match end {
                        End::Found(verdict) => {
                            Outcome::Scanned(Box::new(found(scan.job.clone(), now, *reference, *verdict)))
                        }
                        End::Failed(reason) => Outcome::Failed(Failure::new(*reason, "it did not work")),
                    };
                }
            }
            Happening::Pass(minutes) => self.now += minutes.minutes(),
            Happening::Promote => (self.champion, self.answers) = (self.champion + 1, Vec::new()),
            Happening::Answer => {
                self.champion += 1;
                self.answers = self.status.episode.iter().map(|episode| episode.id.clone()).collect();
            }
            Happening::Request => self.requests += 1,
            Happening::Suspend(suspend) => self.suspend = *suspend,
            Happening::Forget => {
                self.status = DriftMonitorStatus::default();
                self.forgot = true;
            }
        }
    }

    /// What holds at any time.
    fn check(&self) {
        let episode = self.status.episode.as_ref();
        if holds(&self.status.conditions, underwriter_crds::conditions::ConditionType::Drifted) {
            let episode = episode.expect("drift without an episode");
            assert!(episode.scans >= self.consecutive, "{episode:?}");
            let last = self.status.last_scan.as_ref().expect("drift without a scan");
            let anew = self
                .status
                .history
                .iter()
                .any(|past| past.verdict == Verdict::Quiet && past.reference_version == episode.reference_version);
            let answered = episode.reference_version == self.champion && self.answers.contains(&episode.id);
            assert!(!(anew && answered), "{episode:?} goes on after a quiet scan");
            assert_eq!((last.verdict, last.reference_version), (Verdict::Drifted, episode.reference_version));
        }
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    let verdict =
        prop_oneof![3 => Just(Verdict::Drifted), 1 => Just(Verdict::Quiet), 1 => Just(Verdict::TooFewSamples)];
    let reason = prop_oneof![Just(FailureReason::ArtifactCorrupt), Just(FailureReason::Unreachable)];
    let end = prop_oneof![4 => verdict.prop_map(End::Found), 1 => reason.prop_map(End::Failed)];
    prop_oneof![
        10 => prop_oneof![4 => Just(usize::MAX), 1 => 1..3_usize].prop_map(Happening::Reconcile),
        8 => end.prop_map(Happening::End),
        8 => (1..45_i32).prop_map(Happening::Pass),
        1 => Just(Happening::Promote),
        1 => Just(Happening::Answer),
        1 => Just(Happening::Request),
        1 => any::<bool>().prop_map(Happening::Suspend),
        1 => Just(Happening::Forget),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]
    #[test]
    fn no_history_breaks_what_a_monitor_promises(
        consecutive in 1..6_u32,
        history in prop::collection::vec(happening(), 1..120),
    ) {
        let mut world = World::new(consecutive);
        for happening in &history {
            world.happen(happening);
            world.check();
        }
        world.happen(&Happening::End(End::Found(Verdict::Quiet)));
        (0..3).for_each(|_| drop(world.reconcile(usize::MAX))); // a request, a moment of the schedule, nothing
        let before = world.status.clone();
        let decision = world.reconcile(usize::MAX);
        prop_assert_eq!((&world.status, decision.start, decision.remove), (&before, None, vec![]));
        prop_assert!(decision.notices.is_empty(), "{:?}", decision.notices);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    /// The kept Jobs are enough: the count and the name of an episode come out again.
    #[test]
    fn a_deleted_status_comes_out_again(
        consecutive in 1..6_u32,
        verdicts in prop::collection::vec(0..3_usize, 1..30),
        answered in 0..30_usize,
    ) {
        let kinds = [Verdict::Drifted, Verdict::Quiet, Verdict::Drifted];
        let mut world = World::new(consecutive);
        let total = verdicts.len();
        for (number, index) in verdicts.into_iter().enumerate() {
            if number == answered && total - number < MAX_HISTORY {
                world.happen(&Happening::Answer);
            }
            world.happen(&Happening::Pass(31));
            world.reconcile(usize::MAX);
            world.happen(&Happening::End(End::Found(kinds[index])));
            world.reconcile(usize::MAX);
            world.reconcile(usize::MAX);
        }
        let before = world.status.clone();
        world.happen(&Happening::Forget);
        world.reconcile(usize::MAX);
        let id = |status: &DriftMonitorStatus| status.episode.as_ref().map(|episode| episode.id.clone());
        prop_assert_eq!(id(&world.status), id(&before));
        let states = |status: &DriftMonitorStatus| -> Vec<_> {
            status.conditions.iter().map(|condition| (condition.type_.clone(), condition.status.clone())).collect()
        };
        prop_assert_eq!(states(&world.status), states(&before));
    }
}

/// Scans once, with this verdict.
fn scan(world: &mut World, verdict: Verdict) {
    world.happen(&Happening::Pass(31));
    world.reconcile(usize::MAX);
    world.happen(&Happening::End(End::Found(verdict)));
    world.reconcile(usize::MAX);
}

fn drifted(world: &World) -> (&str, &str) {
    let condition = world.status.conditions.iter().find(|condition| condition.type_ == "Drifted").unwrap();
    (&condition.status, &condition.reason)
}

#[test]
fn drift_counts_from_the_second_verdict_on_and_names_its_columns() {
    let mut world = World::new(2);
    world.reconcile(usize::MAX);
    assert_eq!(drifted(&world), ("Unknown", "NotScanned"));
    scan(&mut world, Verdict::Drifted);
    assert_eq!(drifted(&world), ("False", "DriftUnconfirmed"));
    scan(&mut world, Verdict::TooFewSamples);
    assert_eq!(drifted(&world), ("Unknown", "TooFewSamples"));
    scan(&mut world, Verdict::Drifted);
    assert_eq!(drifted(&world), ("True", "DriftDetected"));
    assert!(world.status.conditions[1].message.contains("term (0.310)"), "{:?}", world.status.conditions);
    world.happen(&Happening::Promote);
    world.reconcile(usize::MAX);
    assert_eq!((drifted(&world), world.status.episode.is_none()), (("Unknown", "NotScanned"), true));
}

#[test]
fn a_pause_is_not_caught_up_with() {
    let mut world = World::new(2);
    world.reconcile(usize::MAX);
    world.happen(&Happening::Suspend(true));
    world.reconcile(usize::MAX);
    world.happen(&Happening::Pass(500));
    world.happen(&Happening::Suspend(false));
    assert_eq!(world.reconcile(usize::MAX).start, None);
    assert_eq!(world.reconcile(usize::MAX).start, None);
    world.happen(&Happening::Pass(30));
    assert!(world.reconcile(usize::MAX).start.is_some());
}

#[test]
fn missed_moments_are_caught_up_with_once_and_a_request_starts_at_once() {
    let mut world = World::new(2);
    world.happen(&Happening::Pass(500));
    let due: Timestamp = "1970-01-01T08:00:00Z".parse().unwrap();
    assert_eq!(world.reconcile(usize::MAX).start.unwrap().cause, Cause::Scheduled(due));
    world.happen(&Happening::End(End::Found(Verdict::Quiet)));
    assert_eq!(world.reconcile(usize::MAX).start, None);
    world.happen(&Happening::Request);
    assert_eq!(world.reconcile(usize::MAX).start.unwrap().cause, Cause::Requested("token-1".into()));
}

#[test]
fn a_failed_scan_says_what_is_wrong_until_the_next() {
    let mut world = World::new(2);
    for (reason, stalls) in [(FailureReason::Unreachable, false), (FailureReason::ArtifactCorrupt, true)] {
        world.happen(&Happening::Pass(31));
        world.reconcile(usize::MAX);
        world.happen(&Happening::End(End::Failed(reason)));
        let decision = world.reconcile(usize::MAX);
        assert_eq!(decision.notices.len(), 1, "{decision:?}");
        let conditions = &world.status.conditions;
        assert!(
            conditions[0].status == "False" && conditions[0].message.ends_with("it did not work"),
            "{conditions:?}"
        );
        assert_eq!(conditions.iter().any(|condition| condition.type_ == "Stalled"), stalls);
    }
    scan(&mut world, Verdict::Quiet);
    assert_eq!(world.status.conditions[0].status, "True");
}
