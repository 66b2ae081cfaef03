//! Reads a service's children and what its spec names. Pods are listed and asked only while something is under way.

use std::sync::Arc;

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, ContainerStateTerminated, ContainerStatus, Pod, PodSpec},
};
use kube::{Api, ResourceExt as _, api::ListParams};
use underwriter_contract::serving::{ServingRequest, TRAFFIC_FILE};
use underwriter_crds::{LoanModel, ModelVersion, PredictionService};

use super::{
    build::{
        self,
        deployment::{PREDICTOR, SERVING},
    },
    figures, rollout,
    state::{DeploymentState, Ended, Observed, PodState, Record, TrafficState},
    validate::{Invalid, Validated, validate},
};
use crate::{
    Context, Error,
    names::{Name, annotation},
};

/// What the service names, read into what is to be served.
///
/// # Errors
/// When that cannot be told.
pub fn named(service: &PredictionService, context: &Context) -> Result<Validated, Invalid> {
    let (namespace, model) = (service.namespace().unwrap_or_default(), &service.spec.model_ref.name);
    let versions = context.stores.of_model::<ModelVersion>(&namespace, model);
    let model: Option<Arc<LoanModel>> = context.stores.get(&namespace, model);
    validate(&service.spec, model.as_deref(), &versions)
}

/// The service's children, and its pods where they matter.
///
/// # Errors
/// When pods cannot be listed.
pub async fn observe(
    service: &PredictionService,
    name: &Name,
    validated: &Result<Validated, Invalid>,
    context: &Context,
) -> Result<Observed, Error> {
    let namespace = service.namespace().unwrap_or_default();
    let status = service.status.clone().unwrap_or_default();
    let observed = Observed {
        traffic: context.stores.get::<ConfigMap>(&namespace, &name.traffic()).and_then(|map| traffic(&map)),
        deployment: context.stores.get::<Deployment>(&namespace, name.as_str()).and_then(|found| deployment(&found)),
        pods: Vec::new(),
        rollout: status.rollout,
        rejected: status.rejected_versions,
    };
    let calm =
        validated.as_ref().map_or(true, |wanted| rollout::steady(&rollout::plan(&wanted.goal, &observed), &observed));
    Ok(if calm { observed } else { Observed { pods: pods(&namespace, name, context).await?, ..observed } })
}

async fn pods(namespace: &str, name: &Name, context: &Context) -> Result<Vec<PodState>, Error> {
    let api: Api<Pod> = Api::namespaced(context.client.clone(), namespace);
    let listed = api.list(&ListParams::default().labels(&build::selector_text(name))).await;
    let listed = listed.map_err(|error| Error::api(format!("list the pods of PredictionService {name}"), error))?;
    Ok(figures::fetch(&context.pods, listed.items.iter().map(pod).collect()).await)
}

/// What the ConfigMap says; none where it cannot be read, so that it is written anew.
fn traffic(map: &ConfigMap) -> Option<TrafficState> {
    let traffic = serde_json::from_str(map.data.as_ref()?.get(TRAFFIC_FILE)?).ok()?;
    let record = map.annotations().get(annotation::ROLLOUT).and_then(|text| serde_json::from_str::<Record>(text).ok());
    Some(TrafficState { traffic, record: record.unwrap_or_default() })
}

/// What the Deployment serves; none where its template cannot be read, so that it is written anew.
fn deployment(deployment: &Deployment) -> Option<DeploymentState> {
    let spec = deployment.spec.as_ref()?;
    let versions = serving(spec.template.spec.as_ref()?)?.versions;
    let status = deployment.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let late = conditions.iter().any(|condition| condition.reason.as_deref() == Some("ProgressDeadlineExceeded"));
    let state = DeploymentState {
        versions,
        wanted: spec.replicas.unwrap_or(1),
        replicas: status.replicas.unwrap_or_default(),
        updated: status.updated_replicas.unwrap_or_default(),
        ready: status.ready_replicas.unwrap_or_default(),
        current: status.observed_generation >= deployment.metadata.generation,
        late,
    };
    (!state.versions.is_empty()).then_some(state)
}

