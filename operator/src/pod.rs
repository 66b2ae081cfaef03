//! The pod that everything runs in: under the restricted security profile, without a token for the API, with credentials
//! from Secrets that the operator never reads.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    api::{
        batch::v1::{
            Job, JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement,
            PodFailurePolicyOnPodConditionsPattern, PodFailurePolicyRule,
        },
        core::v1::{
            Capabilities, ConfigMapVolumeSource, Container, EmptyDirVolumeSource, EnvFromSource, EnvVar,
            PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, SecretEnvSource, SecurityContext, Volume,
            VolumeMount,
        },
    },
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::OwnerReference},
};
use kube::core::ObjectMeta;
use underwriter_contract::{
    learning::SecretRef,
    request::{ARTIFACTS_PREFIX, DATA_PREFIX, LOG_PREFIX, REGISTRY_PREFIX, REQUEST},
};
use underwriter_crds::{Template, template::Resources};

use crate::settings::Settings;

/// The container of a task's pod.
pub const TASK: &str = "task";

/// Nobody in particular, the same in every image.
const USER: i64 = 65_532;
/// Tells a workload where more certificate authorities are.
const CA_BUNDLE: &str = "UNDERWRITER_CA_BUNDLE";
const CA_FOLDER: &str = "/etc/underwriter/ca";

/// The Secrets whose keys become variables of a pod, each kind under its own prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Of the data source.
    pub data: Option<SecretRef>,
    /// Of the artifact store.
    pub artifacts: Option<SecretRef>,
    /// Of the prediction log.
    pub log: Option<SecretRef>,
    /// Of the registry that versions are shown in.
    pub registry: Option<SecretRef>,
}

impl Secrets {
    /// The variables. A Secret that does not exist keeps the pod from starting, and kubelet says which.
    #[must_use]
    pub fn env_from(&self) -> Vec<EnvFromSource> {
        let Self { data, artifacts, log, registry } = self;
        let all = [(DATA_PREFIX, data), (ARTIFACTS_PREFIX, artifacts), (LOG_PREFIX, log), (REGISTRY_PREFIX, registry)];
        all.into_iter()
            .filter_map(|(prefix, secret)| secret.as_ref().map(|secret| from_secret(prefix, secret)))
            .collect()
    }
}

fn from_secret(prefix: &str, secret: &SecretRef) -> EnvFromSource {
    let secret_ref = SecretEnvSource { name: secret.name.clone(), optional: None };
    EnvFromSource { prefix: Some(prefix.into()), secret_ref: Some(secret_ref), config_map_ref: None }
}

/// A variable.
#[must_use]
pub fn variable(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.into(), value: Some(value.into()), value_from: None }
}

/// An empty folder of the pod's own.
#[must_use]
pub fn empty_folder(name: &str, limit: Option<Quantity>) -> Volume {
    let empty_dir = Some(EmptyDirVolumeSource { medium: None, size_limit: limit });
    Volume { name: name.into(), empty_dir, ..Volume::default() }
}

/// A volume's place in a container.
#[must_use]
pub fn mount(name: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount { name: name.into(), mount_path: path.into(), read_only: Some(read_only), ..VolumeMount::default() }
}

/// Requests and limits from pairs of a resource and a quantity.
#[must_use]
pub fn resources(requests: &[(&str, &str)], limits: &[(&str, &str)]) -> Resources {
    let read = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, quantity)| ((*name).into(), Quantity((*quantity).into()))).collect()
    };
    Resources { requests: read(requests), limits: read(limits) }
}

/// One container's pod as every workload runs in: `own` are its labels and annotations, which win over the template's;
/// the container's resources are given, its security and `/tmp` are set here.
#[must_use]
pub fn restricted(
    settings: &Settings,
    template: &Template,
    own: ObjectMeta,
    mut container: Container,
    mut volumes: Vec<Volume>,
) -> PodTemplateSpec {
    container.image_pull_policy = Some(settings.image_pull_policy.clone());
    container.security_context = Some(container_security());
    let everybody = settings.workload_env.iter().map(|(name, value)| variable(name, value));
    container.env = Some(everybody.chain(container.env.unwrap_or_default()).collect());
    container.volume_mounts.get_or_insert_default().push(mount("tmp", "/tmp", false));
    volumes.push(empty_folder("tmp", None));
    if let Some(name) = &settings.ca_config_map {
        container.env.get_or_insert_default().push(variable(CA_BUNDLE, format!("{CA_FOLDER}/ca.crt")));
        container.volume_mounts.get_or_insert_default().push(mount("ca", CA_FOLDER, true));
        let config_map = Some(ConfigMapVolumeSource { name: name.clone(), ..ConfigMapVolumeSource::default() });
        volumes.push(Volume { name: "ca".into(), config_map, ..Volume::default() });
    }
    let spec = PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container],
        enable_service_links: Some(false),
        node_selector: Some(template.node_selector.clone()),
        priority_class_name: template.priority_class_name.clone(),
        security_context: Some(pod_security()),
        tolerations: Some(template.tolerations.clone()),
        volumes: Some(volumes),
        ..PodSpec::default()
    };
    PodTemplateSpec { metadata: Some(with_template(own, template)), spec: Some(spec) }
}

