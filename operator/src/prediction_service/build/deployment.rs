//! The Deployment: pods that hold one version, or two while one is tried.
//!
//! The versions are part of the template, so that another version is another revision, and one that cannot be loaded
//! never becomes ready while the old pods serve on.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::{
            ConfigMapVolumeSource, Container, ContainerPort, EnvVar, EnvVarSource, HTTPGetAction, ObjectFieldSelector,
            PodTemplateSpec, Probe, TopologySpreadConstraint, Volume,
        },
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use kube::core::ObjectMeta;
use underwriter_contract::{
    FORMAT,
    request::ArtifactRef,
    serving::{ADMIN_PORT, API_PORT, SPOOL_FOLDER, ServingRequest, TRAFFIC_FOLDER},
};
use underwriter_crds::loan_model::Resolved;

use super::{Parent, endpoint::API};
use crate::{
    names::annotation,
    pod::{self, Secrets},
};

/// The container.
pub const PREDICTOR: &str = "predictor";
/// The variable that holds a [`ServingRequest`] as JSON.
pub const SERVING: &str = "UNDERWRITER_SERVING";

const ADMIN: &str = "admin";
/// Pods may take this long from their start to be ready, and a rollout to go on.
const DEADLINE_SECONDS: i32 = 300;
/// For connections to end and the spool to be shipped.
const GRACE_SECONDS: i64 = 30;
/// Records wait here while the log is away.
const SPOOL_LIMIT: &str = "1Gi";

/// The Deployment that loads these versions, the stable one first.
#[must_use]
pub fn deployment(parent: &Parent<'_>, resolved: &Resolved, versions: &[ArtifactRef]) -> Deployment {
    let at_once =
        RollingUpdateDeployment { max_surge: Some(IntOrString::Int(1)), max_unavailable: Some(IntOrString::Int(0)) };
    let spec = DeploymentSpec {
        progress_deadline_seconds: Some(DEADLINE_SECONDS),
        replicas: Some(parent.service.spec.replicas),
        selector: LabelSelector { match_labels: Some(parent.selector()), match_expressions: None },
        strategy: Some(DeploymentStrategy { rolling_update: Some(at_once), type_: Some("RollingUpdate".into()) }),
        template: template(parent, resolved, versions),
        ..DeploymentSpec::default()
    };
    let mut metadata = parent.child(parent.name.to_string());
    metadata.annotations = Some(because(versions));
    Deployment { metadata, spec: Some(spec), status: None }
}

/// What `kubectl rollout history` shows.
fn because(versions: &[ArtifactRef]) -> BTreeMap<String, String> {
    let named: Vec<_> =
        versions.iter().map(|version| format!("version {} (run {})", version.version, version.run)).collect();
    BTreeMap::from([(annotation::CHANGE_CAUSE.into(), format!("serve {}", named.join(" beside ")))])
}

fn template(parent: &Parent<'_>, resolved: &Resolved, versions: &[ArtifactRef]) -> PodTemplateSpec {
    let labels = parent.child(String::new()).labels;
    let own = ObjectMeta { labels, annotations: Some(because(versions)), ..ObjectMeta::default() };
    let config_map = Some(ConfigMapVolumeSource { name: parent.name.traffic(), ..ConfigMapVolumeSource::default() });
    let traffic = Volume { name: "traffic".into(), config_map, ..Volume::default() };
    let volumes = vec![traffic, pod::empty_folder("spool", Some(Quantity(SPOOL_LIMIT.into())))];
    let container = container(parent, resolved, versions);
    let mut template = pod::restricted(parent.settings, &parent.service.spec.template, own, container, volumes);
    let spec = template.spec.get_or_insert_default();
    spec.termination_grace_period_seconds = Some(GRACE_SECONDS);
    spec.topology_spread_constraints = Some(vec![spread(parent)]);
    template
}

fn container(parent: &Parent<'_>, resolved: &Resolved, versions: &[ArtifactRef]) -> Container {
    let log = resolved.prediction_log.as_ref().map(|log| log.secret_ref.clone());
    let secrets = Secrets { artifacts: resolved.artifacts.secret_ref.clone(), log, ..Secrets::default() };
    let defaults = pod::resources(&[("cpu", "50m"), ("memory", "64Mi")], &[("memory", "256Mi")]);
    Container {
        name: PREDICTOR.into(),
        image: Some(parent.settings.predictor_image.clone()),
        env: Some(vec![pod::variable(SERVING, request(parent, versions)), own_name()]),
        env_from: Some(secrets.env_from()),
        ports: Some(vec![port(API, API_PORT), port(ADMIN, ADMIN_PORT)]),
        liveness_probe: Some(probe("/livez", 10, 3)),
        readiness_probe: Some(probe("/readyz", 2, 3)),
        startup_probe: Some(probe("/livez", 2, DEADLINE_SECONDS / 2)),
        resources: Some(parent.service.spec.template.resources_over(defaults)),
        volume_mounts: Some(vec![
            pod::mount("traffic", TRAFFIC_FOLDER, true),
            pod::mount("spool", SPOOL_FOLDER, false),
        ]),
        ..Container::default()
    }
}

fn request(parent: &Parent<'_>, versions: &[ArtifactRef]) -> String {
    let (service, spec) = (parent.service, &parent.service.spec);
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let request = ServingRequest {
        format: FORMAT,
        model: format!("{namespace}/{}", spec.model_ref.name),
        service: parent.name.to_string(),
        versions: versions.to_vec(),
        reasons: spec.reasons,
        durability: spec.durability,
    };
    serde_json::to_string(&request).unwrap_or_default() // a plain value: cannot fail
}

fn own_name() -> EnvVar {
    let field = ObjectFieldSelector { api_version: Some("v1".into()), field_path: "metadata.name".into() };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: "POD_NAME".into(), value: None, value_from: Some(source) }
}

fn port(name: &str, number: u16) -> ContainerPort {
    ContainerPort {
        name: Some(name.into()),
        container_port: number.into(),
        protocol: Some("TCP".into()),
        ..ContainerPort::default()
    }
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    let get =
        HTTPGetAction { path: Some(path.into()), port: IntOrString::String(ADMIN.into()), ..HTTPGetAction::default() };
    Probe {
        http_get: Some(get),
        period_seconds: Some(period),
        failure_threshold: Some(failures),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}

fn spread(parent: &Parent<'_>) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        label_selector: Some(LabelSelector { match_labels: Some(parent.selector()), match_expressions: None }),
        max_skew: 1,
        topology_key: "kubernetes.io/hostname".into(),
        when_unsatisfiable: "ScheduleAnyway".into(),
        ..TopologySpreadConstraint::default()
    }
}
