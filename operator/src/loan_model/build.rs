//! What a run becomes in the cluster: its Job, and the ModelVersion it ends as.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{ResourceExt as _, core::ObjectMeta};
use serde::{Deserialize, Serialize};
use underwriter_contract::{
    Digest, FORMAT,
    request::{ArtifactRef, TrainRequest, Trigger},
    summary::Trained,
};
use underwriter_crds::{ModelRef, ModelVersion, ModelVersionSpec, model_version::ArtifactLocation};

use super::validate::Validated;
use crate::{
    Error,
    names::{self, Component, annotation, label},
    pod::{self, Task},
    settings::Settings,
};

/// Hexadecimal digits of a run's id.
const RUN_DIGITS: usize = 16;

/// What a run was made for. It is kept on the Job, so that its result can be written down after any crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The number the version will have.
    pub version: u32,
    /// 1, or more after an attempt that failed.
    pub attempt: u32,
    /// The run's id: the same for every attempt at the same thing.
    pub run: String,
    /// Why.
    pub trigger: Trigger,
    /// Digest of what is to be learnt.
    pub config_digest: Digest,
    /// The folder it writes, ending in `/`.
    pub artifact: String,
    /// Outcomes received later than this are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes_before: Option<Timestamp>,
}

impl Origin {
    /// A run of a version; its id stands for the model's UID, the version, why and what.
    #[must_use]
    pub fn new(
        validated: &Validated,
        version: u32,
        attempt: u32,
        trigger: Trigger,
        outcomes_before: Option<Timestamp>,
    ) -> Self {
        let why = serde_json::to_string(&trigger).unwrap_or_default();
        let config_digest = validated.digest().clone();
        let number = version.to_string();
        let parts = [validated.uid.as_str(), &number, &why, config_digest.as_str()];
        let run = Digest::of_parts(parts.map(str::as_bytes)).short(RUN_DIGITS).to_owned();
        let Validated { namespace, name, resolved, .. } = validated;
        let artifact = format!("{}{namespace}/{name}/v{version}-{run}/", resolved.artifacts.uri);
        Self { version, attempt, run, trigger, config_digest, artifact, outcomes_before }
    }

    /// What a Job was made for.
    ///
    /// # Errors
    /// When its annotation is missing or was tampered with.
    pub fn of(job: &Job) -> Result<Self, Error> {
        let text = job.annotations().get(annotation::ORIGIN).map_or("", String::as_str);
        let unreadable = |error: serde_json::Error| Error::Unreadable {
            kind: "Job",
            name: job.name_any(),
            what: annotation::ORIGIN,
            why: error.to_string(),
        };
        serde_json::from_str(text).map_err(unreadable)
    }
}

/// Names a version in the artifact store.
#[must_use]
pub fn artifact(version: &ModelVersion) -> ArtifactRef {
    let ModelVersionSpec { version, run_id, artifact: ArtifactLocation { uri, digest }, .. } = &version.spec;
    ArtifactRef { version: *version, run: run_id.clone(), uri: uri.clone(), digest: digest.clone() }
}

/// The Job of a run.
#[must_use]
pub fn training_job(
    settings: &Settings,
    validated: &Validated,
    origin: &Origin,
    champion: Option<ArtifactRef>,
    owner: OwnerReference,
) -> Job {
    let Validated { name, namespace, template, deadline, retries, secrets, .. } = validated;
    let mut labels = names::labels(Component::Training, name, name.as_str());
    labels.insert(label::VERSION.into(), origin.version.to_string());
    labels.insert(label::RUN.into(), origin.run.clone());
    let metadata = ObjectMeta {
        name: Some(name.training_job(origin.version, origin.attempt)),
        namespace: Some(namespace.clone()),
        labels: Some(labels),
        annotations: Some(BTreeMap::from([(annotation::ORIGIN.into(), json(origin))])),
        ..ObjectMeta::default()
    };
    let task = Task {
        metadata,
        owner,
        command: "train",
        request: json(&request(validated, origin, champion)),
        secrets: secrets.clone(),
        template,
        resources: pod::resources(&[("cpu", "250m"), ("memory", "256Mi")], &[("memory", "2Gi")]),
        retries: *retries,
        deadline: Duration::from_secs(deadline.as_secs()),
    };
    pod::job(settings, task)
}

