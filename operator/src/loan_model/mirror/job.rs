//! The Job that makes MLflow show what the cluster has. It holds the credentials, the operator none.

use std::time::Duration;

use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::core::ObjectMeta;
use underwriter_contract::request::MirrorRequest;
use underwriter_crds::Template;

use super::super::validate::Validated;
use crate::{
    names::{self, Component},
    pod::{self, Secrets, Task},
    settings::Settings,
};

/// The longest it may take, all its tries together.
const DEADLINE: Duration = Duration::from_secs(900);
/// Further tries at once; later ones come with another Job.
const RETRIES: u8 = 1;

/// The Job of a mirror.
#[must_use]
pub fn mirror(settings: &Settings, validated: &Validated, request: &MirrorRequest, owner: OwnerReference) -> Job {
    let Validated { name, namespace, resolved, mlflow, .. } = validated;
    let metadata = ObjectMeta {
        name: Some(name.mirror_job(&request.digest())),
        namespace: Some(namespace.clone()),
        labels: Some(names::labels(Component::RegistryMirror, name, name.as_str())),
        ..ObjectMeta::default()
    };
    let registry = mlflow.as_ref().and_then(|mlflow| mlflow.secret_ref.clone());
    let task = Task {
        metadata,
        owner,
        command: "mirror",
        request: serde_json::to_string(request).unwrap_or_default(), // a plain value: cannot fail
        secrets: Secrets { artifacts: resolved.artifacts.secret_ref.clone(), registry, ..Secrets::default() },
        template: &Template::default(),
        resources: pod::resources(&[("cpu", "50m"), ("memory", "64Mi")], &[("memory", "512Mi")]),
        retries: RETRIES,
        deadline: DEADLINE,
        indexed: None,
    };
    pod::job(settings, task)
}