fn serving(pod: &PodSpec) -> Option<ServingRequest> {
    let container = pod.containers.iter().find(|container| container.name == PREDICTOR)?;
    let variable = container.env.as_ref()?.iter().find(|variable| variable.name == SERVING)?;
    serde_json::from_str(variable.value.as_deref()?).ok()
}

/// A pod without its figures.
fn pod(pod: &Pod) -> PodState {
    let status = pod.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    let container =
        status.and_then(|status| status.container_statuses.as_ref()?.iter().find(|found| found.name == PREDICTOR));
    let served = pod.spec.as_ref().and_then(serving);
    PodState {
        name: pod.name_any(),
        address: status.and_then(|status| status.pod_ip.as_ref()?.parse().ok()),
        versions: served.into_iter().flat_map(|served| served.versions).map(|version| version.version).collect(),
        ready: ready.is_some_and(|ready| ready.status == "True"),
        ready_since: ready.and_then(|ready| ready.last_transition_time.as_ref()).map(|time| time.0),
        started: status.and_then(|status| status.start_time.as_ref()).map(|time| time.0),
        restarts: container.map_or(0, |container| container.restart_count.unsigned_abs()),
        ended: container.and_then(terminated).and_then(ended),
        waits_for: waits_for(pod, container),
        deleting: pod.metadata.deletion_timestamp.is_some(),
        told: pod.annotations().get(annotation::TRAFFIC).and_then(|text| text.parse().ok()).unwrap_or_default(),
        analysis: None,
    }
}

/// The newest end of the container's process.
fn terminated(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    let now = container.state.as_ref().and_then(|state| state.terminated.as_ref());
    now.or_else(|| container.last_state.as_ref().and_then(|state| state.terminated.as_ref()))
}

fn ended(end: &ContainerStateTerminated) -> Option<Ended> {
    let message = end.message.clone().or_else(|| end.reason.clone()).unwrap_or_default();
    Some(Ended { code: end.exit_code, at: end.finished_at.as_ref()?.0, message: message.trim().to_owned() })
}

