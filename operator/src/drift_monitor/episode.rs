//! Verdicts folded into a count: when drift begins, when it counts, when it is over.
//!
//! An episode is drift against one reference. It is named by the monitor's UID, the reference version and the first
//! drifted scan, so that a run can name and consume it, and so that folding the same scans again gives the same name.
//!
//! Drift that goes on against the very version that was trained for it is the same episode, by its old name: the run that
//! consumed it did not help, and none is to follow.

use jiff::Timestamp;
use underwriter_contract::summary::{Scanned, Verdict};
use underwriter_crds::drift_monitor::{Episode, PastScan};

/// The most verdicts remembered.
pub const MAX_HISTORY: usize = 10;

/// What all scans so far have come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// The newest scan against the reference.
    pub last_scan: Option<Scanned>,
    /// The newest verdicts, oldest first.
    pub history: Vec<PastScan>,
    /// The drift that is going on.
    pub episode: Option<Episode>,
}

/// Whether what a Job found is written down: in the history, or so long ago that a full history has dropped it.
#[must_use]
pub fn is_recorded(history: &[PastScan], job: &str, created: Timestamp) -> bool {
    let dropped = history.len() >= MAX_HISTORY && history.first().is_some_and(|oldest| created < oldest.at);
    dropped || history.iter().any(|past| past.scan == job)
}

/// What scans are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// The champion's number.
    pub version: u32,
    /// The episodes that it was trained for, of whatever monitor.
    pub answers: &'a [String],
}

impl Tally {
    /// Folds in one more scan of the monitor of this UID. One against a version that is not the champion any more stays
    /// in the history, and says nothing else.
    #[must_use]
    pub fn with(mut self, scan: &Scanned, uid: &str, reference: Reference<'_>) -> Self {
        self.history.push(past(scan));
        let surplus = self.history.len().saturating_sub(MAX_HISTORY);
        self.history.drain(..surplus);
        if scan.reference_version != reference.version {
            return self;
        }
        self.episode = match scan.verdict {
            Verdict::Quiet => None,
            Verdict::Drifted => {
                let unhelped = unhelped(&self.history, uid, reference);
                Some(continued(self.episode, scan, uid, unhelped))
            }
            Verdict::TooFewSamples => self.episode,
        };
        self.last_scan = Some(scan.clone());
        self
    }

    /// Drops what was found against another version than the champion.
    #[must_use]
    pub fn against(mut self, champion: u32) -> Self {
        self.episode = self.episode.filter(|episode| episode.reference_version == champion);
        self
    }
}

fn past(scan: &Scanned) -> PastScan {
    let Scanned { scan, at, reference_version, verdict, drifted_share, .. } = scan;
    PastScan {
        scan: scan.clone(),
        at: *at,
        reference_version: *reference_version,
        verdict: *verdict,
        drifted_share: *drifted_share,
    }
}

/// The episode that the reference was trained for, while no scan against it was quiet.
fn unhelped<'a>(history: &[PastScan], uid: &str, Reference { version, answers }: Reference<'a>) -> Option<&'a str> {
    let quiet = |past: &PastScan| past.reference_version == version && past.verdict == Verdict::Quiet;
    let own = answers.iter().find(|id| id.strip_prefix(uid).is_some_and(|rest| rest.starts_with("-v")))?;
    (!history.iter().any(quiet)).then_some(own)
}