/// Adds a template's labels and annotations; the object's own win.
#[must_use]
pub fn with_template(own: ObjectMeta, template: &Template) -> ObjectMeta {
    let labels = over(&template.labels, own.labels.clone());
    let annotations = over(&template.annotations, own.annotations.clone());
    ObjectMeta { labels: Some(labels), annotations: Some(annotations), ..own }
}

fn over(defaults: &BTreeMap<String, String>, own: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    defaults.clone().into_iter().chain(own.unwrap_or_default()).collect()
}

fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        fs_group: Some(USER),
        run_as_group: Some(USER),
        run_as_non_root: Some(true),
        run_as_user: Some(USER),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".into()]) }),
        read_only_root_filesystem: Some(true),
        ..SecurityContext::default()
    }
}

/// A task of the tasks image, as a Job.
pub struct Task<'a> {
    /// Name, namespace, labels and annotations of the Job.
    pub metadata: ObjectMeta,
    /// The object it is done for.
    pub owner: OwnerReference,
    /// The subcommand: `train`, `sweep`, `drift`, `compare` or `mirror`.
    pub command: &'static str,
    /// Its request as JSON.
    pub request: String,
    /// Its credentials.
    pub secrets: Secrets,
    /// What a person said of the pods.
    pub template: &'a Template,
    /// Defaults of its resources.
    pub resources: Resources,
    /// Further tries after a failure that is not the input's fault.
    pub retries: u8,
    /// The longest it may take, all tries together.
    pub deadline: Duration,
    /// Whether it is done many times over, each time by another number.
    pub indexed: Option<Indexed>,
}

/// A task that is done once for each number from 0. A number that fails does not fail the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indexed {
    /// How many numbers there are.
    pub completions: u32,
    /// How many pods run at the same time.
    pub parallelism: u32,
}

/// The Job of a task. Invalid input fails it at once, an evicted pod does not count.
#[must_use]
pub fn job(settings: &Settings, task: Task<'_>) -> Job {
    let Task { metadata, owner, command, request, secrets, template, resources, retries, deadline, indexed } = task;
    let container = Container {
        name: TASK.into(),
        image: Some(settings.tasks_image.clone()),
        args: Some(vec![command.into()]),
        env: Some(vec![variable(REQUEST, request)]),
        env_from: Some(secrets.env_from()),
        resources: Some(template.resources_over(resources)),
        ..Container::default()
    };
    let own = ObjectMeta { labels: metadata.labels.clone(), ..ObjectMeta::default() };
    let mut pod = restricted(settings, template, own, container, Vec::new());
    pod.spec.get_or_insert_default().restart_policy = Some("Never".into());
    let spec = JobSpec {
        active_deadline_seconds: Some(i64::try_from(deadline.as_secs()).unwrap_or(i64::MAX)),
        pod_failure_policy: Some(failure_policy()),
        template: pod,
        ..counted(indexed, retries.into())
    };
    let metadata = ObjectMeta { owner_references: Some(vec![owner]), ..with_template(metadata, template) };
    Job { metadata, spec: Some(spec), status: None }
}

/// How often the pod runs, and how often each may fail.
fn counted(indexed: Option<Indexed>, retries: i32) -> JobSpec {
    let Some(Indexed { completions, parallelism }) = indexed else {
        return JobSpec { backoff_limit: Some(retries), ..JobSpec::default() };
    };
    let completions = i32::try_from(completions).unwrap_or(i32::MAX);
    JobSpec {
        backoff_limit_per_index: Some(retries),
        completion_mode: Some("Indexed".into()),
        completions: Some(completions),
        max_failed_indexes: Some(completions),
        parallelism: Some(i32::try_from(parallelism).unwrap_or(i32::MAX)),
        ..JobSpec::default()
    }
}

