//! A version's manifest as MLflow's parameters and figures: flat names, and an interval's ends as figures of their own.

use serde_json::Value;
use underwriter_contract::{
    manifest::{Action, Block, Blocks, Manifest, Threshold},
    summary::{Comparison, DataSummary, Metric},
};

/// What a version was learnt from and how: its whole configuration, and what became of it.
#[must_use]
pub fn parameters(manifest: &Manifest) -> Vec<(String, String)> {
    let Manifest { code, trigger, learning, config_digest, data, blocks, columns, findings, algorithm, .. } = manifest;
    let DataSummary { digest, rows, from, to, uri: _ } = data;
    let mut parameters = flat("", &serde_json::to_value(learning).unwrap_or_default());
    parameters.retain(|(key, _)| !key.contains("secretRef"));
    let learnt = columns.iter().filter(|column| column.learnt.is_some()).count();
    let dropped = findings.iter().filter(|finding| finding.action == Action::Dropped).count();
    let own = [
        ("code", code.clone()),
        ("trigger", format!("{:?}", trigger.kind)),
        ("config.digest", config_digest.to_string()),
        ("algorithm", format!("{algorithm:?}")),
        ("data.digest", digest.to_string()),
        ("data.rows", rows.to_string()),
        ("columns.learnt", learnt.to_string()),
        ("columns.dropped", dropped.to_string()),
    ];
    parameters.extend(own.map(|(key, value)| (key.to_owned(), value)));
    let dates = [("data.from", from), ("data.to", to)];
    parameters.extend(dates.iter().filter_map(|(key, date)| Some(((*key).to_owned(), (*date).as_ref()?.to_string()))));
    let Blocks { fit, calibrate, test } = blocks;
    let blocks = [("fit", fit), ("calibrate", calibrate), ("test", test)];
    parameters.extend(blocks.into_iter().flat_map(|(name, block)| of_block(name, block)));
    parameters
}

/// A version's figures; `_low` and `_high` are the ends of the 95 % interval, `difference.` is against the champion of
/// the time.
#[must_use]
pub fn figures(manifest: &Manifest) -> Vec<(String, f64)> {
    let Manifest { metrics, compared_with, threshold, .. } = manifest;
    let Threshold { score, probability, recall_low, .. } = threshold;
    let differences = compared_with.iter().flat_map(|Comparison { differences, .. }| differences);
    let thresholds = [("threshold", probability), ("threshold.score", score), ("threshold.recall_low", recall_low)];
    let mut figures: Vec<_> = metrics.iter().flat_map(|metric| with_interval("", metric)).collect();
    figures.extend(differences.flat_map(|metric| with_interval("difference.", metric)));
    figures.extend(thresholds.map(|(key, value)| (key.to_owned(), *value)));
    figures.retain(|(_, value)| value.is_finite());
    figures
}

fn with_interval(prefix: &str, metric: &Metric) -> Vec<(String, f64)> {
    let Metric { name, value, low, high } = metric;
    let name = serde_json::to_value(name).unwrap_or_default();
    let name = format!("{prefix}{}", name.as_str().unwrap_or_default());
    let ends = [(format!("{name}_low"), *low), (format!("{name}_high"), *high)];
    let ends = ends.into_iter().filter_map(|(key, value)| Some((key, value?)));
    [(name, *value)].into_iter().chain(ends).collect()
}

fn of_block(name: &str, Block { rows, bad, from, to }: &Block) -> Vec<(String, String)> {
    let counts = [("rows", rows), ("bad", bad)].map(|(key, count)| (key, Some(count.to_string())));
    let dates = [("from", from), ("to", to)].map(|(key, date)| (key, date.map(|date| date.to_string())));
    let all = counts.into_iter().chain(dates);
    all.filter_map(|(key, value)| Some((format!("blocks.{name}.{key}"), value?))).collect()
}

/// Objects become dotted names; a list stays one value, as JSON.
fn flat(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Null => Vec::new(),
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, field)| flat(&if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, field))
            .collect(),
        Value::String(text) => vec![(name.to_owned(), text.clone())],
        other => vec![(name.to_owned(), other.to_string())],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use underwriter_contract::summary::MetricName;

    use super::*;

    #[test]
    fn a_configuration_becomes_flat() {
        let value = json!({"training": {"algorithm": "Auto", "seed": 7, "split": null}, "bad": ["a", "b"]});
        let expected = [("training.algorithm", "Auto"), ("training.seed", "7"), ("bad", r#"["a","b"]"#)];
        assert_eq!(flat("", &value), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn an_interval_becomes_figures_of_its_own() {
        let metric = Metric { name: MetricName::RocAuc, value: 0.7, low: Some(0.6), high: None };
        let expected = [("rocAuc".to_owned(), 0.7), ("rocAuc_low".to_owned(), 0.6)];
        assert_eq!(with_interval("", &metric), expected);
    }
}
