//! The only module that writes objects, and what it promises: nothing of somebody else is overwritten, nothing is
//! written twice, and a write on old knowledge is refused by the API server.
//!
//! Jobs and ModelVersions are created, never applied. Children are applied server-side, after a look at whose they are.
//! Status and decisions carry the `resourceVersion` that they were decided on.

use std::fmt::Debug;

use k8s_openapi::{NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
    core::object::HasStatus,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use underwriter_contract::Digest;
use underwriter_crds::{ModelVersion, model_version::DecisionRecord};

use crate::{
    Error,
    names::{MANAGER, annotation, label},
};

/// What a write came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The object is new.
    Created,
    /// It was changed.
    Changed,
    /// It stood as wanted: nothing was sent.
    Unchanged,
}

/// What can be written: any namespaced kind.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Serialize
{
}

/// Creates an object; where one of its name stands already, `ours` tells whether it is the same.
///
/// # Errors
/// [`Error::NameTaken`] where it is not; else what the API server said.
pub async fn create<K: Object>(client: &Client, object: &K, ours: impl FnOnce(&K) -> bool) -> Result<Written, Error> {
    let api = api::<K>(client, object);
    let parameters = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
    match api.create(&parameters, object).await {
        Ok(_) => Ok(Written::Created),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let standing =
                api.get(&object.name_any()).await.map_err(|error| Error::api(doing("read", object), error))?;
            if ours(&standing) { Ok(Written::Unchanged) } else { Err(taken(object)) }
        }
        Err(error) => Err(Error::api(doing("create", object), error)),
    }
}

/// Whether two objects are controlled by the same one, by UID.
#[must_use]
pub fn same_owner<K: Resource>(standing: &K, wanted: &K) -> bool {
    let owner = |object: &K| {
        object.owner_references().iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.clone())
    };
    owner(wanted).is_some() && owner(standing) == owner(wanted)
}

/// Brings a child to what is wanted. `standing` is what a store knows of it; unknown, it is looked up, because a store
/// holds nothing of others.
///
/// # Errors
/// [`Error::NameTaken`] where an object of its name has another owner; else what the API server said.
pub async fn apply<K: Object>(client: &Client, standing: Option<&K>, mut wanted: K) -> Result<Written, Error> {
    stamp(&mut wanted);
    let api = api::<K>(client, &wanted);
    let looked_up = match standing {
        Some(_) => None,
        None => api.get_opt(&wanted.name_any()).await.map_err(|error| Error::api(doing("read", &wanted), error))?,
    };
    if looked_up.as_ref().is_some_and(|found| same_owner(found, &wanted) && is_watched(found)) {
        return Err(Error::Conflict { action: doing("apply", &wanted) }); // the store is behind: decided on old knowledge
    }
    let standing = standing.or(looked_up.as_ref());
    if let Some(standing) = standing {
        if !same_owner(standing, &wanted) {
            return Err(taken(&wanted));
        }
        if contains(&value(standing), &value(&wanted)) {
            return Ok(Written::Unchanged);
        }
        // refused if another object has taken the name meanwhile, or somebody has changed it
        (wanted.meta_mut().uid, wanted.meta_mut().resource_version) = (standing.uid(), standing.resource_version());
    }
    let parameters = PatchParams::apply(MANAGER).force();
    let patched = api.patch(&wanted.name_any(), &parameters, &Patch::Apply(&wanted)).await;
    patched.map_err(|error| Error::api(doing("apply", &wanted), error))?;
    Ok(if standing.is_some() { Written::Changed } else { Written::Created })
}

/// Writes a status where it differs from the object's own, and only what differs.
///
/// # Errors
/// [`Error::Conflict`] where the object was changed meanwhile; else what the API server said.
pub async fn patch_status<K>(client: &Client, object: &K, status: &K::Status) -> Result<Written, Error>
where
    K: Object + HasStatus,
    K::Status: Serialize,
{
    let Some(difference) = difference(&value(&object.status()), &value(status)) else { return Ok(Written::Unchanged) };
    let patch = json!({"metadata": {"resourceVersion": object.resource_version()}, "status": difference});
    let patched = api::<K>(client, object).patch_status(&object.name_any(), &parameters(), &Patch::Merge(patch)).await;
    patched.map_err(|error| Error::api(doing("write the status of", object), error))?;
    Ok(Written::Changed)
}

