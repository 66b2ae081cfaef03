//! The children that a service wants, one kind a file. Nothing here can fail, and nothing here looks at what stands.

pub mod deployment;
pub mod disruption;
pub mod endpoint;
pub mod network;
pub mod traffic;

use kube::{Resource as _, ResourceExt as _, core::ObjectMeta};
use underwriter_crds::PredictionService;

use crate::{
    names::{Component, Name, labels, selector},
    settings::Settings,
};
use std::collections::BTreeMap;

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
    let pairs: Vec<_> = selector(Component::Predictor, name).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}
