//! Numbers and dates as lenders write them.
//!
//! Lenient where the meaning is plain (`10+ years` is 10), strict where it is not: `940xx` is no number, and neither is
//! `1,5`. Not here: which column is read as what.

use jiff::{
    Timestamp,
    civil::{Date, date as civil_date},
    tz::TimeZone,
};

/// Texts that say that there is no value, beside the empty one.
const MISSING: [&str; 4] = ["na", "n/a", "nan", "null"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Two-digit years below this are of this century: loans and credit lines seldom date from before 1950.
const CENTURY_PIVOT: i16 = 50;
/// No date is longer: a time in RFC 3339 with nanoseconds and an offset has 35 bytes.
const LONGEST_DATE: usize = 40;

/// Whether a text says that there is no value: empty, `NA`, `n/a`, `NaN` or `null`, in any case.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || MISSING.iter().any(|missing| text.eq_ignore_ascii_case(missing))
}

/// A number, or a text that starts like one and goes on with a unit: `13.5%`, `36 months`, `10+ years`, `1,234.5`.
/// `< 1 year`, less than the least, is 0. Always finite.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.strip_prefix('<') {
        Some(bound) => numeral_with_unit(bound.trim_start()).map(|_| 0.0),
        None => numeral_with_unit(text),
    }
}

fn numeral_with_unit(text: &str) -> Option<f64> {
    let (numeral, unit) = text.split_at_checked(numeral_length(text.as_bytes()))?;
    if !is_unit(unit) {
        return None;
    }
    let number = if numeral.contains(',') { ungrouped(numeral)?.parse() } else { numeral.parse::<f64>() };
    number.ok().filter(|number| number.is_finite())
}

/// Bytes of the leading `[+-]digits[.digits][e[+-]digits]`, where commas may stand among the first digits.
fn numeral_length(text: &[u8]) -> usize {
    let digits = |from: usize| text.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let sign = |at: usize| usize::from(matches!(text.get(at), Some(b'+' | b'-')));
    let mut end = sign(0);
    end += text.iter().skip(end).take_while(|byte| byte.is_ascii_digit() || **byte == b',').count();
    if text.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let start = end + 1 + sign(end + 1);
        end = if digits(start) > 0 { start + digits(start) } else { end };
    }
    end
}

/// `%`, `+`, one word after a blank, or nothing.
fn is_unit(text: &str) -> bool {
    let rest = text.strip_prefix(['%', '+']).unwrap_or(text);
    let word = rest.trim_start();
    word.is_empty() || word == "%" || (word.len() < rest.len() && word.chars().all(char::is_alphabetic))
}

/// Takes out the commas between groups of three digits; none where they stand elsewhere.
fn ungrouped(numeral: &str) -> Option<String> {
    let integer = numeral.split(['.', 'e', 'E']).next()?.trim_start_matches(['+', '-']);
    let mut groups = integer.split(',');
    let first = groups.next()?;
    let well_formed = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    well_formed.then(|| numeral.replace(',', ""))
}

/// A date: `2011-12-01`, `2011/12/1`, `2011-12`, `Dec-2011`, `Dec-11`, or the date in UTC of a time in RFC 3339.
/// A month is its first day.
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    if text.len() > LONGEST_DATE {
        return None;
    }
    moment(text)
        .map(|moment| TimeZone::UTC.to_datetime(moment).date())
        .or_else(|| day(text))
        .or_else(|| month(text))
        .or_else(|| slashed(text))
}

/// A time in RFC 3339, or midnight UTC of a [`date`].
#[must_use]
pub fn time(text: &str) -> Option<Timestamp> {
    moment(text.trim())
        .or_else(|| TimeZone::UTC.to_timestamp(date(text)?.to_datetime(jiff::civil::Time::midnight())).ok())
}

fn moment(text: &str) -> Option<Timestamp> {
    text.contains(':').then(|| text.parse().ok()).flatten()
}

/// `2011-12-01`, also with a time of day that names no zone.
fn day(text: &str) -> Option<Date> {
    let written_out = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    written_out.then(|| text.parse().ok()).flatten()
}

/// `2011/12/1`: where the year comes first, nobody can mistake the month for the day.
fn slashed(text: &str) -> Option<Date> {
    let mut parts = text.split('/');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let sized = year.len() == 4 && month.len() <= 2 && day.len() <= 2 && parts.next().is_none();
    let small = |text: &str| i8::try_from(digits(text)?).ok();
    if sized { Date::new(digits(year)?, small(month)?, small(day)?).ok() } else { None }
}

/// `2011-12`, `Dec-2011` or `Dec-11`.
fn month(text: &str) -> Option<Date> {
    let (left, right) = text.split_once('-')?;
    match MONTHS.iter().position(|name| left.eq_ignore_ascii_case(name)) {
        Some(index) => first_day(year(right)?, i8::try_from(index + 1).ok()?),
        None if left.len() == 4 && right.len() == 2 => first_day(digits(left)?, i8::try_from(digits(right)?).ok()?),
        None => None,
    }
}