/// Appends a decision to a version's record.
///
/// # Errors
/// [`Error::Conflict`] where somebody decided meanwhile; else what the API server said.
pub async fn append_decision(
    client: &Client,
    version: &ModelVersion,
    record: DecisionRecord,
) -> Result<Written, Error> {
    let decisions: Vec<_> = version.spec.decisions.iter().cloned().chain([record]).collect();
    let patch = json!({"metadata": {"resourceVersion": version.resource_version()}, "spec": {"decisions": decisions}});
    let patched = api(client, version).patch(&version.name_any(), &parameters(), &Patch::Merge(patch)).await;
    patched.map_err(|error| Error::api(doing("append a decision to", version), error))?;
    Ok(Written::Changed)
}

/// Makes a version be owned, or not be owned, by one more object.
///
/// # Errors
/// [`Error::Conflict`] where it was changed meanwhile; else what the API server said.
pub async fn set_owner(
    client: &Client,
    version: &ModelVersion,
    owner: OwnerReference,
    owned: bool,
) -> Result<Written, Error> {
    let others = version.owner_references().iter().filter(|standing| standing.uid != owner.uid).cloned();
    let owners: Vec<_> = others.chain(owned.then(|| owner.clone())).collect();
    let patch = json!({"metadata": {"resourceVersion": version.resource_version(), "ownerReferences": owners}});
    let patched = api(client, version).patch(&version.name_any(), &parameters(), &Patch::Merge(patch)).await;
    patched.map_err(|error| Error::api(doing("set the owner of", version), error))?;
    Ok(Written::Changed)
}

/// Sets an annotation where it is not set so already.
///
/// # Errors
/// What the API server said.
pub async fn annotate<K: Object>(client: &Client, object: &K, key: &str, text: &str) -> Result<Written, Error> {
    if object.annotations().get(key).is_some_and(|standing| standing == text) {
        return Ok(Written::Unchanged);
    }
    let patch = json!({"metadata": {"annotations": {key: text}}});
    let patched = api::<K>(client, object).patch(&object.name_any(), &parameters(), &Patch::Merge(patch)).await;
    patched.map_err(|error| Error::api(doing("annotate", object), error))?;
    Ok(Written::Changed)
}

/// Deletes an object and what it owns; one that is gone already, or replaced by another of its name, is left alone.
///
/// # Errors
/// What the API server said.
pub async fn delete<K: Object>(client: &Client, object: &K) -> Result<Written, Error> {
    delete_if(client, object, Preconditions { uid: object.uid(), resource_version: None }).await
}

/// Deletes an object that nobody has changed since it was looked at; another is left alone.
///
/// # Errors
/// What the API server said.
pub async fn delete_unchanged<K: Object>(client: &Client, object: &K) -> Result<Written, Error> {
    let this = Preconditions { uid: object.uid(), resource_version: object.resource_version() };
    delete_if(client, object, this).await
}

async fn delete_if<K: Object>(client: &Client, object: &K, this: Preconditions) -> Result<Written, Error> {
    match api::<K>(client, object).delete(&object.name_any(), &DeleteParams::background().preconditions(this)).await {
        Ok(_) => Ok(Written::Changed),
        Err(kube::Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(Written::Unchanged),
        Err(error) => Err(Error::api(doing("delete", object), error)),
    }
}

/// Whether the stores hold it, sooner or later.
fn is_watched<K: Object>(object: &K) -> bool {
    object.labels().get(label::MANAGED_BY).is_some_and(|manager| manager == MANAGER)
}

fn api<K: Object>(client: &Client, object: &K) -> Api<K> {
    Api::namespaced(client.clone(), &object.namespace().unwrap_or_default())
}

fn parameters() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() }
}

