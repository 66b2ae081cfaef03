//! The children that a service wants, one kind a file. Nothing here can fail, and nothing here looks at what stands.

pub mod deployment;
pub mod disruption;
pub mod endpoint;
pub mod network;
pub mod traffic;

use std::collections::BTreeMap;

use kube::{Resource as _, ResourceExt as _, core::ObjectMeta};
use underwriter_crds::PredictionService;

use crate::{
    names::{Component, Name, labels, selector},
    settings::Settings,
};

/// Whose children are built.
pub struct Parent<'a> {
    /// The service.
    pub service: &'a PredictionService,
    /// Its name.
    pub name: Name,
    /// Images and the installation's certificates.
    pub settings: &'a Settings,
}

impl Parent<'_> {
    /// Metadata of a child that the service owns.
    #[must_use]
    pub fn child(&self, name: String) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            namespace: self.service.namespace(),
            labels: Some(labels(Component::Predictor, &self.name, &self.service.spec.model_ref.name)),
            owner_references: self.service.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        }
    }

    /// The labels that select the service's pods.
    #[must_use]
    pub fn selector(&self) -> BTreeMap<String, String> {
        selector(Component::Predictor, &self.name)
    }
}

/// A service's selector as the scale subresource has it.
#[must_use]
pub fn selector_text(name: &Name) -> String {
    let pairs: Vec<_> =
        selector(Component::Predictor, name).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use underwriter_contract::{Digest, request::ArtifactRef, serving::ServingRequest};
    use underwriter_crds::loan_model::Resolved;

    use super::*;

    /// Deployment, Service, budget and policy of a service as JSON.
    fn children() -> [Value; 4] {
        let metadata = json!({"name": "loan-api", "namespace": "bank", "uid": "u", "generation": 1});
        let template = json!({"labels": {"team": "risk", "app.kubernetes.io/instance": "mine"}});
        let spec = json!({"modelRef": {"name": "loans"}, "replicas": 3, "reasons": 2, "template": template});
        let service: PredictionService = serde_json::from_value(json!({"metadata": metadata, "spec": spec})).unwrap();
        let arguments =
            ["operator", "--tasks-image", "t", "--predictor-image", "p", "--artifacts-uri", "s3://artifacts/"];
        let settings = <Settings as clap::Parser>::try_parse_from(arguments).unwrap();
        let resolved: Resolved = serde_json::from_value(json!({
            "artifacts": {"uri": "s3://artifacts/", "secretRef": {"name": "s3"}},
            "predictionLog": {"secretRef": {"name": "log"}}, "configDigest": Digest::of(b"")
        }))
        .unwrap();
        let version = ArtifactRef { version: 1, run: "r".into(), uri: "s3://a/".into(), digest: Digest::of(b"") };
        let parent = Parent { service: &service, name: Name::parse("loan-api").unwrap(), settings: &settings };
        [
            serde_json::to_value(deployment::deployment(&parent, &resolved, &[version])).unwrap(),
            serde_json::to_value(endpoint::endpoint(&parent)).unwrap(),
            serde_json::to_value(disruption::budget(&parent)).unwrap(),
            serde_json::to_value(network::policy(&parent)).unwrap(),
        ]
    }

    #[test]
    fn a_pod_is_told_what_to_serve_and_given_its_credentials() {
        let [deployment, ..] = children();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let request: ServingRequest = serde_json::from_str(container["env"][0]["value"].as_str().unwrap()).unwrap();
        assert_eq!((request.model.as_str(), request.service.as_str(), request.reasons), ("bank/loans", "loan-api", 2));
        assert_eq!(container["env"][1]["valueFrom"]["fieldRef"]["fieldPath"], "metadata.name");
        let prefixes: Vec<_> =
            container["envFrom"].as_array().unwrap().iter().map(|from| from["prefix"].clone()).collect();
        assert_eq!(prefixes, ["ARTIFACTS_", "LOG_"]);
    }

    #[test]
    fn everything_selects_the_pods_and_no_template_can_change_that() {
        let [deployment, endpoint, budget, policy] = children();
        let labels = deployment["spec"]["template"]["metadata"]["labels"].as_object().unwrap();
        assert_eq!((&labels["team"], &labels["app.kubernetes.io/instance"]), (&json!("risk"), &json!("loan-api")));
        let selectors = [
            &deployment["spec"]["selector"]["matchLabels"],
            &endpoint["spec"]["selector"],
            &budget["spec"]["selector"]["matchLabels"],
            &policy["spec"]["podSelector"]["matchLabels"],
        ];
        for selector in selectors {
            let selector = selector.as_object().unwrap();
            assert!(!selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value)));
        }
    }

    #[test]
    fn no_request_is_lost_in_a_rollout_and_figures_are_in_no_service() {
        let [deployment, endpoint, budget, policy] = children();
        let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
        assert_eq!((&rolling["maxSurge"], &rolling["maxUnavailable"]), (&json!(1), &json!(0)));
        assert_eq!(budget["spec"]["maxUnavailable"], 1);
        assert_eq!(endpoint["spec"]["ports"].as_array().unwrap().len(), 1);
        let rules = policy["spec"]["ingress"].as_array().unwrap();
        let open: Vec<_> =
            rules.iter().filter(|rule| rule["from"].is_null()).map(|rule| &rule["ports"][0]["port"]).collect();
        assert_eq!(open, [&json!(9696)]);
    }
}