fn continued(episode: Option<Episode>, scan: &Scanned, uid: &str, unhelped: Option<&str>) -> Episode {
    let reference_version = scan.reference_version;
    match episode.filter(|episode| episode.reference_version == reference_version) {
        Some(episode) => Episode { scans: episode.scans + 1, ..episode },
        None => Episode {
            id: unhelped.map_or_else(|| format!("{uid}-v{reference_version}-{}", scan.scan), str::to_owned),
            reference_version,
            scans: 1,
            since: scan.at,
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use proptest::prelude::*;

    use super::*;
    use crate::drift_monitor::simulation::scanned;

    fn reference(version: u32) -> Reference<'static> {
        Reference { version, answers: &[] }
    }

    #[test]
    fn drift_against_the_version_that_was_trained_for_it_is_the_same_episode_until_a_quiet_scan() {
        let before = Tally::default().with(&scanned(0, 1, Verdict::Drifted), "uid", reference(1));
        let answers = ["other-v1-scan-7".to_owned(), before.episode.clone().unwrap().id];
        let second = Reference { version: 2, answers: &answers };
        let fold = |tally: Tally, index, verdict| tally.with(&scanned(index, 2, verdict), "uid", second);
        let id = |tally: &Tally| tally.episode.clone().map(|episode| (episode.id, episode.reference_version));
        let unhelped = fold(fold(before.against(2), 1, Verdict::TooFewSamples), 2, Verdict::Drifted);
        assert_eq!(id(&unhelped), Some((answers[1].clone(), 2)));
        let anew = fold(fold(unhelped, 3, Verdict::Quiet), 4, Verdict::Drifted);
        assert_eq!(id(&anew), Some(("uid-v2-scan-4".into(), 2)));
        let other = Tally::default().with(&scanned(1, 2, Verdict::Drifted), "uid2", second);
        assert_eq!(id(&other), Some(("uid2-v2-scan-1".into(), 2)));
    }

    #[test]
    fn an_episode_goes_on_until_a_quiet_scan() {
        let fold = |tally: Tally, (index, verdict): (i64, Verdict)| {
            tally.with(&scanned(index, 1, verdict), "uid", reference(1))
        };
        let verdicts = [Verdict::Quiet, Verdict::Drifted, Verdict::TooFewSamples, Verdict::Drifted];
        let tally = (0..).zip(verdicts).fold(Tally::default(), fold);
        let episode = tally.episode.clone().unwrap();
        assert_eq!((episode.id.as_str(), episode.scans), ("uid-v1-scan-1", 2));
        assert_eq!(episode.since, Timestamp::UNIX_EPOCH + 1.hour());
        assert_eq!(fold(tally, (4, Verdict::Quiet)).episode, None);
    }

    #[test]
    fn a_verdict_against_a_former_champion_says_nothing() {
        let tally = Tally::default().with(&scanned(0, 1, Verdict::Drifted), "uid", reference(1));
        let later = tally.clone().against(2).with(&scanned(1, 1, Verdict::Drifted), "uid", reference(2));
        assert_eq!((later.episode, later.last_scan), (None, tally.last_scan));
        assert_eq!(later.history.len(), 2);
    }

    #[test]
    fn what_a_full_history_has_dropped_is_recorded_and_what_is_new_is_not() {
        let fold = |tally: Tally, index| tally.with(&scanned(index, 1, Verdict::Drifted), "uid", reference(1));
        let created = |index: i64| Timestamp::UNIX_EPOCH + (60 * index - 5).minutes();
        let short = (1..5).fold(Tally::default(), fold).history;
        assert!(is_recorded(&short, "scan-4", created(4)) && !is_recorded(&short, "scan-0", created(0)));
        let full = (1..15).fold(Tally::default(), fold).history;
        assert!(is_recorded(&full, "scan-2", created(2)) && !is_recorded(&full, "scan-15", created(15)));
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_drifted_verdicts_since_the_last_quiet_one(verdicts in prop::collection::vec(0..3_usize, 0..40)) {
            let kinds = [Verdict::Quiet, Verdict::Drifted, Verdict::TooFewSamples];
            let verdicts: Vec<_> = verdicts.into_iter().map(|index| kinds[index]).collect();
            let tally = (0..).zip(&verdicts).fold(Tally::default(), |tally, (index, verdict)| {
                tally.with(&scanned(index, 3, *verdict), "uid", reference(3))
            });
            let since = verdicts.iter().rev().take_while(|verdict| **verdict != Verdict::Quiet);
            let count = since.filter(|verdict| **verdict == Verdict::Drifted).count();
            prop_assert_eq!(tally.episode.map_or(0, |episode| episode.scans as usize), count);
            prop_assert_eq!(tally.history.len(), verdicts.len().min(MAX_HISTORY));
        }
    }
}
