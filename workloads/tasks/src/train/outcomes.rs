//! Matured applications from the prediction log, as rows beside those of the source.

use futures::TryStreamExt as _;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use underwriter_contract::{learning::Data, summary::Failure};
use underwriter_data::log::{Log, Matured};

use super::table::Table;

/// The applications whose outcome had come in before a moment, and the newest day on which one was seen.
///
/// # Errors
/// When the log cannot be read.
pub async fn read(log: &Log, model: &str, before: Timestamp, data: &Data) -> Result<(Table, Option<Date>), Failure> {
    let matured: Result<Vec<Matured>, _> = log.matured(model, before, &data.label).try_collect().await;
    let matured = matured.map_err(|error| Failure::new(error.reason(), error))?;
    let newest = matured.iter().map(|row| day(row.observed_at)).max();
    Ok((table(&matured, data), newest))
}

/// Their columns as texts; id, time and label come from the log itself, whatever the application said.
fn table(matured: &[Matured], data: &Data) -> Table {
    let features: BTreeSet<&str> = matured.iter().flat_map(|row| row.features.keys()).map(String::as_str).collect();
    let mut names: Vec<&str> = reserved(data).map(|(name, _)| name).collect();
    let own = names.len();
    names.extend(features.into_iter().filter(|name| reserved(data).all(|(reserved, _)| reserved != *name)));
    let row = |row: &Matured| -> Vec<Option<String>> {
        let facts = reserved(data).map(|(_, fact)| Some(fact(row)));
        facts.chain(names[own..].iter().map(|name| row.features.get(*name).and_then(text))).collect()
    };
    Table::from_rows(&names, &matured.iter().map(row).collect::<Vec<_>>())
}

/// The columns that the log knows by itself, and what it knows.
fn reserved(data: &Data) -> impl Iterator<Item = (&str, fn(&Matured) -> String)> {
    let label = (data.label.column.as_str(), (|row| row.outcome.clone()) as fn(&Matured) -> String);
    let id = data
        .id
        .iter()
        .map(|id| (id.application.as_str(), (|row| row.application_id.clone()) as fn(&Matured) -> String));
    let time = data.time.iter().map(|time| (time.column.as_str(), date as fn(&Matured) -> String));
    std::iter::once(label).chain(id).chain(time)
}

fn date(row: &Matured) -> String {
    day(row.application_time).to_string()
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use underwriter_data::log::Matured;

    #[test]
    fn rows_are_as_the_source_would_have_them() {
        let data = serde_json::from_value(serde_json::json!({
            "uri": "s3://loans/", "label": {"column": "status", "bad": ["Off"], "good": ["Paid"]},
            "time": {"column": "when"}, "id": {"application": "id"},
        }))
        .unwrap();
        let features = serde_json::json!({"dti": 1.5, "purpose": "car", "none": null, "status": "?"});
        let row = Matured {
            application_id: "7".into(),
            application_time: "2011-03-01T00:00:00Z".parse().unwrap(),
            features: features.as_object().unwrap().clone(),
            outcome: "Off".into(),
            observed_at: "2012-01-01T00:00:00Z".parse().unwrap(),
        };
        let table = super::table(&[row], &data);
        let cells: Vec<_> = table.names().map(|name| (name, table.column(name).unwrap().get(0))).collect();
        assert_eq!(
            cells,
            [
                ("status", Some("Off")),
                ("id", Some("7")),
                ("when", Some("2011-03-01")),
                ("dti", Some("1.5")),
                ("none", None),
                ("purpose", Some("car"))
            ]
        );
    }
}
