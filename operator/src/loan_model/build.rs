//! What a run becomes in the cluster: its Job, and the ModelVersion it ends as.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{Resource as _, ResourceExt as _, core::ObjectMeta};
use serde::{Deserialize, Serialize};
use underwriter_contract::{
    Digest, FORMAT,
    learning::Sweep,
    request::{ArtifactRef, Known, REQUEST, TrainRequest, Trigger},
    summary::Trained,
};
use underwriter_crds::{
    LoanModel, ModelRef, ModelVersion, ModelVersionSpec, loan_model::DeletionPolicy, model_version::ArtifactLocation,
};

use super::{champion::Standing, validate::Validated};
use crate::{
    Error,
    names::{self, Component, annotation, label},
    pod::{self, Indexed, Task},
    settings::Settings,
};

/// The most versions that a run is told it need not learn again.
const MAX_KNOWN: usize = 20;
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
    /// How many trials of a sweep come before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<u32>,
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
        let trials = validated.learning.training.sweep.map(|sweep| sweep.trials);
        Self { version, attempt, run, trigger, config_digest, artifact, outcomes_before, trials }
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

/// The Job that trains.
#[must_use]
pub fn training_job(
    settings: &Settings,
    validated: &Validated,
    origin: &Origin,
    request: &TrainRequest,
    owner: OwnerReference,
) -> Job {
    let name = validated.name.training_job(origin.version, origin.attempt);
    let metadata = metadata(validated, origin, name, Component::Training);
    pod::job(settings, Task { command: "train", ..task(validated, origin, metadata, request, owner) })
}

/// The Job that tries points before its run trains.
#[must_use]
pub fn sweep_job(
    settings: &Settings,
    validated: &Validated,
    origin: &Origin,
    request: &TrainRequest,
    owner: OwnerReference,
) -> Job {
    let name = validated.name.sweep_job(origin.version, origin.attempt);
    let metadata = metadata(validated, origin, name, Component::Sweep);
    let indexed = validated
        .learning
        .training
        .sweep
        .map(|Sweep { trials, parallelism }| Indexed { completions: trials, parallelism });
    pod::job(settings, Task { command: "sweep", indexed, ..task(validated, origin, metadata, request, owner) })
}

fn metadata(validated: &Validated, origin: &Origin, name: String, component: Component) -> ObjectMeta {
    let mut labels = names::labels(component, &validated.name, validated.name.as_str());
    labels.insert(label::VERSION.into(), origin.version.to_string());
    labels.insert(label::RUN.into(), origin.run.clone());
    ObjectMeta {
        name: Some(name),
        namespace: Some(validated.namespace.clone()),
        labels: Some(labels),
        annotations: Some(BTreeMap::from([(annotation::ORIGIN.into(), json(origin))])),
        ..ObjectMeta::default()
    }
}

/// What both have in common. Of the deadline each has one half.
fn task<'a>(
    validated: &'a Validated,
    origin: &Origin,
    metadata: ObjectMeta,
    request: &TrainRequest,
    owner: OwnerReference,
) -> Task<'a> {
    let Validated { template, deadline, retries, secrets, .. } = validated;
    let jobs = if origin.trials.is_some() { 2 } else { 1 };
    Task {
        metadata,
        owner,
        command: "",
        request: json(request),
        secrets: secrets.clone(),
        template,
        resources: pod::resources(&[("cpu", "250m"), ("memory", "256Mi")], &[("memory", "2Gi")]),
        retries: *retries,
        deadline: Duration::from_secs(deadline.as_secs()) / jobs,
        indexed: None,
    }
}

/// What a run is asked: by both of its Jobs, where it has two.
#[must_use]
pub fn request(validated: &Validated, origin: &Origin) -> TrainRequest {
    let Origin { version, attempt: _, run, trigger, config_digest: _, artifact, outcomes_before, trials: _ } =
        origin.clone();
    let model = format!("{}/{}", validated.namespace, validated.name);
    let learning = validated.learning.clone();
    let (champion, known) = (None, Vec::new());
    TrainRequest { format: FORMAT, model, version, run, trigger, learning, artifact, champion, outcomes_before, known }
}

