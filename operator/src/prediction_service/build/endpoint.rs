//! The Service at which clients within the cluster find the pods. Probes and figures are in no Service.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};
use underwriter_contract::serving::API_PORT;

use super::Parent;

/// The name of the container's port.
pub const API: &str = "api";

/// The Service.
#[must_use]
pub fn endpoint(parent: &Parent<'_>) -> Service {
    let port = ServicePort {
        name: Some(API.into()),
        port: API_PORT.into(),
        protocol: Some("TCP".into()),
        target_port: Some(IntOrString::String(API.into())),
        ..ServicePort::default()
    };
    let spec = ServiceSpec { ports: Some(vec![port]), selector: Some(parent.selector()), ..ServiceSpec::default() };
    Service { metadata: parent.child(parent.name.to_string()), spec: Some(spec), status: None }
}

/// The address of the Service.
#[must_use]
pub fn url(parent: &Parent<'_>) -> String {
    let namespace = parent.service.metadata.namespace.as_deref().unwrap_or_default();
    format!("http://{}.{namespace}.svc:{API_PORT}", parent.name)
}
