//! The one object that only this machine needs: a door from 127.0.0.1 to the service's pods.

use anyhow::Result;
use k8s_openapi::api::core::v1::Service;
use serde_json::json;

/// A NodePort Service in front of a PredictionService's pods.
///
/// # Errors
/// Never: the value is a Service.
pub fn node_port(service: &str, port: u16) -> Result<Service> {
    Ok(serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("{service}-from-host")},
        "spec": {
            "type": "NodePort",
            "selector": {"app.kubernetes.io/name": "underwriter-predictor", "app.kubernetes.io/instance": service},
            "ports": [{"port": 9696, "nodePort": port}]
        }
    }))?)
}