/// What keeps the process from starting for the first time: not the version's fault.
fn waits_for(pod: &Pod, container: Option<&ContainerStatus>) -> Option<String> {
    let Some(container) = container else {
        let conditions = pod.status.as_ref()?.conditions.as_deref()?;
        let unscheduled = conditions.iter().find(|found| found.type_ == "PodScheduled" && found.status == "False");
        return Some(unscheduled.and_then(|found| found.message.clone()).unwrap_or_else(|| "is being started".into()));
    };
    let waiting = container.state.as_ref()?.waiting.as_ref().filter(|_| terminated(container).is_none())?;
    let (reason, message) = (waiting.reason.clone().unwrap_or_default(), waiting.message.clone().unwrap_or_default());
    Some(format!("waits: {reason} {message}").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use underwriter_contract::{Digest, FORMAT, learning::SecretRef, request::ArtifactRef, serving::Canary};
    use underwriter_crds::loan_model::{Artifacts, Resolved};

    use super::*;
    use crate::{
        prediction_service::build::{Parent, traffic as traffic_map},
        settings::Settings,
    };

    fn artifact(version: u32) -> ArtifactRef {
        let (run, uri) = (format!("run{version}"), "s3://artifacts/".into());
        ArtifactRef { version, run, uri, digest: Digest::of(b"") }
    }

    fn with_parent<T>(test: impl FnOnce(&Parent<'_>) -> T) -> T {
        let metadata = json!({"name": "loan-api", "namespace": "bank", "uid": "u", "generation": 1});
        let object = json!({"metadata": metadata, "spec": {"modelRef": {"name": "loans"}, "replicas": 3}});
        let service: PredictionService = serde_json::from_value(object).unwrap();
        let arguments =
            ["operator", "--tasks-image", "t", "--predictor-image", "p", "--artifacts-uri", "s3://artifacts/"];
        let settings = <Settings as clap::Parser>::try_parse_from(arguments).unwrap();
        test(&Parent { service: &service, name: Name::parse("loan-api").unwrap(), settings: &settings })
    }

    fn built(parent: &Parent<'_>, versions: &[ArtifactRef]) -> Deployment {
        let secret = |name: &str| Some(SecretRef { name: name.into() });
        let artifacts = Artifacts { uri: "s3://artifacts/".into(), secret_ref: secret("s3") };
        let resolved = Resolved { artifacts, prediction_log: None, config_digest: Digest::of(b"") };
        build::deployment::deployment(parent, &resolved, versions)
    }

    #[test]
    fn what_was_built_reads_back() {
        with_parent(|parent| {
            let record = Record { step: 2, ..Record::default() }.rejecting(&artifact(7), "ErrorRate: 9 errors");
            let canary = Some(Canary { version: 2, weight: 10 });
            let active_from = "2026-01-01T00:00:03Z".parse().unwrap();
            let written = underwriter_contract::serving::Traffic {
                format: FORMAT,
                generation: 4,
                active_from,
                stable: 1,
                canary,
            };
            let state = TrafficState { traffic: written, record };
            assert_eq!(traffic(&traffic_map::traffic(parent, &state)), Some(state));

            let versions = [artifact(1), artifact(2)];
            let mut object = built(parent, &versions);
            object.metadata.generation = Some(2);
            let state = deployment(&object).unwrap();
            assert_eq!((state.versions.as_slice(), state.wanted, state.current), (&versions[..], 3, false));
        });
    }

    #[test]
    fn a_damaged_child_counts_as_missing() {
        with_parent(|parent| {
            let mut map = ConfigMap::default();
            assert_eq!(traffic(&map), None);
            map.data = Some([(TRAFFIC_FILE.to_owned(), "{".to_owned())].into());
            assert_eq!(traffic(&map), None);
            assert_eq!(deployment(&built(parent, &[])), None);
            assert_eq!(deployment(&Deployment::default()), None);
        });
    }

    fn seen(status: Value) -> PodState {
        with_parent(|parent| {
            let spec = built(parent, &[artifact(1), artifact(2)]).spec.unwrap().template.spec.unwrap();
            let mut object: Pod =
                serde_json::from_value(json!({"metadata": {"name": "pod"}, "status": status})).unwrap();
            object.spec = Some(spec);
            pod(&object)
        })
    }

    fn container(state: Value, last: Value) -> Value {
        json!([{"name": PREDICTOR, "image": "p", "imageID": "p", "ready": false, "restartCount": 3,
            "state": state, "lastState": last}])
    }

    #[test]
    fn a_pod_tells_why_it_is_not_ready() {
        let pending = seen(json!({"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]}));
        assert_eq!(pending.waits_for.as_deref(), Some("0/3 nodes are available"));
        assert_eq!((pending.versions.as_slice(), pending.ready), (&[1, 2][..], false));

        let image = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
        let pulling = seen(json!({"containerStatuses": container(image, json!({}))}));
        assert_eq!(pulling.waits_for.as_deref(), Some("waits: ImagePullBackOff no such image"));

        let end =
            json!({"exitCode": 2, "finishedAt": "2026-01-01T00:00:00Z", "message": "ArtifactCorrupt: booster.txt\n"});
        let back_off = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let crashing = seen(json!({"containerStatuses": container(back_off, json!({"terminated": end}))}));
        assert_eq!((crashing.waits_for, crashing.restarts), (None, 3));
        let ended = crashing.ended.unwrap();
        assert_eq!((ended.code, ended.message.as_str()), (2, "ArtifactCorrupt: booster.txt"));
    }
}