fn doing<K: Object>(action: &str, object: &K) -> String {
    format!("{action} {} {}", K::kind(&()), object.name_any())
}

fn taken<K: Object>(object: &K) -> Error {
    Error::NameTaken { kind: K::kind(&()).into_owned(), name: object.name_any() }
}

/// JSON of what is serializable by construction.
fn value(object: &impl Serialize) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

/// Writes down a digest of what is wanted: a field that is wanted no longer is missed by a comparison, never by a digest.
fn stamp<K: Object>(wanted: &mut K) {
    wanted.annotations_mut().remove(annotation::DIGEST);
    let digest = Digest::of(value(wanted).to_string().as_bytes());
    wanted.annotations_mut().insert(annotation::DIGEST.into(), digest.short(16).to_owned());
}

/// Whether `standing` has all of `wanted`. The API server adds defaults, drops what is empty, and rewrites quantities
/// (`0.5` as `500m`): those are left to the digest.
fn contains(standing: &Value, wanted: &Value) -> bool {
    match (standing, wanted) {
        (_, Value::Null) => true,
        (Value::Null, Value::Object(fields)) => fields.is_empty(),
        (Value::Null, Value::Array(items)) => items.is_empty(),
        (Value::Object(standing), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            key == "resources" || key == "sizeLimit" || contains(standing.get(key).unwrap_or(&Value::Null), wanted)
        }),
        (Value::Array(standing), Value::Array(wanted)) => {
            standing.len() == wanted.len()
                && standing.iter().zip(wanted).all(|(standing, wanted)| contains(standing, wanted))
        }
        (standing, wanted) => standing == wanted,
    }
}

