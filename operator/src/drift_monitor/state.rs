//! What a monitor and its Jobs look like, as plain values: all that is decided from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use underwriter_contract::summary::{Failure, Scanned};
use underwriter_crds::DriftMonitorStatus;

/// All that is decided from.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The monitor's UID.
    pub uid: String,
    /// When it was made: nothing was due before.
    pub created: Timestamp,
    /// The token of its annotation that asks for a scan.
    pub requested: Option<String>,
    /// Its Jobs.
    pub scans: Vec<Scan>,
    /// What was written down.
    pub status: DriftMonitorStatus,
}

impl Observed {
    /// Scans that have ended, oldest first.
    #[must_use]
    pub fn ended(&self) -> Vec<&Scan> {
        let mut ended: Vec<_> = self.scans.iter().filter(|scan| !matches!(scan.outcome, Outcome::Running(_))).collect();
        ended.sort_by(|a, b| (a.created, &a.job).cmp(&(b.created, &b.job)));
        ended
    }

    /// The scan that is going on.
    #[must_use]
    pub fn running(&self) -> Option<&Scan> {
        self.scans.iter().find(|scan| matches!(scan.outcome, Outcome::Running(_)))
    }
}

/// A scan's Job.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// Its name, which is the scan's id.
    pub job: String,
    /// When it was created.
    pub created: Timestamp,
    /// Why.
    pub cause: Cause,
    /// How far it is.
    pub outcome: Outcome,
}

/// Why a scan was started; an annotation of its Job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// The moment of the schedule.
    Scheduled(Timestamp),
    /// The token of the request.
    Requested(String),
}

/// How far a scan is.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is going on; with what its pod waits for, where it waits.
    Running(Option<String>),
    /// It was folded in before; its message was not read again.
    Known,
    /// It found something.
    Scanned(Box<Scanned>),
    /// It did not work.
    Failed(Failure),
}
