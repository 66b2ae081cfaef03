//! Holds the whole comparison against Evidently itself, on the example loans.
//!
//! `reference.json` is what `tests/peers/evidently_drift.py` got from Evidently for these same rows. The window goes in
//! as the log would give it, so that the reading of values is held as well.

use std::{collections::BTreeMap, ops::Range};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use underwriter_contract::{
    FORMAT,
    manifest::{self, ColumnKind},
    profile::{ColumnProfile, Profile, Values},
    summary::Verdict,
};
use underwriter_model::{Value, parse, value};

use crate::{
    drift::{
        compare::Test,
        findings::{self, Findings},
        window::Window,
    },
    train::{source, table::Table},
};

const LOANS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/lending-club-2007-2011.csv.gz");
const CATEGORIES: [&str; 3] = ["home_ownership", "verification_status", "purpose"];
const WINDOW: usize = 3000;

/// What Evidently found.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evidently {
    reference_rows: usize,
    windows: Vec<EvidentlyWindow>,
}

#[derive(Deserialize)]
struct EvidentlyWindow {
    until: String,
    share: f64,
    columns: BTreeMap<String, EvidentlyColumn>,
}

#[derive(Deserialize)]
struct EvidentlyColumn {
    method: String,
    value: f64,
    drifted: bool,
}

#[test]
fn every_column_equals_evidently() {
    let evidently: Evidently = serde_json::from_str(include_str!("reference.json")).unwrap();
    let loans = read_loans();
    let trained = issued_up_to(&loans, "2009-12");
    let reference = trained - trained * 2 / 5..trained;
    assert_eq!(reference.len(), evidently.reference_rows);
    for window in evidently.windows {
        let columns: Vec<_> = window.columns.keys().map(|name| column(name)).collect();
        let profile = profile(&loans, &columns, reference.clone());
        let end = issued_up_to(&loans, &window.until);
        let found = compare(&loans, &columns, &profile, end - WINDOW..end);
        check(&window, &found);
    }
}

fn check(wanted: &EvidentlyWindow, found: &Findings) {
    for column in &found.columns {
        let EvidentlyColumn { method, value, drifted } = &wanted.columns[&column.name];
        let test = if method == "wasserstein" { Test::Wasserstein } else { Test::JensenShannon };
        assert_eq!((column.test, column.drifted), (test, *drifted), "{} up to {}", column.name, wanted.until);
        let distance = column.distance.unwrap();
        assert!((distance - value).abs() < 1e-9, "{}: {distance} is not {value}", column.name);
    }
    assert_eq!(found.columns.len(), wanted.columns.len());
    assert!((found.drifted_share - wanted.share).abs() < 1e-12, "up to {}: {}", wanted.until, found.drifted_share);
    let verdict = if wanted.share >= 0.5 { Verdict::Drifted } else { Verdict::Quiet };
    assert_eq!(found.verdict, verdict, "up to {}", wanted.until);
}

fn read_loans() -> Table {
    source::read(&[("loans".to_owned(), std::fs::read(LOANS).unwrap())]).unwrap().table
}

fn issued(loans: &Table, row: usize) -> Date {
    parse::date(loans.column("issue_d").unwrap().get(row).unwrap()).unwrap()
}

fn issued_up_to(loans: &Table, month: &str) -> usize {
    let month = parse::date(month).unwrap();
    (0..loans.height()).filter(|row| issued(loans, *row) <= month).count()
}

fn column(name: &str) -> manifest::Column {
    let kind = match name {
        "earliest_cr_line" => ColumnKind::Date,
        name if CATEGORIES.contains(&name) => ColumnKind::Category,
        _ => ColumnKind::Number,
    };
    manifest::Column { name: name.to_owned(), kind, nullable: true, learnt: None }
}

fn profile(loans: &Table, columns: &[manifest::Column], rows: Range<usize>) -> Profile {
    let count = rows.len() as u64;
    let columns = columns.iter().map(|column| column_profile(loans, column, rows.clone())).collect();
    Profile { format: FORMAT, rows: count, columns }
}

fn column_profile(loans: &Table, column: &manifest::Column, rows: Range<usize>) -> ColumnProfile {
    let (mut nulls, mut numbers, mut levels) = (0, Vec::new(), Vec::new());
    for row in rows {
        let text = loans.column(&column.name).unwrap().get(row).unwrap_or_default();
        match value::read(column.kind, text, Some(issued(loans, row))).unwrap() {
            Value::Missing => nulls += 1,
            Value::Number(number) => numbers.push((number, 1)),
            Value::Level(level) => levels.push((level, 1)),
        }
    }
    let categories = column.kind == ColumnKind::Category;
    let values = if categories { Values::Levels(levels) } else { Values::Numbers(numbers) };
    ColumnProfile { name: column.name.clone(), nulls, values }
}

fn compare(loans: &Table, columns: &[manifest::Column], profile: &Profile, rows: Range<usize>) -> Findings {
    let mut window = Window::new(profile, columns).unwrap();
    for row in rows {
        let time = parse::time(loans.column("issue_d").unwrap().get(row).unwrap()).unwrap();
        window.push(time, &features(loans, columns, row));
    }
    Findings::new(&window, profile.rows, &findings::tests::request())
}

/// As a client sends them: numbers as numbers where they are.
fn features(loans: &Table, columns: &[manifest::Column], row: usize) -> Map<String, Json> {
    let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Json::from(text));
    let cell = |name: &str| loans.column(name).unwrap().get(row).map_or(Json::Null, json);
    columns.iter().map(|column| (column.name.clone(), cell(&column.name))).collect()
}
