//! A small manifest that the tests of several modules start from.

use serde_json::json;
use underwriter_contract::manifest::Manifest;

/// Two leaves on `dti`, two on the evidence of `home`.
pub(crate) const BOOSTER: &str = "tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=dti home
feature_infos=[0:50] [-1:1]
tree_sizes=1 1

Tree=0
num_leaves=2
num_cat=0
split_feature=0
threshold=15
decision_type=10
left_child=-1
right_child=-2
leaf_value=-0.5 0.75
leaf_count=60 40
internal_count=100
is_linear=0
shrinkage=1

Tree=1
num_leaves=2
num_cat=0
split_feature=1
threshold=0
decision_type=2
left_child=-1
right_child=-2
leaf_value=-0.25 0.5
leaf_count=50 50
internal_count=100
is_linear=0
shrinkage=0.1


end of trees
";

/// Number `dti`, date `first_credit`, category `home`, and `state`, which is only kept; `recoveries` leaks.
pub(crate) fn manifest() -> Manifest {
    serde_json::from_value(manifest_json()).unwrap()
}

pub(crate) fn manifest_json() -> serde_json::Value {
    let digest = underwriter_contract::Digest::of(b"");
    let block = json!({"rows": 100, "bad": 20});
    let text = json!({"high": "high", "low": "low", "missing": "none given", "unseen": "unknown kind"});
    json!({
        "format": 1, "model": "loans/consumer", "version": 1, "run": "r", "code": "0.1.0",
        "trigger": {"type": "Initial"},
        "learning": {
            "data": {
                "uri": "s3://loans/a.csv", "time": {"column": "issue_d"},
                "label": {"column": "loan_status", "bad": ["Charged Off"], "good": ["Fully Paid"]},
                "id": {"application": "id", "applicant": "member_id"}
            },
            "decision": {"recall": {"atLeast": 0.75}}
        },
        "configDigest": digest, "data": {"uri": "s3://loans/a.csv", "digest": digest, "rows": 300},
        "blocks": {"fit": block, "calibrate": block, "test": block},
        "columns": [
            {"name": "dti", "kind": "Number", "nullable": false, "learnt": {
                "evidence": {"bins": {"edges": [10.0, 20.0], "evidence": [-1.0, 0.0, 1.0], "missing": 0.5}},
                "median": 15.0, "baseline": 0.1, "reason": text}},
            {"name": "first_credit", "kind": "Date", "nullable": true, "learnt": {
                "evidence": {"bins": {"edges": [24.0], "evidence": [0.8, -0.2], "missing": 0.3}},
                "median": 120.0, "baseline": 0.0, "reason": text}},
            {"name": "home", "kind": "Category", "nullable": true, "learnt": {
                "evidence": {"levels": {
                    "evidence": {"OWN": -0.5, "RENT": 0.5}, "rare": ["NONE"], "other": 0.25, "missing": 0.0}},
                "baseline": -0.1, "reason": text}},
            {"name": "state", "kind": "Category", "nullable": true}
        ],
        "findings": [{"column": "recoveries", "guard": "LeaksByName", "evidence": "its name", "action": "Dropped"}],
        "algorithm": "Blend",
        "scorer": {
            "weight": 0.25,
            "linear": {"intercept": -1.0, "terms": [
                {"column": "dti", "weight": 1.0, "mean": 0.1},
                {"column": "first_credit", "weight": 0.5, "mean": 0.0},
                {"column": "home", "weight": 2.0, "mean": -0.1}]},
            "trees": {"columns": ["dti", "home"]}
        },
        "calibration": {"slope": 2.0, "intercept": -0.5},
        "threshold": {"score": 0.0, "probability": 0.37, "found": 17, "bad": 20, "recallLow": 0.65},
        "metrics": [], "files": {}
    })
}
