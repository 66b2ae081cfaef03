//! Every name, label and annotation of what the operator writes. Nobody else puts one together.

use std::{collections::BTreeMap, fmt};

use kube::{Resource, ResourceExt as _};
use underwriter_contract::Digest;

use crate::Error;

/// The field manager, the value of `managed-by` and the reporter of events.
pub const MANAGER: &str = "underwriter";

/// Label keys.
pub mod label {
    /// What the object belongs to as software.
    pub const NAME: &str = "app.kubernetes.io/name";
    /// The LoanModel, PredictionService or DriftMonitor that it was made for.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
    /// What it does; a [`Component`](super::Component).
    pub const COMPONENT: &str = "app.kubernetes.io/component";
    /// Who wrote it.
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// The LoanModel.
    pub const MODEL: &str = "underwriter.dev/model";
    /// The number of the version.
    pub const VERSION: &str = "underwriter.dev/version";
    /// The run's id.
    pub const RUN: &str = "underwriter.dev/run";
    /// Set by a person, by a template: the queue of Kueue that holds a Job back until there is room.
    pub const QUEUE: &str = "kueue.x-k8s.io/queue-name";
    /// Set by Kubernetes on the pods of a Job.
    pub const JOB: &str = "batch.kubernetes.io/job-name";
}

/// Annotation keys.
pub mod annotation {
    /// On a training Job: the [`Origin`](crate::loan_model::build::Origin) as JSON, from which its result can be written down.
    pub const ORIGIN: &str = "underwriter.dev/origin";
    /// On a Job that compares: which version with which champion, as JSON.
    pub const COMPARISON: &str = "underwriter.dev/comparison";
    /// On a scan Job: what it was asked, so that its result can be written down.
    pub const SCAN: &str = "underwriter.dev/scan";
    /// On every applied object: digest of what was wanted, so that a field that is wanted no longer is noticed.
    pub const DIGEST: &str = "underwriter.dev/digest";
    /// On a Deployment and its template: what the revision was made for.
    pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
    /// On a prediction pod: touched so that kubelet brings the traffic at once.
    pub const TRAFFIC: &str = "underwriter.dev/traffic-generation";
    /// On a traffic ConfigMap: the step it is of and the versions that were rejected, as JSON.
    pub const ROLLOUT: &str = "underwriter.dev/rollout";
}

/// What an object does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// Makes a version.
    Training,
    /// Tries points for a version.
    Sweep,
    /// Compares a window with its reference.
    DriftScan,
    /// Answers applications.
    Predictor,
    /// Shows versions in another registry.
    RegistryMirror,
    /// Compares a version with a champion that its training did not know.
    Comparison,
}

impl Component {
    /// Its value as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Sweep => "sweep",
            Self::DriftScan => "drift-scan",
            Self::Predictor => "predictor",
            Self::RegistryMirror => "registry-mirror",
            Self::Comparison => "comparison",
        }
    }
}

/// The name of a LoanModel, PredictionService or DriftMonitor: a lower-case letter, then letters, digits and dashes, at
/// most [`Name::MAX`] characters, so that the name of every child fits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The most characters; with `-v`, a number, `-a` and a number a child's name stays within the 63 of a label.
    pub const MAX: usize = 40;

    /// Reads a name.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let letter = text.starts_with(|first: char| first.is_ascii_lowercase());
        let rest = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let valid = letter && rest && !text.ends_with('-') && text.len() <= Self::MAX;
        if valid { Ok(Self(text.to_owned())) } else { Err(Error::NameInvalid { name: text.to_owned() }) }
    }

    /// The name of an object.
    ///
    /// # Errors
    /// When it is not one of ours: the CRD's validation was taken out.
    pub fn of(object: &impl Resource) -> Result<Self, Error> {
        Self::parse(&object.name_any())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Job of an attempt at a version; attempts count from 1.
    #[must_use]
    pub fn training_job(&self, version: u32, attempt: u32) -> String {
        numbered(self.model_version(version), attempt)
    }

    /// The Job that tries points for an attempt at a version.
    #[must_use]
    pub fn sweep_job(&self, version: u32, attempt: u32) -> String {
        format!("{}-sweep", self.training_job(version, attempt))
    }

    /// The ModelVersion of a number.
    #[must_use]
    pub fn model_version(&self, version: u32) -> String {
        format!("{self}-v{version}")
    }

    /// The Job of an attempt at comparing a version with a champion; attempts count from 1.
    #[must_use]
    pub fn comparison_job(&self, version: u32, champion: u32, attempt: u32) -> String {
        let first = format!("{}-vs-v{champion}", self.model_version(version));
        numbered(first, attempt)
    }

    /// The Job that makes a registry show what has this digest.
    #[must_use]
    pub fn mirror_job(&self, digest: &Digest) -> String {
        format!("{self}-mirror-{}", digest.short(8))
    }

    /// The ConfigMap with a service's traffic.
    #[must_use]
    pub fn traffic(&self) -> String {
        format!("{self}-traffic")
    }

    /// The Job of a monitor's scan; `suffix` is the scheduled time in seconds, or stands for a request.
    #[must_use]
    pub fn scan_job(&self, suffix: &str) -> String {
        format!("{self}-{suffix}")
    }
}