fn request(validated: &Validated, origin: &Origin, champion: Option<ArtifactRef>) -> TrainRequest {
    let Origin { version, attempt: _, run, trigger, config_digest: _, artifact, outcomes_before } = origin.clone();
    let model = format!("{}/{}", validated.namespace, validated.name);
    let learning = validated.learning.clone();
    TrainRequest { format: FORMAT, model, version, run, trigger, learning, artifact, champion, outcomes_before }
}

/// The version that a run has become. It has no owner: it outlives its model, and is adopted by name.
#[must_use]
pub fn model_version(validated: &Validated, origin: &Origin, trained: Trained) -> ModelVersion {
    let Origin { version, attempt: _, run, trigger, config_digest, artifact, outcomes_before: _ } = origin.clone();
    let Trained { run: _, manifest, data, algorithm, metrics, threshold, compared_with, leaking } = trained;
    let spec = ModelVersionSpec {
        model_ref: ModelRef { name: validated.name.to_string() },
        version,
        run_id: run.clone(),
        config_digest,
        trigger,
        artifact: ArtifactLocation { uri: artifact, digest: manifest },
        data,
        leaking,
        algorithm,
        metrics,
        threshold,
        compared_with,
        decisions: Vec::new(),
    };
    let mut labels = names::labels(Component::Training, &validated.name, validated.name.as_str());
    labels.insert(label::VERSION.into(), version.to_string());
    labels.insert(label::RUN.into(), run);
    let name = validated.name.model_version(version);
    let mut object = ModelVersion::new(&name, spec);
    object.metadata.namespace = Some(validated.namespace.clone());
    object.metadata.labels = Some(labels);
    object
}

/// JSON of what is serializable by construction.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_contract::request::TriggerType;

    use super::{super::world::World, *};

    fn origin(world: &World, version: u32, token: Option<&str>) -> Origin {
        let trigger = Trigger { kind: TriggerType::Request, token: token.map(Into::into), episodes: Vec::new() };
        Origin::new(&world.validated(), version, 1, trigger, None)
    }

    /// A restored model that counts from one again must not find the artifact of its former life.
    #[test]
    fn a_run_is_told_by_its_model_its_version_why_and_what() {
        let first = origin(&World::new(), 1, None).run;
        let mut recreated = World::new();
        recreated.model.metadata.uid = Some("another".into());
        let mut changed = World::new();
        changed.change_spec(1);
        let others = [
            origin(&recreated, 1, None),
            origin(&changed, 1, None),
            origin(&World::new(), 2, None),
            origin(&World::new(), 1, Some("now")),
        ];
        assert!(others.iter().all(|other| other.run != first));
        assert_eq!(origin(&World::new(), 1, None).run, first);
    }

    #[test]
    fn a_job_tells_what_it_was_made_for() {
        let world = World::new();
        let origin = origin(&world, 3, Some("now"));
        let job = training_job(&world.settings, &world.validated(), &origin, None, OwnerReference::default());
        assert_eq!(Origin::of(&job).unwrap(), origin);
        assert_eq!(job.name_any(), "loans-v3");
        assert_eq!(job.labels()[label::RUN], origin.run);
    }

    proptest! {
        #[test]
        fn a_tampered_annotation_names_its_place(text in ".{0,80}") {
            let mut job = Job::default();
            job.metadata.name = Some("loans-v3".into());
            job.annotations_mut().insert(annotation::ORIGIN.into(), text);
            let error = Origin::of(&job).unwrap_err().to_string();
            prop_assert!(error.contains("loans-v3") && error.contains(annotation::ORIGIN), "{}", error);
        }
    }
}
