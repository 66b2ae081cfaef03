//! The folder that MLflow's LightGBM flavour opens: the trees as they are, and `MLmodel` beside them.
//!
//! Only that flavour is written, not MLflow's general one for serving: what the trees say is one part of the score,
//! uncalibrated and without threshold, and must not be mistaken for a decision.

use serde_json::{Value, json};
use underwriter_contract::{
    manifest::Manifest,
    summary::{Failure, FailureReason},
};
use underwriter_data::mlflow::Run;

/// MLflow's name for the trees' file.
const DATA: &str = "model.lgb";
/// The LightGBM that writes the trees (lightgbm3 builds it), and any newer one that opens them.
const LIGHTGBM: &str = "4.7.0";
const REQUIREMENTS: &str = "lightgbm>=4.0\n";

/// The files by name, for trees in LightGBM's text format.
///
/// # Errors
/// Never for a manifest of this release; an error of the serializer.
pub fn files(manifest: &Manifest, run: &Run, booster: &[u8]) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let description = json!({
        "artifact_path": "model",
        "flavors": {"lightgbm": {
            "data": DATA, "lgb_version": LIGHTGBM, "model_class": "lightgbm.basic.Booster", "code": null,
        }},
        "model_uuid": manifest.run,
        "run_id": run.id,
        "signature": signature(manifest),
    });
    // JSON is YAML.
    let text = serde_json::to_vec_pretty(&description).map_err(|error| Failure::new(FailureReason::Internal, error))?;
    Ok(vec![("MLmodel", text), (DATA, booster.to_vec()), ("requirements.txt", REQUIREMENTS.into())])
}

/// The trees' columns in their order, as MLflow writes them: JSON within a text.
fn signature(manifest: &Manifest) -> Value {
    let columns = manifest.scorer.trees.iter().flat_map(|trees| &trees.columns);
    let inputs: Value = columns.map(|name| json!({"name": name, "type": "double", "required": false})).collect();
    let outputs = json!([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]);
    json!({"inputs": inputs.to_string(), "outputs": outputs.to_string(), "params": null})
}

/// What somebody should know who finds a version in MLflow.
#[must_use]
pub fn about(manifest: &Manifest) -> String {
    let part = match &manifest.scorer.trees {
        Some(_) => format!(
            "mlflow.lightgbm opens the trees, {:.0} % of the score in log-odds; categories go in as their weight of \
             evidence. Calibration, threshold and the rest of the score are in manifest.json.",
            100.0 * (1.0 - manifest.scorer.weight)
        ),
        None => "It has no trees: all of the score is in manifest.json.".into(),
    };
    format!("v{} of {}. {part}", manifest.version, manifest.model)
}
