//! The chart against the operator: it passes every argument that the operator knows, gives it no right that it could
//! misuse, and runs it restricted. Renders the shapes in the chart's `ci/` with helm, which `cluster/build.sh` installs.
//!
//! Whether the rights suffice, and what the admission policy refuses, is seen on a cluster (`charts/tests`).

#![expect(clippy::unwrap_used, reason = "the helpers of a test")]

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use clap::{CommandFactory as _, Parser as _};
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Container, PodSpec},
    rbac::v1::PolicyRule,
};
use serde_json::Value;
use underwriter_operator::settings::Settings;

const SHAPES: [&str; 3] = ["least", "one-namespace", "full"];

fn chart() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../charts/underwriter")
}

/// What helm makes of the chart with a shape of values, or what it says against it.
fn render(shape: &str, more: &[&str]) -> Result<Vec<Value>, String> {
    let values = chart().join(format!("ci/{shape}-values.yaml"));
    let mut helm = Command::new("helm");
    helm.args(["template", "underwriter"]).arg(chart()).args([
        "--namespace",
        "system",
        "--kube-version",
        "1.33.0",
        "--values",
    ]);
    let output = helm.arg(values).args(more).output().expect("helm is not on the PATH: run cluster/build.sh");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if !output.status.success() {
        return Err(text(output.stderr));
    }
    Ok(text(output.stdout).split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect())
}

fn objects(shape: &str) -> Vec<Value> {
    render(shape, &[]).unwrap()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

fn pod(shape: &str) -> PodSpec {
    let deployment = of_kind(&objects(shape), "Deployment")[0].clone();
    serde_json::from_value::<Deployment>(deployment).unwrap().spec.unwrap().template.spec.unwrap()
}

fn container(shape: &str) -> Container {
    pod(shape).containers.remove(0)
}

/// Kind and namespace of each role bound to the operator, with its rules.
fn roles(objects: &[Value]) -> Vec<(String, Option<String>, Vec<PolicyRule>)> {
    let bindings = objects.iter().filter(|object| object["kind"].as_str().unwrap().ends_with("RoleBinding"));
    bindings
        .map(|binding| {
            assert_eq!(binding["subjects"][0]["namespace"], "system");
            let (kind, name) = (&binding["roleRef"]["kind"], &binding["roleRef"]["name"]);
            let role =
                objects.iter().find(|object| object["kind"] == *kind && object["metadata"]["name"] == *name).unwrap();
            let namespace = binding["metadata"]["namespace"].as_str().map(ToOwned::to_owned);
            let rules = serde_json::from_value(role["rules"].clone()).unwrap();
            (kind.as_str().unwrap().to_owned(), namespace, rules)
        })
        .collect()
}

#[test]
fn every_argument_is_passed() {
    let passed = container("full").args.unwrap();
    let passed: BTreeSet<_> =
        passed.iter().map(|argument| argument.trim_start_matches("--").split('=').next().unwrap()).collect();
    let command = Settings::command();
    let known: BTreeSet<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    assert_eq!(passed, known);
}

#[test]
fn every_shape_is_understood() {
    for shape in SHAPES {
        let arguments = container(shape).args.unwrap();
        let settings = Settings::try_parse_from([String::from("operator")].into_iter().chain(arguments));
        assert!(settings.is_ok(), "{shape}: {}", settings.unwrap_err());
    }
}

#[test]
fn no_right_can_be_misused() {
    for shape in SHAPES {
        for (_, _, rules) in roles(&objects(shape)) {
            for rule in rules {
                let words = [rule.api_groups, rule.resources, Some(rule.verbs)].into_iter().flatten().flatten();
                let granted: BTreeSet<_> = words.collect();
                for refused in
                    ["*", "secrets", "pods/exec", "serviceaccounts/token", "escalate", "bind", "impersonate", "restore"]
                {
                    assert!(!granted.contains(refused), "{shape}: {granted:?}");
                }
            }
        }
    }
}

#[test]
fn one_namespace_ends_the_rights_there() {
    let namespaces: BTreeSet<_> =
        roles(&objects("one-namespace")).into_iter().map(|(kind, namespace, _)| (kind, namespace)).collect();
    let role = |namespace: &str| ("Role".to_owned(), Some(namespace.to_owned()));
    assert_eq!(namespaces, BTreeSet::from([role("lending"), role("system")]));
}

#[test]
fn the_lease_is_one_the_operator_may_use() {
    let rules = roles(&objects("least")).into_iter().flat_map(|(_, _, rules)| rules);
    let leases: BTreeSet<_> = rules.filter_map(|rule| rule.resource_names).flatten().collect();
    let arguments = container("least").args.unwrap();
    assert!(leases.iter().any(|name| arguments.contains(&format!("--lease-name={name}"))), "{leases:?}");
}

#[test]
fn the_pod_is_restricted() {
    for shape in SHAPES {
        let (pod, container) = (pod(shape), container(shape));
        let security = pod.security_context.unwrap();
        assert_eq!((security.run_as_non_root, security.run_as_user), (Some(true), Some(65_532)), "{shape}");
        assert_eq!(security.seccomp_profile.unwrap().type_, "RuntimeDefault");
        let security = container.security_context.unwrap();
        assert_eq!(
            (security.allow_privilege_escalation, security.read_only_root_filesystem),
            (Some(false), Some(true))
        );
        assert_eq!(security.capabilities.unwrap().drop.unwrap(), ["ALL"]);
        assert!(container.resources.unwrap().limits.unwrap().contains_key("memory"));
        assert_eq!((pod.host_network, pod.host_pid, pod.volumes), (None, None, None));
    }
}

#[test]
fn the_policy_guards_against_all_but_this_operator() {
    let objects = objects("full");
    let account = &of_kind(&objects, "ServiceAccount")[0]["metadata"];
    let user = format!("system:serviceaccount:system:{}", account["name"].as_str().unwrap());
    let variables = &of_kind(&objects, "ValidatingAdmissionPolicy")[0]["spec"]["variables"];
    let operator = variables.as_array().unwrap().iter().find(|variable| variable["name"] == "operator").unwrap();
    assert_eq!(operator["expression"], format!("request.userInfo.username == '{user}'"));
    assert_eq!(pod("full").service_account_name.as_deref(), account["name"].as_str());
}

#[test]
fn the_kinds_are_those_of_the_types_and_are_kept() {
    for (file, kind) in underwriter_crds::all().unwrap() {
        let copy = fs::read_to_string(chart().join("files/crds").join(file)).unwrap();
        assert!(copy == underwriter_crds::to_yaml(&kind).unwrap(), "{file} is not current: run make crds");
    }
    let objects = objects("least");
    let kinds = of_kind(&objects, "CustomResourceDefinition");
    assert_eq!(kinds.len(), underwriter_crds::all().unwrap().len());
    assert!(kinds.iter().all(|kind| kind["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"));
    assert!(of_kind(&self::objects("one-namespace"), "CustomResourceDefinition").is_empty());
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    for (value, place) in [
        ("artifacts.uri=", "artifacts.uri"),
        ("artifacts.uri=/tmp", "/artifacts/uri"),
        ("artefacts.uri=s3://a/", "artefacts"),
        ("images.pullPolicy=Sometimes", "/images/pullPolicy"),
        ("replicas=two", "/replicas"),
        ("predictionLog.secretName=A Secret", "/predictionLog/secretName"),
        ("workloads.env.UNDERWRITER_REQUEST=1", "/workloads/env"),
    ] {
        let error = render("least", &["--set", value]).unwrap_err();
        assert!(error.contains(place), "{value}: {error}");
    }
}