fn failure_policy() -> PodFailurePolicy {
    let hopeless = PodFailurePolicyOnExitCodesRequirement {
        container_name: Some(TASK.into()),
        operator: "In".into(),
        values: vec![2, 3],
    };
    let evicted = PodFailurePolicyOnPodConditionsPattern { type_: "DisruptionTarget".into(), status: "True".into() };
    let rules = vec![
        PodFailurePolicyRule { action: "FailJob".into(), on_exit_codes: Some(hopeless), on_pod_conditions: None },
        PodFailurePolicyRule { action: "Ignore".into(), on_exit_codes: None, on_pod_conditions: Some(vec![evicted]) },
    ];
    PodFailurePolicy { rules }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::{Value, json};

    use super::*;

    fn task(template: &Template, more: &[&str]) -> Value {
        counted_task(template, more, None)
    }

    fn counted_task(template: &Template, more: &[&str], indexed: Option<Indexed>) -> Value {
        let least = ["o", "--tasks-image", "tasks:1", "--predictor-image", "p", "--artifacts-uri", "s3://a/"];
        let settings = Settings::try_parse_from(least.iter().chain(more)).unwrap();
        let labels = Some(BTreeMap::from([("app".into(), "ours".into())]));
        let owner =
            OwnerReference { kind: "LoanModel".into(), name: "m".into(), uid: "u".into(), ..OwnerReference::default() };
        let task = Task {
            metadata: ObjectMeta { name: Some("m-v1".into()), labels, ..ObjectMeta::default() },
            owner,
            command: "train",
            request: "{}".into(),
            secrets: Secrets { data: Some(SecretRef { name: "loans".into() }), ..Secrets::default() },
            template,
            resources: resources(&[("cpu", "250m")], &[("memory", "2Gi")]),
            retries: 2,
            deadline: Duration::from_secs(60),
            indexed,
        };
        serde_json::to_value(job(&settings, task)).unwrap()
    }

    /// Every demand of the restricted Pod Security Standard, and no token.
    #[test]
    fn a_pod_keeps_to_the_restricted_profile() {
        let job = task(&Template::default(), &[]);
        let pod = &job["spec"]["template"]["spec"];
        let container = &pod["containers"][0]["securityContext"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(container["allowPrivilegeEscalation"], false);
        assert_eq!(container["capabilities"], json!({"drop": ["ALL"]}));
        assert_eq!(container["readOnlyRootFilesystem"], true);
    }

    #[test]
    fn hopeless_failures_are_not_tried_again() {
        let job = task(&Template::default(), &[]);
        let rules = &job["spec"]["podFailurePolicy"]["rules"];
        assert_eq!((&rules[0]["action"], &rules[0]["onExitCodes"]["values"]), (&json!("FailJob"), &json!([2, 3])));
        assert_eq!(job["spec"]["backoffLimit"], 2);
        assert_eq!(job["spec"]["template"]["spec"]["containers"][0]["name"], rules[0]["onExitCodes"]["containerName"]);
    }

    #[test]
    fn one_number_that_fails_does_not_fail_the_others() {
        let indexed = Indexed { completions: 20, parallelism: 4 };
        let spec = counted_task(&Template::default(), &[], Some(indexed))["spec"].clone();
        assert_eq!((&spec["completionMode"], &spec["completions"]), (&json!("Indexed"), &json!(20)));
        assert_eq!((&spec["parallelism"], &spec["backoffLimitPerIndex"]), (&json!(4), &json!(2)));
        assert_eq!((&spec["maxFailedIndexes"], &spec["backoffLimit"]), (&json!(20), &Value::Null));
        assert_eq!(spec["podFailurePolicy"]["rules"][0]["action"], "FailJob", "hopeless for one, hopeless for all");
    }

    #[test]
    fn a_template_adds_and_never_takes_away() {
        let template: Template = serde_json::from_value(json!({
            "labels": {"app": "theirs", "kueue.x-k8s.io/queue-name": "q"}, "resources": {"limits": {"memory": "4Gi"}},
        }))
        .unwrap();
        let job = task(&template, &[]);
        for labels in [&job["metadata"]["labels"], &job["spec"]["template"]["metadata"]["labels"]] {
            assert_eq!(labels, &json!({"app": "ours", "kueue.x-k8s.io/queue-name": "q"}));
        }
        let resources = &job["spec"]["template"]["spec"]["containers"][0]["resources"];
        assert_eq!(resources, &json!({"requests": {"cpu": "250m"}, "limits": {"memory": "4Gi"}}));
    }

    #[test]
    fn every_pod_has_the_variables_of_all() {
        let job =
            task(&Template::default(), &["--workload-env", "AWS_REGION=eu-central-1", "--workload-env", "EMPTY="]);
        let env = &job["spec"]["template"]["spec"]["containers"][0]["env"];
        assert_eq!(env[0], json!({"name": "AWS_REGION", "value": "eu-central-1"}));
        assert_eq!((&env[1]["name"], &env[1]["value"]), (&json!("EMPTY"), &json!("")));
        assert_eq!(env[2]["name"], REQUEST, "what the pod is for comes last, and wins");
    }

    #[test]
    fn secrets_and_authorities_are_named_never_read() {
        let job = task(&Template::default(), &["--ca-config-map", "roots"]);
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["containers"][0]["envFrom"], json!([{"prefix": "DATA_", "secretRef": {"name": "loans"}}]));
        assert_eq!(pod["containers"][0]["env"][1]["value"], "/etc/underwriter/ca/ca.crt");
        assert!(pod["volumes"].as_array().unwrap().iter().any(|volume| volume["configMap"]["name"] == "roots"));
    }
}
