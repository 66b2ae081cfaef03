//! Records in Postgres' binary COPY format (PostgreSQL documentation, "COPY", binary format).
//!
//! Every record has a row: what Postgres would refuse is replaced here, because a record that is refused would come back
//! from the spool for ever.

use serde::Serialize;
use serde_json::Value;
use underwriter_contract::predict::Verdict;

use super::{MAX_ID, Record, utc::Utc};

/// The columns of a row, in the order of its fields.
pub(super) const COLUMNS: &str = "decision_id, answered_at, role, application_id, applicant_id, application_time, \
    model, service, version, run, features, score, probability, threshold, decision, reasons";

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const FIELDS: i16 = 16;
/// Text of Postgres holds every character but this one.
const REFUSED: char = '\0';
const REPLACEMENT: &str = "\u{fffd}";

/// All of a COPY stream.
pub(super) fn encode(records: &[Record]) -> Vec<u8> {
    let mut stream = Stream(Vec::with_capacity(records.len() * 1024));
    stream.0.extend_from_slice(SIGNATURE);
    stream.0.extend_from_slice(&[0; 8]); // no flags, no extension
    for record in records {
        stream.record(record);
    }
    stream.0.extend_from_slice(&(-1_i16).to_be_bytes());
    stream.0
}

struct Stream(Vec<u8>);

impl Stream {
    fn record(&mut self, record: &Record) {
        let Record { decision_id, answered_at, role, application_id, applicant_id, application_time, .. } = record;
        let Record { model, service, version, run, features, score, probability, threshold, decision, reasons, .. } =
            record;
        self.0.extend_from_slice(&FIELDS.to_be_bytes());
        self.field(decision_id.as_bytes());
        self.field(&Utc(*answered_at).microseconds().to_be_bytes());
        self.field(role.as_str().as_bytes());
        self.text(cut(application_id));
        match applicant_id {
            Some(id) => self.text(cut(id)),
            None => self.null(),
        }
        self.field(&Utc(*application_time).microseconds().to_be_bytes());
        self.text(model);
        self.text(service);
        self.field(&i64::from(*version).to_be_bytes());
        self.text(run);
        self.json(features);
        for number in [score, probability, threshold] {
            self.field(&number.to_be_bytes());
        }
        self.text(decided(*decision));
        self.json(reasons);
    }

    /// A length and so many bytes. No field comes near the two gigabytes that a length can say.
    fn field(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn null(&mut self) {
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.field(storable(text).as_bytes());
    }

    /// `jsonb` is sent as a version, 1, and text.
    fn json(&mut self, value: &impl Serialize) {
        self.field(format!("\x01{}", json(value)).as_bytes());
    }
}

const fn decided(decision: Verdict) -> &'static str {
    match decision {
        Verdict::Approve => "approve",
        Verdict::Refuse => "refuse",
    }
}

/// An id's first [`MAX_ID`] characters.
pub(super) fn cut(id: &str) -> &str {
    id.char_indices().nth(MAX_ID).map_or(id, |(end, _)| id.split_at(end).0)
}

/// A text as Postgres takes it.
pub(super) fn storable(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains(REFUSED) { text.replace(REFUSED, REPLACEMENT).into() } else { text.into() }
}

/// Cleaning takes a tree of values; only where the text shows that it may be needed.
fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    if !text.contains(r"\u0000") {
        return text;
    }
    let cleaned = serde_json::from_str(&text).map(clean);
    cleaned.map_or_else(|_| "null".to_owned(), |value| value.to_string())
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => storable(&text).into_owned().into(),
        Value::Array(values) => values.into_iter().map(clean).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (storable(&name).into_owned(), clean(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_ID, cut, json, storable};

    #[test]
    fn replaces_the_character_that_postgres_refuses() {
        assert_eq!(storable("a\0b"), "a\u{fffd}b");
        let features = serde_json::json!({"emp_title\u{0}": ["x\u{0}", {"y": "\u{0}"}], "kept": "\\u0000", "n": 1.5});
        let cleaned =
            serde_json::json!({"emp_title\u{fffd}": ["x\u{fffd}", {"y": "\u{fffd}"}], "kept": "\\u0000", "n": 1.5});
        assert_eq!(json(&features), cleaned.to_string());
    }

    proptest! {
        #[test]
        fn cuts_ids_between_characters(id in ".{0,300}") {
            let short = cut(&id);
            prop_assert!(id.starts_with(short));
            prop_assert_eq!(short.chars().count(), id.chars().count().min(MAX_ID));
        }
    }
}
