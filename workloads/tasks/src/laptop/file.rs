//! A LoanModel's YAML on a laptop: the part that decides what is learnt.
//!
//! The file is the cluster's. What it says of promotion, stores and schedules means nothing here and is passed over by
//! name; a field that no LoanModel has is an error with its line, for it is a misspelling of one that has a meaning.

use std::path::Path;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;
use underwriter_contract::{
    learning::{Data, Decision, Learning, Training},
    summary::{Failure, FailureReason},
};

/// The group of the kinds, whatever the version.
const GROUP: &str = "underwriter.dev/";
/// The kind that is read.
const KIND: &str = "LoanModel";
/// What a LoanModel has beside what is learnt: it means nothing outside of a cluster.
const OF_CLUSTERS: [&str; 14] = [
    "metadata",
    "status",
    "spec.artifacts",
    "spec.predictionLog",
    "spec.promotion",
    "spec.retraining",
    "spec.registry",
    "spec.deletionPolicy",
    "spec.historyLimit",
    "spec.suspend",
    "spec.training.deadline",
    "spec.training.retries",
    "spec.training.template",
    "spec.template",
];

/// The part of a LoanModel that is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoanModel {
    api_version: String,
    kind: String,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    data: Data,
    #[serde(default)]
    training: Training,
    decision: Decision,
}

/// Reads a file.
///
/// # Errors
/// `RequestInvalid`, with file and line.
pub fn read(file: &Path) -> Result<Learning, Failure> {
    let invalid = |cause: String| Failure::new(FailureReason::RequestInvalid, format!("{}: {cause}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
    parse(&text).map_err(invalid)
}

/// Reads a LoanModel.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(text: &str) -> Result<Learning, String> {
    let mut unknown = Vec::new();
    let model: LoanModel = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        serde_ignored::deserialize(deserializer, |path| unknown.push(path.to_string().replace(".?", "")))
    })
    .map_err(|error| error.to_string())?;
    let LoanModel { api_version, kind, spec: Spec { data, training, decision } } = model;
    if !api_version.starts_with(GROUP) || kind != KIND {
        return Err(format!("it is a {kind} of {api_version}, not a {KIND} of {GROUP}"));
    }
    match unknown.iter().find(|path| !OF_CLUSTERS.contains(&path.as_str())) {
        Some(path) => Err(format!("line {}: a {KIND} has no field {path}", line(text, path))),
        // the trials of a sweep are Jobs of their own
        None => Ok(Learning { data, training: Training { sweep: None, ..training }, decision }),
    }
}

/// The line of a field; 1 where it cannot be found.
fn line(text: &str, path: &str) -> u64 {
    let tree: Option<Node> = serde_saphyr::from_str(text).ok();
    tree.and_then(|tree| tree.line(&path.split('.').collect::<Vec<_>>())).unwrap_or(1)
}

/// The shape of a document: which field stands in which line.
enum Node {
    Fields(Vec<(Spanned<String>, Node)>),
    Items(Vec<Node>),
    Leaf,
}

impl Node {
    fn line(&self, path: &[&str]) -> Option<u64> {
        let (first, rest) = path.split_first()?;
        match self {
            Self::Fields(fields) => {
                let (name, below) = fields.iter().find(|(name, _)| name.value == *first)?;
                if rest.is_empty() { Some(name.referenced.line()) } else { below.line(rest) }
            }
            Self::Items(items) => items.get(first.parse::<usize>().ok()?)?.line(rest),
            Self::Leaf => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry()? {
            fields.push(entry);
        }
        Ok(Node::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::Items(items))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Node::Leaf)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Leaf)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;

    const EXAMPLE: &str = include_str!("../../../../examples/consumer-loans/loan-model.yaml");

    fn fault(text: &str) -> String {
        parse(text).unwrap_err()
    }

    #[test]
    fn reads_the_clusters_file() {
        let learning = parse(EXAMPLE).unwrap();
        assert_eq!((learning.data.label.column.as_str(), learning.data.columns.len()), ("loan_status", 8));
        let more = EXAMPLE.replace(
            "spec:\n",
            "spec:\n  promotion: {policy: Manual}\n  training: {seed: 7, deadline: 1h, sweep: {trials: 4}}\n",
        );
        let training = parse(&more).unwrap().training;
        assert_eq!((training.seed, training.sweep), (7, None));
    }

    #[test]
    fn names_line_and_field() {
        let misspelt = EXAMPLE.replace("    time:", "    tiem:");
        assert_eq!(fault(&misspelt), "line 10: a LoanModel has no field spec.data.tiem");
        let nested = EXAMPLE.replace("id: {application: id}", "id: {application: id, aplicant: x}");
        assert_eq!(fault(&nested), "line 11: a LoanModel has no field spec.data.id.aplicant");
        let item = EXAMPLE.replace("grade, role: Excluded}", "grade, role: Excluded, rule: x}");
        assert_eq!(fault(&item), "line 15: a LoanModel has no field spec.data.columns.0.rule");
        assert!(
            fault(&EXAMPLE.replace("Excluded", "Exluded")).contains("15"),
            "{}",
            fault(&EXAMPLE.replace("Excluded", "Exluded"))
        );
        assert!(fault(&EXAMPLE.replace("  decision:", "  decide:")).contains("decision"));
        assert_eq!(
            fault(&EXAMPLE.replace("kind: LoanModel", "kind: DriftMonitor")),
            "it is a DriftMonitor of underwriter.dev/v1alpha1, not a LoanModel of underwriter.dev/"
        );
        assert!(fault("").len() > 5);
    }

    proptest! {
        #[test]
        fn never_panics(at in 0..EXAMPLE.len(), length in 0..40usize, text in "[a-z:{}\\[\\]\n \"'&*!|>%@-]{0,20}") {
            let end = EXAMPLE.len().min(at + length);
            if let (Some(head), Some(tail)) = (EXAMPLE.get(..at), EXAMPLE.get(end..)) {
                let _ = parse(&format!("{head}{text}{tail}"));
            }
            let _ = parse(&text);
        }
    }
}
