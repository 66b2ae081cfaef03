//! The Job that compares. It reads what training reads, with the same credentials, and writes nothing.

use std::time::Duration;

use k8s_openapi::{api::batch::v1::Job, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::core::ObjectMeta;
use underwriter_contract::request::CompareRequest;

use super::{super::validate::Validated, Pair};
use crate::{
    names::{self, Component, annotation, label},
    pod::{self, Task},
    settings::Settings,
};

/// The Job of a comparison.
#[must_use]
pub fn comparison(
    settings: &Settings,
    validated: &Validated,
    pair: Pair,
    request: &CompareRequest,
    owner: OwnerReference,
) -> Job {
    let Validated { template, deadline, retries, secrets, .. } = validated;
    let task = Task {
        metadata: metadata(validated, pair),
        owner,
        command: "compare",
        request: serde_json::to_string(request).unwrap_or_default(), // a plain value: cannot fail
        secrets: secrets.clone(),
        template,
        resources: pod::resources(&[("cpu", "100m"), ("memory", "256Mi")], &[("memory", "2Gi")]),
        retries: *retries,
        deadline: Duration::from_secs(deadline.as_secs()),
        indexed: None,
    };
    pod::job(settings, task)
}

fn metadata(Validated { name, namespace, .. }: &Validated, pair: Pair) -> ObjectMeta {
    let Pair { version, champion, attempt } = pair;
    let mut labels = names::labels(Component::Comparison, name, name.as_str());
    labels.insert(label::VERSION.into(), version.to_string());
    let text = serde_json::to_string(&pair).unwrap_or_default(); // three numbers: cannot fail
    ObjectMeta {
        name: Some(name.comparison_job(version, champion, attempt)),
        namespace: Some(namespace.clone()),
        labels: Some(labels),
        annotations: Some([(annotation::COMPARISON.into(), text)].into()),
        ..ObjectMeta::default()
    }
}
