//! Both pages, printed for a version that was really learnt, from loans whose names would like to be markup.

use std::sync::LazyLock;

use roxmltree::{Document, ParsingOptions};
use serde_json::json;
use underwriter_contract::{
    manifest::{DATA_REPORT, MODEL_CARD},
    request::TrainRequest,
};
use underwriter_model::Model;

use super::{card::points::Scale, data::Explored, data::facts::Facts};
use crate::{
    progress::Progress,
    train::{
        guards::Columns,
        loans::Loans,
        source::Source,
        table::Table,
        version::{Job, Version},
    },
};

const COLUMN: &str = "<script>alert(1)</script>";
const LEVEL: &str = "</td><b onload=\"x\">&amp;'";

static SOURCE: LazyLock<Source> = LazyLock::new(|| Source { table: table(), ..Source::default() });
static LEARNT: LazyLock<Version> = LazyLock::new(|| {
    let request = request();
    let loans = Loans::select(&SOURCE.table, &request.learning.data).unwrap();
    let job =
        Job { request: &request, source: &SOURCE, matured: 0, loans: &loans, digest: &loans.digest(), merged: None };
    job.learn(None, &Progress::new(0)).unwrap()
});

/// Loans of 30 months: `x` is higher for the bad, one level is twice as risky as the other, every tenth `age` is missing.
fn table() -> Table {
    let noise = |at: usize, factor: u64| ((at as u64 + 1).wrapping_mul(factor) >> 40) % 1000;
    let row = |at: usize| {
        let (one, other) = (noise(at, 0x9e37_79b9_7f4a_7c15), noise(at, 0xbf58_476d_1ce4_e5b9));
        let bad = noise(at, 0x94d0_49bb_1331_11eb) < 100 + one / 5 + if at.is_multiple_of(2) { 100 } else { 0 };
        let age = if at.is_multiple_of(10) { None } else { Some((20 + other % 50).to_string()) };
        let (year, month) = (2009 + at / 3600, at / 300 % 12 + 1);
        let status = if bad { "Charged Off" } else { "Fully Paid" };
        let level = if at.is_multiple_of(2) { LEVEL } else { "plain" };
        let text = |text: &str| Some(text.to_owned());
        vec![
            text(&at.to_string()),
            text(&format!("{year}-{month:02}-01")),
            text(status),
            text(&one.to_string()),
            text(level),
            age,
            text(if at.is_multiple_of(3) { "<i>" } else { "m" }),
            text("0"),
        ]
    };
    let rows: Vec<_> = (0..9000).map(row).collect();
    Table::from_rows(&["id", "when", "status", "x", COLUMN, "age", "sex<", "recoveries"], &rows)
}

fn request() -> TrainRequest {
    let columns = json!([{"name": "sex<", "role": "Protected"}, {"name": "age", "role": "Protected"}]);
    let learning = json!({
        "data": {
            "uri": "s3://loans/<loans>/", "time": {"column": "when"}, "id": {"application": "id"},
            "label": {"column": "status", "bad": ["Charged Off"], "good": ["Fully Paid"]}, "columns": columns,
        },
        "decision": {"recall": {"atLeast": 0.75}},
        "training": {"algorithm": "Scorecard"},
    });
    serde_json::from_value(json!({
        "format": 1, "model": "default/<model>", "version": 3, "run": "run", "trigger": {"type": "Initial"},
        "learning": learning, "artifact": "s3://models/run/",
    }))
    .unwrap()
}

fn page(name: &str) -> &'static str {
    std::str::from_utf8(&LEARNT.files[name]).unwrap()
}

/// As XML, which is stricter than what a browser asks for.
#[track_caller]
fn parsed(page: &str) -> Document<'_> {
    Document::parse_with_options(page, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).unwrap()
}

fn text(document: &Document) -> String {
    let texts = document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text());
    texts.collect::<Vec<_>>().join(" ")
}

#[test]
fn pages_are_well_formed_and_load_and_run_nothing() {
    for name in [MODEL_CARD, DATA_REPORT] {
        let document = parsed(page(name));
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((count("h1"), count("script"), count("link"), count("img"), count("b") > 0), (1, 0, 0, 0, true));
        assert!(count("svg") >= 5, "{name}: {} drawings", count("svg"));
        for attribute in document.descendants().flat_map(|node| node.attributes()) {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && (name != "href" || value.starts_with('#')), "{name}={value}");
            assert!(!matches!(name, "d" | "x" | "y" | "points") || !value.contains(['N', 'i']), "{name}={value}");
        }
        assert!(!text(&document).contains("NaN"), "{name} has a number that is none");
    }
}

