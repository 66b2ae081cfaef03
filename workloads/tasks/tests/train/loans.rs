//! The real loans, and versions learnt from them.

use std::{path::PathBuf, sync::LazyLock};

use serde_json::json;
use underwriter_contract::{
    learning::{Algorithm, Data},
    request::TrainRequest,
};
use underwriter_model::Model;
use underwriter_tasks::{
    progress::Progress,
    train::{
        loans::Loans,
        source::{self, Source},
        table::Table,
        version::{Job, Version},
    },
};

static FILE: LazyLock<Table> = LazyLock::new(|| {
    let bytes = std::fs::read(file()).unwrap();
    source::read(&[("lending-club".to_owned(), bytes)]).unwrap().table
});

/// Where the real loans are.
pub fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/lending-club-2007-2011.csv.gz")
}

/// The loans issued before a month such as `2010-01`.
pub fn issued_before(month: &str) -> Table {
    select(|issued| issued < month)
}

/// The loans issued from a month on.
pub fn issued_from(month: &str) -> Table {
    select(|issued| issued >= month)
}

fn select(keep: impl Fn(&str) -> bool) -> Table {
    let issued = FILE.cells("issue_d").enumerate();
    FILE.take(&issued.filter(|(_, date)| date.is_some_and(&keep)).map(|(row, _)| row).collect::<Vec<_>>())
}

/// As in `examples/consumer-loans`: without the lender's judgement and price, and without the location.
pub fn request() -> TrainRequest {
    let excluded =
        ["grade", "sub_grade", "int_rate", "installment", "funded_amnt", "funded_amnt_inv", "addr_state", "zip_code"];
    let columns: Vec<_> = excluded.iter().map(|name| json!({"name": name, "role": "Excluded"})).collect();
    let learning = json!({
        "data": {
            "uri": "s3://loans/lending-club/", "time": {"column": "issue_d"}, "id": {"application": "id"},
            "label": {"column": "loan_status", "bad": ["Charged Off"], "good": ["Fully Paid"]}, "columns": columns,
        },
        "decision": {"recall": {"atLeast": 0.75}},
    });
    serde_json::from_value(json!({
        "format": 1, "model": "default/consumer-loans", "version": 1, "run": "run", "trigger": {"type": "Initial"},
        "learning": learning, "artifact": "s3://models/run/",
    }))
    .unwrap()
}

/// The same, with one family only.
pub fn request_of(algorithm: Algorithm) -> TrainRequest {
    let mut request = request();
    request.learning.training.algorithm = algorithm;
    request
}

/// The finished ones among them.
pub fn finished(table: &Table, data: &Data) -> Loans {
    Loans::select(table, data).unwrap()
}

/// Learns a version from a table.
pub fn learn(table: Table, request: &TrainRequest) -> Version {
    let source = Source { table, ..Source::default() };
    let loans = finished(&source.table, &request.learning.data);
    let job = Job { request, source: &source, matured: 0, loans: &loans, digest: &loans.digest(), merged: None };
    job.learn(None, &Progress::new(0)).unwrap()
}

/// A version as a server loads it.
pub fn load(version: &Version) -> Model {
    Model::load(version.manifest.clone(), booster(version).as_deref()).unwrap()
}

/// Its trees.
pub fn booster(version: &Version) -> Option<String> {
    version.files.get("booster.txt").map(|bytes| String::from_utf8(bytes.clone()).unwrap())
}

/// The values of each loan, read by the version's own columns.
pub fn values(model: &Model, loans: &Loans) -> Vec<Vec<underwriter_model::Value>> {
    let read = |row: usize| {
        let value = |column: &underwriter_contract::manifest::Column| {
            let text = loans.table.column(&column.name).and_then(|cells| cells.get(row)).unwrap_or_default();
            underwriter_model::value::read(column.kind, text, loans.date(row)).unwrap_or_default()
        };
        model.manifest().columns.iter().map(value).collect()
    };
    (0..loans.len()).map(read).collect()
}