fn year(text: &str) -> Option<i16> {
    let year = digits(text)?;
    match text.len() {
        4 => Some(year),
        2 => Some(year + if year < CENTURY_PIVOT { 2000 } else { 1900 }),
        _ => None,
    }
}

fn digits(text: &str) -> Option<i16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn first_day(year: i16, month: i8) -> Option<Date> {
    (1..=12).contains(&month).then(|| civil_date(year, month, 1))
}

/// Whole months from `date` to the application, rounded down; negative for a date after it.
#[must_use]
pub fn months_before(date: Date, application: Date) -> f64 {
    let count = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
    let incomplete = i32::from(application.day() < date.day());
    f64::from(count(application) - count(date) - incomplete)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_as_lenders_write_them() {
        let read = [
            ("13.5%", 13.5),
            ("13.5 %", 13.5),
            (" 36 months", 36.0),
            ("10+ years", 10.0),
            ("1 year", 1.0),
            ("< 1 year", 0.0),
            ("<1 year", 0.0),
            ("1,234.5", 1234.5),
            ("-1,234,567", -1_234_567.0),
            ("1e5", 1e5),
            ("1.5E-3", 1.5e-3),
            ("+7", 7.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("10+", 10.0),
        ];
        for (text, expected) in read {
            assert_eq!(number(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_none() {
        for text in [
            "940xx",
            "A1",
            "1,5",
            "1234,567",
            ",5",
            "12,34,567",
            "2011-12-01",
            "inf",
            "NaN",
            "1e400",
            "",
            "-",
            ".",
            "%",
            "36months",
            "1 2",
            "3 big loans",
            "0x10",
            "<",
            "<< 1",
            "1e",
            "--1",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn missing_in_any_case() {
        for text in ["", "  ", "NA", "n/a", "N/A", "null", "NULL", "NaN"] {
            assert!(is_missing(text), "{text}");
        }
        for text in ["NONE", "0", "-", "any"] {
            assert!(!is_missing(text), "{text}");
        }
    }

    #[test]
    fn dates_as_lenders_write_them() {
        for text in [
            "2011-12-01",
            "2011-12",
            "Dec-2011",
            "dec-11",
            " DEC-2011 ",
            "2011-12-01T00:00:00Z",
            "2011-12-01 00:00:00",
            "2011/12/1",
        ] {
            assert_eq!(date(text), Some(civil_date(2011, 12, 1)), "{text}");
        }
        assert_eq!(date("Nov-62"), Some(civil_date(1962, 11, 1)));
        assert_eq!(date("2012-01-01T00:30:00+02:00"), Some(civil_date(2011, 12, 31)), "the date in UTC");
        for text in [
            "",
            "2011",
            "20111201",
            "2011-13",
            "2011-02-30",
            "Foo-2011",
            "Dec-211",
            "12/2011",
            "Dec-é1",
            "-",
            "36 months",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_is_midnight() {
        assert_eq!(time("Dec-2011").unwrap().to_string(), "2011-12-01T00:00:00Z");
        assert_eq!(time("2011-12-01T10:20:30.5+01:00").unwrap().to_string(), "2011-12-01T09:20:30.5Z");
    }

    #[test]
    fn months_are_whole() {
        let months = |from: &str, to: &str| months_before(date(from).unwrap(), date(to).unwrap());
        assert_eq!(months("2000-06", "2011-01"), 127.0);
        assert_eq!(months("2000-06-15", "2011-01-01"), 126.0);
        assert_eq!(months("2011-01-15", "2011-01-15"), 0.0);
        assert_eq!(months("2011-02-01", "2011-01-01"), -1.0);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = (is_missing(&text), date(&text), time(&text));
            prop_assert!(number(&text).is_none_or(f64::is_finite));
        }

        #[test]
        fn near_numbers_are_read_or_refused(text in "[<]? ?[-+]?[0-9,.eE]{0,12}[%+ a-z]{0,6}") {
            prop_assert!(number(&text).is_none_or(f64::is_finite));
        }

        #[test]
        fn a_printed_number_is_itself(value in proptest::num::f64::NORMAL) {
            prop_assert_eq!(number(&value.to_string()), Some(value));
            prop_assert_eq!(number(&format!("{value:e} months")), Some(value));
        }

        #[test]
        fn a_month_in_any_format_is_the_same(year in 1950_i16..2050, month in 1_i8..=12) {
            let expected = Some(civil_date(year, month, 1));
            let name = MONTHS[usize::try_from(month - 1).unwrap()];
            for text in [format!("{year}-{month:02}"), format!("{name}-{year}"), format!("{name}-{:02}", year % 100)] {
                prop_assert_eq!(date(&text), expected);
            }
        }
    }
}
