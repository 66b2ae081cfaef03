//! The Job of a scan.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::batch::v1::Job;
use kube::{Resource as _, ResourceExt as _, core::ObjectMeta};
use underwriter_contract::{
    FORMAT,
    request::{DriftRequest, FeatureTests, Window},
};
use underwriter_crds::{DriftMonitor, Template};

use super::{decide::Start, validate::Validated};
use crate::{
    names::{Component, Name, annotation, label, labels},
    pod::{self, Secrets, Task},
    settings::Settings,
};

/// The longest a scan may take, all its tries together.
const DEADLINE: Duration = Duration::from_secs(1_800);
/// Further tries after a failure that is not the input's fault.
const RETRIES: u8 = 2;

/// The Job of a scan; its name is the scan's id.
#[must_use]
pub fn scan(monitor: &DriftMonitor, name: &Name, validated: &Validated, start: &Start, settings: &Settings) -> Job {
    let request = request(monitor, name, validated, start);
    let resolved = &validated.resolved;
    let log = resolved.prediction_log.as_ref().map(|log| log.secret_ref.clone());
    let task = Task {
        metadata: metadata(monitor, name, &request, start),
        owner: monitor.controller_owner_ref(&()).unwrap_or_default(),
        command: "drift",
        request: serde_json::to_string(&request).unwrap_or_default(), // a plain value: cannot fail
        secrets: Secrets { artifacts: resolved.artifacts.secret_ref.clone(), log, ..Secrets::default() },
        template: &Template::default(),
        resources: pod::resources(&[("cpu", "100m"), ("memory", "128Mi")], &[("memory", "512Mi")]),
        retries: RETRIES,
        deadline: DEADLINE,
        indexed: None,
    };
    pod::job(settings, task)
}

fn metadata(monitor: &DriftMonitor, name: &Name, request: &DriftRequest, start: &Start) -> ObjectMeta {
    let mut labels = labels(Component::DriftScan, name, &monitor.spec.model_ref.name);
    labels.insert(label::VERSION.into(), request.reference.version.to_string());
    labels.insert(label::RUN.into(), request.reference.run.clone());
    let cause = serde_json::to_string(&start.cause).unwrap_or_default(); // a plain value: cannot fail
    ObjectMeta {
        name: Some(request.scan.clone()),
        namespace: monitor.namespace(),
        labels: Some(labels),
        annotations: Some(BTreeMap::from([(annotation::SCAN.into(), cause)])),
        ..ObjectMeta::default()
    }
}

fn request(monitor: &DriftMonitor, name: &Name, validated: &Validated, start: &Start) -> DriftRequest {
    let (spec, namespace, scan) =
        (&monitor.spec, monitor.namespace().unwrap_or_default(), name.scan_job(&start.suffix));
    let (model, folder) = (&spec.model_ref.name, &validated.resolved.artifacts.uri);
    DriftRequest {
        format: FORMAT,
        model: format!("{namespace}/{model}"),
        monitor: name.to_string(),
        report: format!("{folder}{namespace}/{model}/drift/{name}/{scan}/"),
        scan,
        service: spec.source.service.clone(),
        reference: validated.reference.clone(),
        window: Window { predictions: spec.window.predictions },
        min_samples: spec.window.min_samples,
        features: FeatureTests {
            test: spec.features.test,
            drift_share: spec.features.drift_share,
            nulls_max_change: spec.features.nulls.max_change,
        },
    }
}
