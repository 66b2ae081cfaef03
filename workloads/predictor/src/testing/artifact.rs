//! A small scorecard: income and debt-to-income ratio, home ownership as a category, a column kept in the log only.

use serde_json::{Value, json};
use underwriter_contract::{Digest, manifest::Manifest};

/// The manifest of version `number`. Its score grows with `dti`; at 20 and more it refuses.
pub fn manifest(number: u32) -> Manifest {
    let digest = Digest::of(b"test");
    let block = json!({"rows": 100, "bad": 20});
    let value = json!({
        "format": 1, "model": "loans/consumer-loans", "version": number, "run": format!("run-{number}"), "code": "test",
        "trigger": {"type": "Initial"},
        "learning": {
            "data": {
                "uri": "s3://loans/all.csv",
                "label": {"column": "loan_status", "bad": ["Charged Off"], "good": ["Fully Paid"]},
                "time": {"column": "issue_d"},
                "id": {"application": "id", "applicant": "member_id"},
            },
            "decision": {"recall": {"atLeast": 0.75}},
        },
        "configDigest": digest,
        "data": {"uri": "s3://loans/all.csv", "digest": digest, "rows": 300},
        "blocks": {"fit": block, "calibrate": block, "test": block},
        "columns": columns(),
        "findings": [{"column": "recoveries", "guard": "LeaksByName", "evidence": "its name", "action": "Dropped"}],
        "algorithm": "Scorecard",
        "scorer": {"weight": 1.0, "linear": {"intercept": -1.0, "terms": terms()}},
        "calibration": {"slope": 1.0, "intercept": 0.0},
        "threshold": {"score": 0.0, "probability": 0.5, "found": 16, "bad": 20, "recallLow": 0.75},
        "metrics": [],
        "files": {},
    });
    serde_json::from_value(value).unwrap()
}

fn columns() -> Value {
    let number = |name: &str, edges: [f64; 1], evidence: [f64; 2]| {
        json!({
            "name": name, "kind": "Number", "nullable": true,
            "learnt": {
                "evidence": {"bins": {"edges": edges, "evidence": evidence, "missing": 0.1}}, "median": edges[0], "baseline": 0.0,
                "reason": {"high": format!("{name} is high"), "low": format!("{name} is low"), "missing": format!("{name} is missing"), "unseen": ""},
            },
        })
    };
    let home = json!({
        "name": "home", "kind": "Category", "nullable": true,
        "learnt": {
            "evidence": {"levels": {"evidence": {"RENT": 0.2, "OWN": -0.2}, "rare": [], "other": 0.0, "missing": 0.0}}, "baseline": 0.0,
            "reason": {"high": "home", "low": "home", "missing": "home is missing", "unseen": "home is unusual"},
        },
    });
    let grade = json!({"name": "grade", "kind": "Category", "nullable": true});
    json!([number("income", [1e300], [0.0, 0.1]), number("dti", [20.0], [-1.0, 1.5]), home, grade])
}

fn terms() -> Value {
    json!([
        {"column": "income", "weight": 1.0, "mean": 0.0},
        {"column": "dti", "weight": 1.0, "mean": 0.0},
        {"column": "home", "weight": 1.0, "mean": 0.0},
    ])
}

/// A good application, refused where `dti` is 20 or more.
pub fn application(id: &str, dti: f64) -> Value {
    json!({"id": id, "issue_d": "2011-06-01", "income": 50_000, "dti": dti, "home": "RENT", "grade": "B"})
}