#[test]
fn what_comes_from_data_is_text() {
    for name in [MODEL_CARD, DATA_REPORT] {
        let document = parsed(page(name));
        let text = text(&document);
        for expected in [COLUMN, LEVEL, "default/<model>", "s3://loans/<loans>/", "sex<", "<i>"] {
            assert!(text.contains(expected), "{name} lacks {expected}");
        }
        assert!(!page(name).contains("<script") && !page(name).contains("<b onload"));
    }
}

#[test]
fn the_card_says_what_it_must() {
    let document = parsed(page(MODEL_CARD));
    let text = text(&document);
    let digest = LEARNT.manifest.data.digest.as_str();
    let threshold = super::text::percent(LEARNT.manifest.threshold.probability);
    for expected in [
        digest,
        &threshold,
        "leaks the outcome, by its name",
        "95 % interval",
        "Clopper–Pearson",
        "points",
        "booster.txt",
    ] {
        assert!(text.contains(expected) == (expected != "booster.txt"), "{expected}");
    }
    let sections = document.descendants().filter(|node| node.has_tag_name("section"));
    let ids: Vec<_> = sections.filter_map(|section| section.attribute("id")).collect();
    assert_eq!(ids.len(), 12, "{ids:?}");
    let report = &page(MODEL_CARD)[page(MODEL_CARD).find("id=\"fairness\"").unwrap()..];
    for group in ["m", "not given", "&lt;i&gt;"] {
        assert!(report.contains(group), "{group}");
    }
}

/// An applicant's points are 600 at 30 good loans to one bad, and 20 more for twice as many.
#[test]
fn points_are_the_probability_in_other_words() {
    let manifest = LEARNT.manifest.clone();
    let scale = Scale::of(&manifest).unwrap();
    let linear = manifest.scorer.linear.clone().unwrap();
    let columns = manifest.columns.clone();
    let model = Model::load(manifest, None).unwrap();
    let loans = Loans::select(&SOURCE.table, &request().learning.data).unwrap();
    for row in [0, 17, 4711] {
        let read = |column: &underwriter_contract::manifest::Column| {
            let text = loans.table.column(&column.name).and_then(|cells| cells.get(row)).unwrap_or_default();
            underwriter_model::value::read(column.kind, text, loans.date(row)).unwrap_or_default()
        };
        let values: Vec<_> = columns.iter().map(read).collect();
        let points = |term: &underwriter_contract::manifest::Term| {
            let at = columns.iter().position(|column| column.name == term.column).unwrap();
            let evidence = &columns[at].learnt.as_ref().unwrap().evidence;
            scale.points(term.weight * underwriter_model::evidence::of(evidence, &values[at]))
        };
        let total: f64 = linear.terms.iter().map(points).sum();
        let probability = model.score(&values).unwrap().probability;
        let expected = 600.0 + 20.0 * ((1.0 - probability) / probability / 30.0).log2();
        assert!((total - expected).abs() < 1e-9, "{total} {expected}");
    }
}

#[test]
fn facts_are_counted() {
    let request = request();
    let data = &request.learning.data;
    let loans = Loans::select(&SOURCE.table, data).unwrap();
    let columns = Columns::judge(&loans, data).unwrap();
    let facts = Facts::of(&Explored { model: "m", data, source: &SOURCE, loans: &loans, columns: &columns });
    let of = |name: &str| facts.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!((facts.columns.len(), facts.spans.len(), facts.rows), (4, 30, 9000));
    assert!(facts.columns.iter().all(|column| column.name != "recoveries"), "what leaks is not looked at");
    assert_eq!((of("age").missing, of("age").distinct, of("age").usage.as_str()), (0.1, 50, "protected"));
    assert_eq!((of(COLUMN).distinct, of("x").missing_by_time.len(), of("age").missing_by_time.len()), (2, 0, 30));

    // of two levels: bad rates p and q, all from counts
    let counts: Vec<(f64, f64)> = of(COLUMN)
        .bins
        .iter()
        .map(|bin| (bin.bad_rate.part as f64, (bin.bad_rate.whole - bin.bad_rate.part) as f64))
        .collect();
    let (bads, goods) = counts.iter().fold((0.0, 0.0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let term = |(bad, good): &(f64, f64)| (bad / bads - good / goods) * (bad / bads / (good / goods)).ln();
    let expected: f64 = counts.iter().map(term).sum();
    assert!(
        expected > 0.05 && (of(COLUMN).information - expected).abs() < 1e-3,
        "{} {expected}",
        of(COLUMN).information
    );
    let ranks: Vec<f64> = (0..loans.len())
        .map(|row| f64::from(u8::from(loans.table.column(COLUMN).unwrap().get(row) == Some(LEVEL))))
        .collect();
    let area = underwriter_model::metrics::roc_auc(&ranks, &loans.bad).unwrap().value;
    assert!((of(COLUMN).area - area).abs() < 1e-9);
    assert!(of("x").shift.unwrap() < 0.02 && of("x").information > of("age").information);
}
