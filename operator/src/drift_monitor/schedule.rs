//! When a scan is due: cron expressions in UTC, and at most one catch-up for all that was missed.

use cronexpr::{FallbackTimezoneOption, ParseOptions, parse_crontab_with};
use jiff::{Timestamp, ToSpan as _};

/// A cron expression that was read.
#[derive(Clone, Debug)]
pub struct Schedule(cronexpr::Crontab);

/// A text that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "spec.schedule {text:?} is not a schedule: {why}; write for instance \"*/30 * * * *\" (minute hour day month weekday, UTC)"
)]
pub struct InvalidSchedule {
    text: String,
    why: String,
}

impl Schedule {
    /// Reads five fields as in a CronJob.
    ///
    /// # Errors
    /// When they cannot be read, or never come.
    pub fn parse(text: &str) -> Result<Self, InvalidSchedule> {
        let invalid = |why: String| InvalidSchedule { text: text.to_owned(), why };
        if text.split_ascii_whitespace().count() != 5 {
            return Err(invalid("five fields are expected".into()));
        }
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC; // by name it would need a time zone database
        let crontab = parse_crontab_with(text, options).map_err(|error| invalid(last_line(&error)))?;
        crontab.find_next(Timestamp::UNIX_EPOCH).map_err(|error| invalid(last_line(&error)))?;
        Ok(Self(crontab))
    }

    /// The first moment after this one.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.0.find_next(after).ok().map(|moment| moment.timestamp())
    }

    /// The newest moment after `last` and not after `now`; those between are missed for good.
    ///
    /// Looks at the last hour, day, month and four years in turn, so that a long pause costs no walk through every minute.
    #[must_use]
    pub fn due(&self, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let spans = [1.hour(), 24.hours(), (24 * 31).hours(), (24 * 366 * 4).hours()];
        let starts = spans.into_iter().map(|span| now.checked_sub(span).unwrap_or(Timestamp::MIN).max(last));
        starts.into_iter().find_map(|start| self.moments(start, now).last())
    }

    fn moments(&self, after: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.next(after), |moment| self.next(*moment)).take_while(move |moment| *moment <= until)
    }
}

/// What is wrong, without the copy of the expression and the mark below it.
fn last_line(error: &cronexpr::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches([' ', '^']).to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan as _};
    use proptest::prelude::*;

    use super::Schedule;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_newest_missed_moment_is_due() {
        let schedule = Schedule::parse("*/30 * * * *").unwrap();
        let last = at("2011-01-01T00:00:00Z");
        assert_eq!(schedule.due(last, at("2011-01-01T00:29:59Z")), None);
        assert_eq!(schedule.due(last, at("2011-01-01T00:30:00Z")), Some(at("2011-01-01T00:30:00Z")));
        assert_eq!(schedule.due(last, at("2013-05-07T11:42:10Z")), Some(at("2013-05-07T11:30:00Z")));
    }

    #[test]
    fn rare_moments_are_found() {
        let schedule = Schedule::parse("0 6 29 2 *").unwrap();
        assert_eq!(
            schedule.due(at("2011-01-01T00:00:00Z"), at("2014-01-01T00:00:00Z")),
            Some(at("2012-02-29T06:00:00Z"))
        );
        assert_eq!(schedule.next(at("2012-03-01T00:00:00Z")), Some(at("2016-02-29T06:00:00Z")));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_its_text() {
        for text in ["", "* * * *", "61 * * * *", "* * * * * *", "0 0 31 2 *", "hourly", "* * * * * UTC"] {
            let error = Schedule::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")) && !error.contains('\n'), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_is_refused_without_a_panic(text in "\\PC{0,100}") {
            let _ = Schedule::parse(&text);
        }

        #[test]
        fn what_is_due_is_new_and_not_in_the_future(
            schedule in prop::sample::select(vec!["* * * * *", "*/7 * * * *", "15 3 * * *", "0 0 1 * *", "0 0 29 2 *"]),
            last in 0_i64..2_000_000_000, passed in 0_i64..100_000_000,
        ) {
            let schedule = Schedule::parse(schedule).unwrap();
            let last = Timestamp::from_second(last).unwrap();
            let now = last + passed.seconds();
            match schedule.due(last, now) {
                Some(due) => {
                    prop_assert!(last < due && due <= now);
                    prop_assert!(schedule.next(due).is_none_or(|next| next > now));
                }
                None => prop_assert!(schedule.next(last).is_none_or(|next| next > now)),
            }
        }
    }
}