/// The merge patch (RFC 7396) that makes `wanted` of `standing`; none where they are equal.
fn difference(standing: &Value, wanted: &Value) -> Option<Value> {
    match (standing, wanted) {
        (standing, wanted) if standing == wanted => None,
        (Value::Object(old), Value::Object(new)) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), Value::Null));
            let changed = new
                .iter()
                .filter_map(|(key, new)| Some((key.clone(), difference(old.get(key).unwrap_or(&Value::Null), new)?)));
            Some(Value::Object(gone.chain(changed).collect::<Map<_, _>>()))
        }
        (_, wanted) => Some(wanted.clone()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::client::Body;
    use proptest::prelude::*;
    use tower_test::mock::{self, Handle};

    use super::*;

    type Server = Handle<http::Request<Body>, http::Response<Body>>;

    /// What the API server is asked, and what it answers.
    type Exchange = (&'static str, &'static str, u16, Value);

    fn config_map(owner: &str, text: &str) -> ConfigMap {
        let owner = json!([{"apiVersion": "v1", "kind": "Owner", "name": owner, "uid": owner, "controller": true}]);
        serde_json::from_value(
            json!({"metadata": {"name": "c", "namespace": "n", "ownerReferences": owner}, "data": {"k": text}}),
        )
        .unwrap()
    }

    fn status(code: u16, reason: &str) -> Value {
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason, "code": code})
    }

    /// Runs `work` against a server that expects exactly these exchanges; gives the bodies that were sent.
    async fn against<T>(exchanges: Vec<Exchange>, work: impl AsyncFnOnce(Client) -> T) -> (T, Vec<Value>) {
        let (service, server) = mock::pair();
        let client = Client::new(service, "n");
        tokio::join!(work(client), serve(server, exchanges))
    }

    async fn serve(mut server: Server, exchanges: Vec<Exchange>) -> Vec<Value> {
        let mut bodies = Vec::new();
        for (method, path, code, answer) in exchanges {
            let (request, send) = server.next_request().await.expect("a call is missing");
            assert_eq!((request.method().as_str(), request.uri().path()), (method, path));
            let body = request.into_body().collect_bytes().await.unwrap();
            bodies.push(serde_json::from_slice(&body).unwrap_or_default());
            send.send_response(
                http::Response::builder().status(code).body(Body::from(answer.to_string().into_bytes())).unwrap(),
            );
        }
        assert!(server.next_request().await.is_none(), "a call too many");
        bodies
    }

    const ALL: &str = "/api/v1/namespaces/n/configmaps";
    const ONE: &str = "/api/v1/namespaces/n/configmaps/c";

    /// As the server keeps it: stamped, with what it adds by itself.
    fn kept(owner: &str, text: &str) -> ConfigMap {
        let mut kept = config_map(owner, text);
        stamp(&mut kept);
        kept.metadata.uid = Some("u".into());
        kept.metadata.resource_version = Some("1".into());
        kept
    }

    #[tokio::test]
    async fn a_missing_child_is_applied() {
        let wanted = config_map("a", "1");
        let exchanges = vec![("GET", ONE, 404, status(404, "NotFound")), ("PATCH", ONE, 200, value(&wanted))];
        let (written, bodies) = against(exchanges, async |client| apply(&client, None, wanted).await).await;
        assert_eq!(written.unwrap(), Written::Created);
        assert_eq!((&bodies[1]["data"]["k"], &bodies[1]["kind"]), (&json!("1"), &json!("ConfigMap")));
    }

    #[tokio::test]
    async fn a_child_that_stands_as_wanted_is_left_alone() {
        let (written, _) =
            against(vec![], async |client| apply(&client, Some(&kept("a", "1")), config_map("a", "1")).await).await;
        assert_eq!(written.unwrap(), Written::Unchanged);
    }

    #[tokio::test]
    async fn a_child_that_somebody_edited_is_brought_back_with_its_uid() {
        let mut edited = kept("a", "1");
        edited.data.get_or_insert_default().insert("k".into(), "2".into());
        let exchanges = vec![("PATCH", ONE, 200, value(&edited))];
        let (written, bodies) =
            against(exchanges, async |client| apply(&client, Some(&edited), config_map("a", "1")).await).await;
        assert_eq!((written.unwrap(), &bodies[0]["metadata"]["uid"]), (Written::Changed, &json!("u")));
    }

    #[tokio::test]
    async fn a_field_that_is_wanted_no_longer_is_noticed() {
        let mut before = config_map("a", "1");
        before.data.get_or_insert_default().insert("old".into(), "x".into());
        stamp(&mut before);
        let exchanges = vec![("PATCH", ONE, 200, value(&before))];
        let (written, _) =
            against(exchanges, async |client| apply(&client, Some(&before), config_map("a", "1")).await).await;
        assert_eq!(written.unwrap(), Written::Changed);
    }

    #[tokio::test]
    async fn what_belongs_to_somebody_else_is_not_touched() {
        for standing in
            [kept("b", "1"), serde_json::from_value(json!({"metadata": {"name": "c", "namespace": "n"}})).unwrap()]
        {
            let exchanges = vec![("GET", ONE, 200, value(&standing))];
            let (written, _) =
                against(exchanges, async |client| apply(&client, None, config_map("a", "1")).await).await;
            assert!(matches!(written, Err(Error::NameTaken { .. })));
        }
    }

    #[tokio::test]
    async fn what_is_created_twice_is_the_same_or_somebody_elses() {
        for (owner, same) in [("a", true), ("b", false)] {
            let exchanges = vec![
                ("POST", ALL, 409, status(409, "AlreadyExists")),
                ("GET", ONE, 200, value(&config_map(owner, "1"))),
            ];
            let wanted = config_map("a", "1");
            let (written, _) = against(exchanges, async |client| {
                create(&client, &wanted, |standing| same_owner(standing, &wanted)).await
            })
            .await;
            assert_eq!(written.is_ok_and(|written| written == Written::Unchanged), same);
        }
    }

    #[tokio::test]
    async fn what_is_gone_needs_no_deletion() {
        let exchanges = vec![("DELETE", ONE, 404, status(404, "NotFound"))];
        let (written, bodies) = against(exchanges, async |client| delete(&client, &kept("a", "1")).await).await;
        assert_eq!((written.unwrap(), &bodies[0]["preconditions"]["uid"]), (Written::Unchanged, &json!("u")));
    }

    const MODEL: &str = "/apis/underwriter.dev/v1alpha1/namespaces/n/modelversions/m-v1";

    fn model_version() -> ModelVersion {
        let digest = Digest::of(b"x");
        serde_json::from_value(json!({
            "apiVersion": "underwriter.dev/v1alpha1", "kind": "ModelVersion",
            "metadata": {"name": "m-v1", "namespace": "n", "resourceVersion": "7"},
            "spec": {"modelRef": {"name": "m"}, "version": 1, "runId": "r", "configDigest": digest, "trigger": {"type": "Initial"},
                "artifact": {"uri": "s3://a/", "digest": digest}, "data": {"uri": "s3://d/", "digest": digest, "rows": 1},
                "algorithm": "Scorecard", "metrics": [], "threshold": 0.5, "decisions": []},
            "status": {"observedGeneration": -1, "state": "Candidate", "conditions": []},
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn a_decision_carries_what_it_was_decided_on() {
        let record = DecisionRecord {
            decision: underwriter_crds::model_version::Decision::Promoted,
            by: "u".into(),
            reason: String::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let exchanges = vec![("PATCH", MODEL, 409, status(409, "Conflict"))];
        let (written, bodies) =
            against(exchanges, async |client| append_decision(&client, &model_version(), record).await).await;
        assert!(matches!(written, Err(Error::Conflict { .. })));
        assert_eq!(
            (&bodies[0]["metadata"]["resourceVersion"], &bodies[0]["spec"]["decisions"][0]["decision"]),
            (&json!("7"), &json!("Promoted"))
        );
    }

    #[tokio::test]
    async fn a_status_is_written_only_where_it_differs() {
        let version = model_version();
        let mut wanted = version.status.clone().unwrap();
        let (written, _) = against(vec![], async |client| patch_status(&client, &version, &wanted).await).await;
        assert_eq!(written.unwrap(), Written::Unchanged);
        wanted.state = None;
        let exchanges = vec![(
            "PATCH",
            "/apis/underwriter.dev/v1alpha1/namespaces/n/modelversions/m-v1/status",
            200,
            value(&version),
        )];
        let (written, bodies) = against(exchanges, async |client| patch_status(&client, &version, &wanted).await).await;
        assert_eq!(written.unwrap(), Written::Changed);
        assert_eq!(bodies[0], json!({"metadata": {"resourceVersion": "7"}, "status": {"state": null}}));
    }

    /// JSON without nulls, as statuses are.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let objects = prop::collection::btree_map("[a-c]", inner.clone(), 0..4).prop_map(|fields| json!(fields));
            prop_oneof![objects, prop::collection::vec(inner, 0..3).prop_map(Value::from)]
        })
    }

    /// RFC 7396, section 2.
    fn merge_patch(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else { return patch.clone() };
        let mut fields = if let Value::Object(fields) = target { fields } else { Map::new() };
        for (key, value) in patch {
            let old = fields.remove(key).unwrap_or_default();
            if !value.is_null() {
                fields.insert(key.clone(), merge_patch(old, value));
            }
        }
        Value::Object(fields)
    }

    proptest! {
        #[test]
        fn a_difference_makes_the_wanted_of_the_standing(standing in any_json(), wanted in any_json()) {
            match difference(&standing, &wanted) {
                Some(patch) => prop_assert_eq!(merge_patch(standing, &patch), wanted),
                None => prop_assert_eq!(standing, wanted),
            }
        }

        #[test]
        fn what_stands_contains_itself_and_what_it_was_made_of(standing in any_json(), more in any_json()) {
            prop_assert!(contains(&standing, &standing));
            if let Value::Object(mut fields) = standing.clone() {
                fields.insert("added by the server".into(), more);
                prop_assert!(contains(&Value::Object(fields), &standing));
            }
        }
    }
}