/// What is asked, and what to hold it against as it stands now: the champion, and what was learnt in the same way since, the
/// newest [`MAX_KNOWN`].
#[must_use]
pub fn against(request: TrainRequest, standing: &Standing<'_>) -> TrainRequest {
    let (champion, config) = (standing.champion_number(), request.learning.digest());
    let versions = standing.versions.iter().map(|placed| &placed.version.spec);
    let same = |spec: &&ModelVersionSpec| {
        Some(spec.version) > champion && spec.version < request.version && spec.config_digest == config
    };
    let known = versions.filter(same).map(|spec| Known { version: spec.version, data: spec.data.digest.clone() });
    let mut known: Vec<_> = known.collect();
    known.drain(..known.len().saturating_sub(MAX_KNOWN));
    TrainRequest { champion: standing.champion.map(artifact), known, ..request }
}

/// What a Job was asked. A run trains what its sweep has tried, whatever the spec says by then.
///
/// # Errors
/// When its pods' environment was tampered with.
pub fn asked(job: &Job) -> Result<TrainRequest, Error> {
    let pod = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let variables = pod.and_then(|pod| pod.containers.first()?.env.as_ref());
    let text = variables.and_then(|all| all.iter().find(|variable| variable.name == REQUEST)?.value.as_deref());
    let unreadable = |error: serde_json::Error| Error::Unreadable {
        kind: "Job",
        name: job.name_any(),
        what: REQUEST,
        why: error.to_string(),
    };
    serde_json::from_str(text.unwrap_or_default()).map_err(unreadable)
}

/// The model as the owner of its versions: one that does not control them, since they are adopted by name.
#[must_use]
pub fn owner(validated: &Validated) -> OwnerReference {
    let (api_version, kind) = (LoanModel::api_version(&()).into_owned(), LoanModel::kind(&()).into_owned());
    let (name, uid) = (validated.name.to_string(), validated.uid.clone());
    OwnerReference { api_version, kind, name, uid, controller: None, block_owner_deletion: None }
}

/// The version that a run has become. Unless the deletion policy says otherwise it has no owner and outlives its model.
#[must_use]
pub fn model_version(validated: &Validated, origin: &Origin, trained: Trained) -> ModelVersion {
    let Origin { version, attempt: _, run, trigger, config_digest, artifact, outcomes_before: _, trials: _ } =
        origin.clone();
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
    object.metadata.owner_references =
        (validated.deletion_policy == DeletionPolicy::Delete).then(|| vec![owner(validated)]);
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
        let trigger =
            Trigger { kind: TriggerType::Request, token: token.map(Into::into), episodes: Vec::new(), scheduled: None };
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
        let asked_for = request(&world.validated(), &origin);
        let job = training_job(&world.settings, &world.validated(), &origin, &asked_for, OwnerReference::default());
        assert_eq!(Origin::of(&job).unwrap(), origin);
        assert_eq!(job.name_any(), "loans-v3");
        assert_eq!(job.labels()[label::RUN], origin.run);
        assert_eq!(asked(&job).unwrap(), asked_for);
        assert!(asked(&Job::default()).unwrap_err().to_string().contains(REQUEST));
    }

    #[test]
    fn sweep_and_training_are_asked_the_same_and_share_the_deadline() {
        let mut world = World::new();
        world.sweep(Some(20));
        let (validated, origin) = (world.validated(), origin(&world, 3, None));
        let request = request(&validated, &origin);
        let sweep = sweep_job(&world.settings, &validated, &origin, &request, OwnerReference::default());
        let training = training_job(&world.settings, &validated, &origin, &request, OwnerReference::default());
        assert_eq!((sweep.name_any().as_str(), training.name_any().as_str()), ("loans-v3-sweep", "loans-v3"));
        assert_eq!(asked(&sweep).unwrap(), asked(&training).unwrap());
        assert_eq!((Origin::of(&sweep).unwrap(), Origin::of(&training).unwrap().trials), (origin, Some(20)));
        let spec = |job: &Job| job.spec.clone().unwrap();
        assert_eq!((spec(&sweep).completions, spec(&training).completions), (Some(20), None));
        for job in [&sweep, &training] {
            assert_eq!(spec(job).active_deadline_seconds, Some(1800));
        }
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
