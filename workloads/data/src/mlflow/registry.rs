//! Registered models, their versions and aliases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::{Mlflow, MlflowError, MlflowErrorKind, Run, connection::Call, tags};

/// Versions in one answer.
const PAGE: usize = 200;

/// A registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its name.
    pub name: String,
    /// The version that each alias stands for, in MLflow's numbers.
    pub aliases: BTreeMap<String, String>,
}

/// A version in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredVersion {
    /// MLflow's number.
    pub number: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Alias {
    alias: String,
    version: String,
}

#[derive(Deserialize)]
struct ModelInfo {
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    aliases: Vec<Alias>,
}

#[derive(Deserialize)]
struct FoundModel {
    registered_model: ModelInfo,
}

#[derive(Deserialize)]
struct VersionInfo {
    version: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct MadeVersion {
    model_version: VersionInfo,
}

#[derive(Default, Deserialize)]
struct FoundVersions {
    #[serde(default)]
    model_versions: Vec<VersionInfo>,
    #[serde(default)]
    next_page_token: String,
}

impl Mlflow {
    /// The registered model of a name, made where there is none. It has to have the tag `owner`, or it is somebody
    /// else's and left alone.
    ///
    /// # Errors
    /// It is somebody else's, or MLflow does not answer as it should.
    pub async fn registered(&self, name: &str, owner: (&str, &str), about: &str) -> Result<Registered, MlflowError> {
        let query = Call::Get(vec![("name", name.to_owned())]);
        match self.0.call::<FoundModel>(query, "mlflow/registered-models/get").await {
            Ok(found) => ours(found.registered_model, owner),
            Err(error) if error.is("RESOURCE_DOES_NOT_EXIST") => {
                let tags = tags(&[(owner.0, owner.1.to_owned())]);
                let made = Call::Post(json!({"name": name, "description": about, "tags": tags}));
                let made: FoundModel = self.0.call(made, "mlflow/registered-models/create").await?;
                ours(made.registered_model, owner)
            }
            Err(error) => Err(error),
        }
    }

    /// Every version of a registered model.
    ///
    /// # Errors
    /// MLflow does not answer as it should.
    pub async fn versions(&self, model: &Registered) -> Result<Vec<RegisteredVersion>, MlflowError> {
        let mut versions = Vec::new();
        let mut page = String::new();
        loop {
            let mut query = vec![("filter", format!("name='{}'", model.name)), ("max_results", PAGE.to_string())];
            query.extend((!page.is_empty()).then(|| ("page_token", page.clone())));
            let found: FoundVersions = self.0.call(Call::Get(query), "mlflow/model-versions/search").await?;
            versions.extend(found.model_versions.into_iter().map(RegisteredVersion::from));
            page = found.next_page_token;
            if page.is_empty() {
                return Ok(versions);
            }
        }
    }

    /// Adds a version whose files are in a folder of a run.
    ///
    /// # Errors
    /// MLflow does not answer as it should.
    pub async fn register(
        &self,
        model: &Registered,
        run: &Run,
        source: &str,
        about: &str,
        pairs: &[(&str, String)],
    ) -> Result<RegisteredVersion, MlflowError> {
        let message = json!({
            "name": model.name, "source": source, "run_id": run.id, "description": about, "tags": tags(pairs),
        });
        let made: MadeVersion = self.0.call(Call::Post(message), "mlflow/model-versions/create").await?;
        Ok(made.model_version.into())
    }

    /// Sets those tags of a version that stand otherwise.
    ///
    /// # Errors
    /// MLflow does not answer as it should.
    pub async fn tag(
        &self,
        model: &Registered,
        version: &RegisteredVersion,
        pairs: &[(&str, String)],
    ) -> Result<(), MlflowError> {
        for (key, value) in pairs.iter().filter(|(key, value)| version.tags.get(*key) != Some(value)) {
            let message = json!({"name": model.name, "version": version.number, "key": key, "value": value});
            self.0.raw(Call::Post(message), "mlflow/model-versions/set-tag").await?;
        }
        Ok(())
    }

    /// Makes an alias stand for a version, or for none, where it does not already.
    ///
    /// # Errors
    /// MLflow does not answer as it should.
    pub async fn point(&self, model: &Registered, alias: &str, version: Option<&str>) -> Result<(), MlflowError> {
        const PATH: &str = "mlflow/registered-models/alias";
        let standing = model.aliases.get(alias).map(String::as_str);
        let call = match version {
            _ if standing == version => return Ok(()),
            Some(version) => Call::Post(json!({"name": model.name, "alias": alias, "version": version})),
            None => Call::Delete(json!({"name": model.name, "alias": alias})),
        };
        self.0.raw(call, PATH).await.map(drop)
    }
}

fn ours(found: ModelInfo, (key, value): (&str, &str)) -> Result<Registered, MlflowError> {
    let ModelInfo { name, tags, aliases } = found;
    if !tags.iter().any(|tag| tag.key == key && tag.value == value) {
        let cause = format!(
            "it exists in MLflow and is no mirror of {value}: rename it there, or give it the tag {key}={value}"
        );
        return Err(MlflowError::new(MlflowErrorKind::Invalid, format_args!("registered model {name:?}"), cause));
    }
    Ok(Registered { name, aliases: aliases.into_iter().map(|alias| (alias.alias, alias.version)).collect() })
}

impl From<VersionInfo> for RegisteredVersion {
    fn from(info: VersionInfo) -> Self {
        Self { number: info.version, tags: info.tags.into_iter().map(|tag| (tag.key, tag.value)).collect() }
    }
}
