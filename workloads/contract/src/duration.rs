//! Durations as people write them in Kubernetes: `30s`, `5m`, `1h30m`, `7d`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A length of time, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(u64);

/// A text that is not a duration.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a duration: write for instance 30s, 5m, 1h30m or 7d")]
pub struct InvalidDuration(String);

const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Duration {
    /// So many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// So many minutes.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    /// So many hours.
    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self(hours * 3_600)
    }

    /// Whole seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, seconds) in UNITS {
            if rest >= seconds {
                write!(f, "{}{unit}", rest / seconds)?;
                rest %= seconds;
            }
        }
        Ok(())
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.to_string()
    }
}

impl TryFrom<String> for Duration {
    type Error = InvalidDuration;

    fn try_from(text: String) -> Result<Self, InvalidDuration> {
        parse(&text).map(Self).ok_or(InvalidDuration(text))
    }
}

fn parse(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let (_, seconds) = UNITS.into_iter().find(|(unit, _)| tail.starts_with(*unit))?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(seconds)?)?;
        rest = &tail[1..];
    }
    (!text.is_empty()).then_some(total)
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([0-9]{1,6}[smhd])+$", "maxLength": 20})
    }
}

#[cfg(test)]
mod tests {
    use super::Duration;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [("0s", 0), ("30s", 30), ("5m", 300), ("1h30m", 5_400), ("7d", 604_800)] {
            let duration = Duration::try_from(text.to_owned()).unwrap();
            assert_eq!(duration.as_secs(), seconds);
            assert_eq!(duration.to_string(), text);
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "5", "m", "-5m", "5 m", "1y", "99999999999999999999d", "5mé"] {
            assert!(Duration::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
