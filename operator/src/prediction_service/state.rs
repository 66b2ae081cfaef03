//! What a service and its children look like, as plain values: all that is decided from.
//!
//! A rollout's memory is its children. The traffic ConfigMap says who answers, at which step, since when, and which runs
//! were rejected; the Deployment says which versions its pods hold. The status only adds figures of vanished pods.
//! Reading these from a cluster is [`super::observe`].

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use underwriter_contract::{
    request::ArtifactRef,
    serving::{Analysis, Traffic},
};
use underwriter_crds::prediction_service::{RejectedVersion, RolloutStatus};

/// The most rejected runs that are remembered.
pub const MAX_REJECTED: usize = 10;

/// All that is decided from.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Who answers.
    pub traffic: Option<TrafficState>,
    /// What is served.
    pub deployment: Option<DeploymentState>,
    /// The pods; listed only while something is under way.
    pub pods: Vec<PodState>,
    /// The trial as it was written down last.
    pub rollout: Option<RolloutStatus>,
    /// The rejected versions as they were written down last, should the ConfigMap be lost.
    pub rejected: Vec<RejectedVersion>,
}

impl Observed {
    /// Pods that are not being deleted.
    pub fn staying(&self) -> impl Iterator<Item = &PodState> {
        self.pods.iter().filter(|pod| !pod.deleting)
    }

    /// Pods that clients are sent to.
    pub fn ready(&self) -> impl Iterator<Item = &PodState> {
        self.staying().filter(|pod| pod.ready)
    }

    /// The greatest generation that anybody was told.
    #[must_use]
    pub fn generation(&self) -> u64 {
        let written = self.traffic.as_ref().map(|state| state.traffic.generation);
        let recorded = self.rollout.as_ref().map(|rollout| rollout.generation);
        let held = self.pods.iter().filter_map(|pod| pod.analysis.as_ref()).map(|analysis| analysis.generation);
        held.chain(written).chain(recorded).max().unwrap_or_default()
    }

    /// Ready pods that do not hold the traffic yet, or do not say so.
    pub fn behind(&self) -> impl Iterator<Item = &PodState> {
        let generation = self.traffic.as_ref().map_or(0, |state| state.traffic.generation);
        self.ready().filter(move |pod| !pod.holds(generation))
    }
}

/// The traffic ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficState {
    /// What the pods read.
    pub traffic: Traffic,
    /// What the operator adds for itself.
    pub record: Record,
}

/// What the operator remembers beside the traffic, written in one go with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// Index of the step that the canary's weight is of.
    pub step: u32,
    /// Versions that were tried and went back, the newest last.
    pub rejected: Vec<RejectedVersion>,
}

impl Record {
    /// Whether this run was tried and went back. A number may come again after a restore, a run never does.
    #[must_use]
    pub fn rejects(&self, run: &str) -> bool {
        self.rejected.iter().any(|rejected| rejected.run == run)
    }

    /// With one more rejected, the oldest forgotten where there are too many.
    #[must_use]
    pub fn rejecting(mut self, version: &ArtifactRef, reason: &str) -> Self {
        let reason = reason.chars().take(512).collect();
        self.rejected.push(RejectedVersion { version: version.version, run: version.run.clone(), reason });
        let surplus = self.rejected.len().saturating_sub(MAX_REJECTED);
        self.rejected.drain(..surplus);
        Self { step: 0, ..self }
    }
}

/// The Deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentState {
    /// The versions that its template loads, the stable one first.
    pub versions: Vec<ArtifactRef>,
    /// Pods wanted.
    pub wanted: i32,
    /// Pods there are, of any revision, those that are ending not counted.
    pub replicas: i32,
    /// Those of the newest revision.
    pub updated: i32,
    /// Those that are ready.
    pub ready: i32,
    /// Whether these figures are of the newest revision.
    pub current: bool,
    /// Whether it missed its progress deadline.
    pub late: bool,
}

impl DeploymentState {
    /// Whether every pod there is has the newest template, and somebody answers where somebody should.
    #[must_use]
    pub const fn rolled_out(&self) -> bool {
        self.current && self.updated == self.replicas && (self.ready > 0 || self.wanted == 0)
    }

    /// Whether all pods that are wanted are there and ready besides.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.rolled_out() && self.replicas == self.wanted && self.ready == self.wanted
    }

    /// Whether its template loads just this artifact under its number.
    #[must_use]
    pub fn loads(&self, version: &ArtifactRef) -> bool {
        self.versions.contains(version)
    }

    /// The artifact of a number.
    #[must_use]
    pub fn artifact(&self, number: u32) -> Option<&ArtifactRef> {
        self.versions.iter().find(|version| version.version == number)
    }
}

/// One pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodState {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Option<IpAddr>,
    /// The numbers of the versions it was started with.
    pub versions: Vec<u32>,
    /// Whether clients are sent to it.
    pub ready: bool,
    /// Since when it is so, or is not.
    pub ready_since: Option<Timestamp>,
    /// When kubelet took it up.
    pub started: Option<Timestamp>,
    /// How often its process was started anew.
    pub restarts: u32,
    /// How its process ended last.
    pub ended: Option<Ended>,
    /// What its process waits for before it can start, for instance `ImagePullBackOff`.
    pub waits_for: Option<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The generation it was pointed at.
    pub told: u64,
    /// What it reports; none when it cannot be read.
    pub analysis: Option<Analysis>,
}

impl PodState {
    /// Whether this generation is in force in it.
    #[must_use]
    pub fn holds(&self, generation: u64) -> bool {
        self.analysis.as_ref().is_some_and(|analysis| analysis.generation == generation && analysis.active)
    }

    /// Whether its process ended at or after a moment.
    #[must_use]
    pub fn restarted_since(&self, moment: Timestamp) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.at >= moment)
    }

    /// Whether it was up before a moment, and has been unready since.
    #[must_use]
    pub fn unready_since(&self, moment: Timestamp) -> bool {
        let up_before = self.started.is_some_and(|started| started < moment);
        !self.ready && up_before && self.ready_since.is_some_and(|since| since >= moment)
    }
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// When.
    pub at: Timestamp,
    /// What it said at the end, or what Kubernetes says of it.
    pub message: String,
}
