//! What there is to say of a version that was learnt, from the files of its artifact.

use std::{fmt::Write as _, path::Path};

use serde_json::Value as Json;
use underwriter_contract::{
    manifest::{Block, Finding, MANIFEST, Manifest, REPORT},
    summary::{Failure, FailureReason, Metric},
};

use super::layout::{Table, count, maybe, percent, section};

/// How many lines of one kind are shown; the rest stands in the report.
const SHOWN: usize = 20;

/// The text for a terminal.
///
/// # Errors
/// When a file of the artifact cannot be read.
pub fn text(folder: &Path) -> Result<String, Failure> {
    let manifest: Manifest = file(folder, MANIFEST)?;
    let report: Json = file(folder, REPORT)?;
    let mut text = format!("{:?} learnt from {}\n", manifest.algorithm, manifest.data.uri);
    text.push_str(&section("Rows", &rows(&manifest, &report)));
    text.push_str(&section("Blocks", &blocks(&manifest)));
    text.push_str(&section("On the test rows", &metrics(&manifest.metrics)));
    let threshold = manifest.threshold.probability;
    let _ = writeln!(text, "\nRefused from a probability of {threshold:.4} on."); // writing to a String cannot fail
    text.push_str(&section("What the guards found", &findings(&manifest.findings)));
    text.push_str(&section("Odd, but kept", &warnings(&report)));
    let _ = writeln!(text, "\nThe artifact is {}", folder.display());
    Ok(text)
}

fn file<T: serde::de::DeserializeOwned>(folder: &Path, name: &str) -> Result<T, Failure> {
    let path = folder.join(name);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(FailureReason::ArtifactCorrupt, format_args!("{}: {error}", path.display()))
    };
    let bytes = std::fs::read(&path).map_err(|error| failed(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| failed(&error))
}

fn rows(manifest: &Manifest, report: &Json) -> Table {
    let number = |place: &str| report.pointer(place).and_then(Json::as_u64).unwrap_or(0);
    let mut table = Table::new(["", "loans", ""], 1);
    table.row(["used".to_owned(), count(manifest.data.rows), span(manifest.data.from, manifest.data.to)]);
    let others = report.pointer("/leftOut/labels").and_then(Json::as_object);
    let others =
        others.map(|labels| labels.iter().map(|(label, rows)| format!("{label:?} {rows}")).collect::<Vec<_>>());
    let young = report.pointer("/leftOut/youngFrom").and_then(Json::as_str);
    let broken = report.pointer("/broken/examples/0").and_then(Json::as_str).unwrap_or_default();
    for (what, rows, why) in [
        ("neither bad nor good", number("/leftOut/notFinished"), others.unwrap_or_default().join(", ")),
        ("duplicates", number("/leftOut/duplicates"), String::new()),
        ("without a readable time", number("/leftOut/undated"), String::new()),
        ("too young", number("/leftOut/young"), young.map_or_else(String::new, |day| format!("from {day} on"))),
        ("broken", number("/broken/rows"), broken.to_owned()),
        ("not UTF-8, read as Windows-1252", number("/broken/recoded"), String::new()),
    ] {
        if rows > 0 {
            table.row([what.to_owned(), count(rows), why]);
        }
    }
    table
}

fn span(from: Option<jiff::civil::Date>, to: Option<jiff::civil::Date>) -> String {
    from.zip(to).map_or_else(String::new, |(from, to)| format!("{from} to {to}"))
}

fn blocks(manifest: &Manifest) -> Table {
    let mut table = Table::new(["", "loans", "bad", "bad rate", "from", "to"], 2);
    let blocks = &manifest.blocks;
    for (name, block) in [("fit", &blocks.fit), ("calibrate", &blocks.calibrate), ("test", &blocks.test)] {
        let Block { rows, bad, from, to } = block;
        table.row([name.to_owned(), count(*rows), count(*bad), percent(*bad, *rows), maybe(*from), maybe(*to)]);
    }
    table
}

/// Figures with their intervals.
pub fn metrics(metrics: &[Metric]) -> Table {
    let mut table = Table::new(["", "value", "95 % interval"], 0);
    for Metric { name, value, low, high } in metrics {
        let interval = low.zip(*high).map_or_else(String::new, |(low, high)| format!("{low:.4} to {high:.4}"));
        table.row([format!("{name:?}"), format!("{value:.4}"), interval]);
    }
    table
}

/// What the guards found, and what was done: columns that tell the outcome first.
pub fn findings(findings: &[Finding]) -> Table {
    let mut table = Table::new(["", "guard", "done", "because"], 3);
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| !finding.guard.leaks());
    for Finding { column, guard, evidence, action } in sorted.iter().take(SHOWN) {
        table.row([column.clone(), format!("{guard:?}"), format!("{action:?}"), evidence.clone()]);
    }
    if sorted.len() > SHOWN {
        table.row([format!("and {} more", sorted.len() - SHOWN), String::new(), String::new(), String::new()]);
    }
    table
}

fn warnings(report: &Json) -> Table {
    let mut table = Table::new([""], 1);
    let warnings = report.pointer("/warnings").and_then(Json::as_array);
    for warning in warnings.into_iter().flatten().filter_map(Json::as_str).take(SHOWN) {
        table.row([warning.to_owned()]);
    }
    table
}