/// The name of a Job's first attempt, or of a later one.
fn numbered(first: String, attempt: u32) -> String {
    if attempt <= 1 { first } else { format!("{first}-a{attempt}") }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The labels of a child: what selects it (see [`selector`]), its model and who wrote it.
#[must_use]
pub fn labels(component: Component, instance: &Name, model: &str) -> BTreeMap<String, String> {
    let mut labels = selector(component, instance);
    labels.insert(label::MANAGED_BY.into(), MANAGER.into());
    labels.insert(label::MODEL.into(), model.into());
    labels
}

/// The labels that select the children of one object and component; they never change.
#[must_use]
pub fn selector(component: Component, instance: &Name) -> BTreeMap<String, String> {
    let component_name = format!("underwriter-{}", component.as_str());
    let pairs = [
        (label::NAME, component_name.as_str()),
        (label::INSTANCE, instance.as_str()),
        (label::COMPONENT, component.as_str()),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_the_crd() {
        for name in ["a", "consumer-loans", "x1", &"a".repeat(40)] {
            assert!(Name::parse(name).is_ok(), "{name}");
        }
        for name in ["", "1a", "-a", "a-", "A", "a.b", "ä", &"a".repeat(41)] {
            assert!(Name::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_attempt_is_told_from_the_first() {
        let name = Name::parse("loans").unwrap();
        assert_eq!((name.training_job(3, 1), name.training_job(3, 2)), ("loans-v3".into(), "loans-v3-a2".into()));
        let compared = [1, 2].map(|attempt| name.comparison_job(3, 1, attempt));
        assert_eq!(compared, ["loans-v3-vs-v1", "loans-v3-vs-v1-a2"]);
    }

    proptest! {
        /// Kubernetes names the pods of an indexed Job by their index, and takes that for a host's name.
        #[test]
        fn the_host_of_every_trial_fits_a_label(name in "[a-z]([-a-z0-9]{0,38}[a-z0-9])?", version in 0_u32..100_000, attempt in 0_u32..100) {
            let host = format!("{}-199", Name::parse(&name).unwrap().sweep_job(version, attempt));
            prop_assert!(host.len() <= 63, "{host}");
        }

        #[test]
        fn the_name_of_a_comparison_fits_a_label(name in "[a-z]([-a-z0-9]{0,38}[a-z0-9])?", version in 0_u32..100_000, champion in 0_u32..100_000, attempt in 0_u32..100) {
            let job = Name::parse(&name).unwrap().comparison_job(version, champion, attempt);
            prop_assert!(job.len() <= 63, "{job}");
        }

        #[test]
        fn every_childs_name_fits_a_label(name in "[a-z]([-a-z0-9]{0,38}[a-z0-9])?", version in 0_u32..1_000_000_000, attempt in 0_u32..100_000) {
            let name = Name::parse(&name).unwrap();
            for child in [name.training_job(version, attempt), name.traffic(), name.scan_job("1234567890"), name.mirror_job(&Digest::of(b""))] {
                prop_assert!(child.len() <= 63, "{child}");
            }
        }
    }
}
