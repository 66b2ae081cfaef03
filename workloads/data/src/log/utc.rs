//! Times in Postgres' own terms.

use jiff::Timestamp;
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef, types::Oid},
};

/// 2000-01-01 in microseconds since 1970: from where Postgres counts.
const EPOCH: i64 = 946_684_800_000_000;
/// The first moment of the year 1 and nearly the last of 9999: what Postgres and this program can both hold.
const RANGE: (i64, i64) = (-62_135_596_800_000_000, 253_402_207_200_000_000);
/// OIDs of `timestamptz` and `timestamptz[]` (`pg_type.dat`).
const OIDS: (Oid, Oid) = (Oid(1184), Oid(1185));

/// A `timestamptz`, in whole microseconds; a time out of its range becomes the end of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Utc(pub(super) Timestamp);

impl Utc {
    /// Microseconds since 2000-01-01.
    pub(super) fn microseconds(self) -> i64 {
        self.0.as_microsecond().clamp(RANGE.0, RANGE.1) - EPOCH
    }
}

impl From<Utc> for Timestamp {
    fn from(utc: Utc) -> Self {
        utc.0
    }
}

impl Type<Postgres> for Utc {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(OIDS.0)
    }
}

impl PgHasArrayType for Utc {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(OIDS.1)
    }
}

impl Encode<'_, Postgres> for Utc {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode(self.microseconds(), buffer)
    }
}

impl Decode<'_, Postgres> for Utc {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let microseconds = <i64 as Decode<Postgres>>::decode(value)?.saturating_add(EPOCH);
        Ok(Self(Timestamp::from_microsecond(microseconds)?))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::Utc;

    #[test]
    fn counts_from_the_year_2000() {
        assert_eq!(Utc("2000-01-01T00:00:00.000001Z".parse().unwrap()).microseconds(), 1);
        assert_eq!(Utc("1999-12-31T23:59:59Z".parse().unwrap()).microseconds(), -1_000_000);
    }

    #[test]
    fn holds_times_within_what_postgres_takes() {
        let year_one: Timestamp = "0001-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(Utc(Timestamp::MIN).microseconds(), Utc(year_one).microseconds());
        let latest = Utc(Timestamp::MAX).microseconds() + super::EPOCH;
        assert!(Timestamp::from_microsecond(latest).is_ok());
    }
}
