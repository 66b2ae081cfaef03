//! The NetworkPolicy: the API is open to the cluster, the port of probes and figures to the operator and Prometheus only.
//!
//! kubelet's probes come from the node, which no policy closes. What goes out is left open: the store and the log may be
//! anywhere and on any port, and the pods have no token with which the API server could be misused.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use underwriter_contract::serving::{ADMIN_PORT, API_PORT};

use super::Parent;
use crate::names::label;

/// Values of `app.kubernetes.io/name` of who may read figures, in any namespace.
const READERS: [&str; 2] = ["underwriter", "prometheus"];

/// The policy.
#[must_use]
pub fn policy(parent: &Parent<'_>) -> NetworkPolicy {
    let clients = NetworkPolicyIngressRule { from: None, ports: Some(vec![port(API_PORT)]) };
    let readers =
        NetworkPolicyIngressRule { from: Some(READERS.map(reader).to_vec()), ports: Some(vec![port(ADMIN_PORT)]) };
    let spec = NetworkPolicySpec {
        ingress: Some(vec![clients, readers]),
        pod_selector: Some(LabelSelector { match_labels: Some(parent.selector()), match_expressions: None }),
        policy_types: Some(vec!["Ingress".into()]),
        ..NetworkPolicySpec::default()
    };
    NetworkPolicy { metadata: parent.child(parent.name.to_string()), spec: Some(spec) }
}

fn port(number: u16) -> NetworkPolicyPort {
    NetworkPolicyPort { port: Some(IntOrString::Int(number.into())), protocol: Some("TCP".into()), end_port: None }
}

fn reader(name: &str) -> NetworkPolicyPeer {
    let pods = BTreeMap::from([(label::NAME.to_owned(), name.to_owned())]);
    NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector::default()),
        pod_selector: Some(LabelSelector { match_labels: Some(pods), match_expressions: None }),
        ip_block: None,
    }
}
