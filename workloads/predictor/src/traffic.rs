//! Which version answers whom, now and next.
//!
//! [`Switch`] takes what stands in the traffic file and the time, and says which traffic is in force: the newest
//! generation that names loaded versions, from its `activeFrom` on. What cannot be read or names a version that is not
//! here changes nothing, and is reported. [`watch`] brings it the file.

pub mod watch;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use underwriter_contract::{
    predict::Verdict,
    readable,
    serving::{Traffic, VersionFigures},
};

use crate::{figures::Figures, version::Version};

/// The versions that a process has loaded.
pub type Versions = [Arc<Version>];

/// A traffic in force.
#[derive(Debug)]
pub struct InForce {
    /// Its generation.
    pub generation: u64,
    /// The version that answers.
    pub stable: Arm,
    /// The version that answers some.
    pub canary: Option<Trial>,
}

/// A version under one generation.
#[derive(Debug)]
pub struct Arm {
    /// Which.
    pub version: Arc<Version>,
    /// What it did under this generation.
    pub figures: Figures,
}

impl Arm {
    /// Counts an application that it could not answer.
    pub fn erred(&self, took: Duration) {
        self.figures.asked(took);
        self.figures.erred();
        self.version.tally.errors.inc();
    }
}

/// A version on trial.
#[derive(Debug)]
pub struct Trial {
    /// Which, and how it does.
    pub arm: Arm,
    /// Percent of the applicants.
    pub weight: u8,
}

/// Why a traffic cannot come into force.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrafficError {
    /// The file is missing, or no traffic.
    #[error("the traffic file cannot be read: {0}")]
    Unreadable(String),
    /// It was written by another release.
    #[error("traffic of format {0} cannot be read by this release")]
    Format(u32),
    /// It names a version that is not loaded.
    #[error("generation {generation} names version {version}, which this pod does not serve")]
    UnknownVersion {
        /// The traffic's.
        generation: u64,
        /// The one that is missing.
        version: u32,
    },
    /// More than all, or a trial against itself.
    #[error("generation {0}: a canary needs a version of its own and a weight of at most 100")]
    InvalidCanary(u64),
}

impl InForce {
    /// Brings a traffic into force, with new figures.
    ///
    /// # Errors
    /// It names a version that is not loaded, or an impossible canary.
    pub fn new(traffic: &Traffic, versions: &Versions) -> Result<Self, TrafficError> {
        let Traffic { format, generation, active_from: _, stable, canary } = *traffic;
        if !readable(format) {
            return Err(TrafficError::Format(format));
        }
        if canary.is_some_and(|canary| canary.weight > 100 || canary.version == stable) {
            return Err(TrafficError::InvalidCanary(generation));
        }
        let arm = |version| {
            let found = versions.iter().find(|loaded| loaded.number() == version);
            let found = found.ok_or(TrafficError::UnknownVersion { generation, version })?;
            Ok(Arm { version: Arc::clone(found), figures: Figures::default() })
        };
        let canary = canary.map(|canary| Ok(Trial { arm: arm(canary.version)?, weight: canary.weight })).transpose()?;
        Ok(Self { generation, stable: arm(stable)?, canary })
    }

    fn arms(&self) -> impl Iterator<Item = &Arm> {
        std::iter::once(&self.stable).chain(self.canary.as_ref().map(|trial| &trial.arm))
    }

    /// What each version has done.
    #[must_use]
    pub fn figures(&self) -> Vec<VersionFigures> {
        self.arms().map(|arm| arm.figures.of(arm.version.number())).collect()
    }

    /// Counts an answer for Prometheus.
    pub fn answered(&self, version: u32, verdict: Verdict) {
        if let Some(arm) = self.arms().find(|arm| arm.version.number() == version) {
            arm.version.tally.answered(verdict);
        }
    }
}

/// The traffic that was read last, and whether it is in force.
#[derive(Debug, Default)]
pub struct Switch {
    held: Option<Traffic>,
    next: Option<InForce>,
}

impl Switch {
    /// Takes what was read. A generation that is not greater than the one held is nothing new.
    ///
    /// # Errors
    /// It cannot come into force; what was held stays.
    pub fn read(&mut self, text: &[u8], versions: &Versions) -> Result<(), TrafficError> {
        let traffic: Traffic =
            serde_json::from_slice(text).map_err(|error| TrafficError::Unreadable(error.to_string()))?;
        let next = InForce::new(&traffic, versions)?;
        if self.held.as_ref().is_none_or(|held| traffic.generation > held.generation) {
            self.held = Some(traffic);
            self.next = Some(next);
        }
        Ok(())
    }

    /// The traffic that comes into force now, once.
    pub fn due(&mut self, now: Timestamp) -> Option<InForce> {
        self.next.take_if(|_| self.held.as_ref().is_some_and(|held| held.active_from <= now))
    }

    /// When the traffic held comes into force, where it is not yet.
    #[must_use]
    pub fn waits_until(&self) -> Option<Timestamp> {
        self.next.as_ref().and(self.held.as_ref()).map(|held| held.active_from)
    }

    /// The generation held.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        self.held.as_ref().map(|held| held.generation)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan};
    use proptest::prelude::*;

    use super::{Switch, TrafficError};
    use crate::testing;

    fn traffic(generation: u64, stable: u32, canary: Option<u32>, active_from: Timestamp) -> Vec<u8> {
        let canary = canary.map(|version| serde_json::json!({"version": version, "weight": 10}));
        let traffic = serde_json::json!({
            "format": 1, "generation": generation, "activeFrom": active_from, "stable": stable, "canary": canary
        });
        traffic.to_string().into_bytes()
    }

    #[test]
    fn a_generation_comes_into_force_at_its_moment_and_once() {
        let versions = [testing::version(1), testing::version(2)];
        let start = Timestamp::UNIX_EPOCH;
        let mut switch = Switch::default();
        switch.read(&traffic(1, 1, None, start), &versions).unwrap();
        assert_eq!(switch.due(start).unwrap().generation, 1);
        assert!(switch.due(start).is_none());

        let moment = start + 5.seconds();
        switch.read(&traffic(2, 1, Some(2), moment), &versions).unwrap();
        assert_eq!((switch.generation(), switch.waits_until()), (Some(2), Some(moment)));
        assert!(switch.due(moment - 1.nanosecond()).is_none());
        let in_force = switch.due(moment).unwrap();
        assert_eq!(in_force.canary.unwrap().arm.version.number(), 2);
        assert_eq!(switch.waits_until(), None);
    }

    #[test]
    fn what_cannot_come_into_force_changes_nothing() {
        let versions = [testing::version(1)];
        let now = Timestamp::UNIX_EPOCH;
        let mut switch = Switch::default();
        switch.read(&traffic(5, 1, None, now), &versions).unwrap();
        let unknown = switch.read(&traffic(6, 1, Some(2), now), &versions);
        assert_eq!(unknown, Err(TrafficError::UnknownVersion { generation: 6, version: 2 }));
        assert_eq!(switch.read(&traffic(7, 1, Some(1), now), &versions), Err(TrafficError::InvalidCanary(7)));
        switch.read(&traffic(4, 1, None, now), &versions).unwrap();
        assert_eq!(switch.generation(), Some(5));
        assert_eq!(switch.due(now).unwrap().generation, 5);
    }

    proptest! {
        #[test]
        fn nonsense_changes_nothing(text: Vec<u8>) {
            let mut switch = Switch::default();
            prop_assert!(switch.read(&text, &[]).is_err());
            prop_assert_eq!(switch.generation(), None);
        }
    }
}
