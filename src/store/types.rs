//! How the ward's words travel to and from both engines.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;

use crate::domain::cupboard::{CountStatus, DiscrepancyStatus, Resolution, TransferStatus};
use crate::domain::vocabulary::PrescriptionStatus;
use crate::domain::{
    AdministrationId, CountId, DiscrepancyId, DrugId, GivingOutcome, LedgerReason, OpId, OrderId,
    OrderKind, OrderStatus, PatientId, PrescriptionId, Priority, Quantity, Role, TransferId,
    UserId, WardId, WardKind,
};

/// The clock, in the precision that both engines keep: whole microseconds.
pub fn now() -> Timestamp {
    truncated(Timestamp::now())
}

fn truncated(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// A newtype travels as what it wraps.
macro_rules! transparent {
    ($($name:ident($inner:ty)),+ $(,)?) => {$(
        impl<DB: Database> Type<DB> for $name where $inner: Type<DB> {
            fn type_info() -> DB::TypeInfo { <$inner as Type<DB>>::type_info() }
            fn compatible(ty: &DB::TypeInfo) -> bool { <$inner as Type<DB>>::compatible(ty) }
        }
        impl<'q, DB: Database> Encode<'q, DB> for $name where $inner: Encode<'q, DB> {
            fn encode_by_ref(&self, buf: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                self.0.encode_by_ref(buf)
            }
        }
        impl<'r, DB: Database> Decode<'r, DB> for $name where $inner: Decode<'r, DB> {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                <$inner as Decode<'r, DB>>::decode(value).map($name)
            }
        }
    )+};
}
transparent!(
    WardId(i64),
    DrugId(i64),
    UserId(i64),
    Quantity(i64),
    PatientId(Uuid),
    PrescriptionId(Uuid),
    OrderId(Uuid),
    AdministrationId(Uuid),
    TransferId(Uuid),
    CountId(Uuid),
    DiscrepancyId(Uuid),
    OpId(Uuid),
);

/// An enumeration travels as its word; a word that is not known is an error, never a guess.
macro_rules! as_word {
    ($($name:ident),+ $(,)?) => {$(
        impl<DB: Database> Type<DB> for $name where str: Type<DB> {
            fn type_info() -> DB::TypeInfo { <str as Type<DB>>::type_info() }
            fn compatible(ty: &DB::TypeInfo) -> bool { <str as Type<DB>>::compatible(ty) }
        }
        impl<'q, DB: Database> Encode<'q, DB> for $name where &'static str: Encode<'q, DB> {
            fn encode_by_ref(&self, buf: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                self.as_str().encode_by_ref(buf)
            }
        }
        impl<'r, DB: Database> Decode<'r, DB> for $name where &'r str: Decode<'r, DB> {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<&str as Decode<'r, DB>>::decode(value)?.parse()?)
            }
        }
    )+};
}
as_word!(
    Role,
    WardKind,
    OrderStatus,
    OrderKind,
    Priority,
    GivingOutcome,
    LedgerReason,
    TransferStatus,
    CountStatus,
    DiscrepancyStatus,
    Resolution,
    PrescriptionStatus
);

/// A moment: TIMESTAMPTZ on PostgreSQL, microseconds since 1970 on SQLite. Both sort, both compare, neither has a
/// zone, and neither keeps more than microseconds, so anything finer is cut on the way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub struct At(pub Timestamp);

/// Microseconds from 1970 to 2000, where PostgreSQL's clock starts.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl From<At> for i64 {
    fn from(at: At) -> i64 {
        at.0.as_microsecond()
    }
}

impl From<i64> for At {
    /// Values beyond what a clock can show become its ends; no such value is ever written.
    fn from(micros: i64) -> At {
        let end = if micros < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        At(Timestamp::from_microsecond(micros).unwrap_or(end))
    }
}

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> At {
        At(truncated(at))
    }
}

impl Type<Sqlite> for At {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
    fn compatible(ty: &<Sqlite as Database>::TypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(ty)
    }
}

impl Encode<'_, Sqlite> for At {
    fn encode_by_ref(
        &self,
        buf: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'_, Sqlite>>::encode_by_ref(&self.0.as_microsecond(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for At {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<'r, Sqlite>>::decode(value)?;
        Ok(At(Timestamp::from_microsecond(micros)?))
    }
}

impl Type<Postgres> for At {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        sqlx::postgres::PgTypeInfo::with_oid(sqlx::postgres::types::Oid(1184))
    }
}

impl sqlx::postgres::PgHasArrayType for At {
    fn array_type_info() -> sqlx::postgres::PgTypeInfo {
        sqlx::postgres::PgTypeInfo::with_oid(sqlx::postgres::types::Oid(1185))
    }
}

impl Encode<'_, Postgres> for At {
    fn encode_by_ref(
        &self,
        buf: &mut <Postgres as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        let micros = self.0.as_microsecond() - POSTGRES_EPOCH;
        <i64 as Encode<'_, Postgres>>::encode_by_ref(&micros, buf)
    }
}

impl<'r> Decode<'r, Postgres> for At {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<'r, Postgres>>::decode(value)?;
        // PostgreSQL's 'infinity' is the largest number there is, and no moment of ours.
        let since_1970 = micros
            .checked_add(POSTGRES_EPOCH)
            .ok_or("a time beyond the calendar")?;
        Ok(At(Timestamp::from_microsecond(since_1970)?))
    }
}

/// A birthday: DATE on PostgreSQL, `YYYY-MM-DD` on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub Date);

impl Type<Sqlite> for Day {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Day {
    fn encode_by_ref(
        &self,
        buf: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <String as Encode<'_, Sqlite>>::encode(self.0.to_string(), buf)
    }
}

impl<'r> Decode<'r, Sqlite> for Day {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Day(<&str as Decode<'r, Sqlite>>::decode(value)?.parse()?))
    }
}

/// Where PostgreSQL's calendar starts.
const POSTGRES_DAY_ONE: Date = Date::constant(2000, 1, 1);

impl Type<Postgres> for Day {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        sqlx::postgres::PgTypeInfo::with_oid(sqlx::postgres::types::Oid(1082))
    }
}

impl Encode<'_, Postgres> for Day {
    fn encode_by_ref(
        &self,
        buf: &mut <Postgres as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        let days = self
            .0
            .since((jiff::Unit::Day, POSTGRES_DAY_ONE))?
            .get_days();
        <i32 as Encode<'_, Postgres>>::encode_by_ref(&days, buf)
    }
}

impl<'r> Decode<'r, Postgres> for Day {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let days = <i32 as Decode<'r, Postgres>>::decode(value)?;
        Ok(Day(
            POSTGRES_DAY_ONE.checked_add(jiff::Span::new().try_days(days)?)?
        ))
    }
}

/// Many keys as one value: an array on PostgreSQL (`= ANY($1)`), a JSON array on SQLite
/// (`IN (SELECT value FROM json_each($1))`; UUIDs as hexadecimal, for `unhex`).
#[derive(Debug, Clone)]
pub struct List<T>(pub Vec<T>);

impl Type<Sqlite> for List<i64> {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Type<Sqlite> for List<Uuid> {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Type<Sqlite> for List<String> {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for List<i64> {
    fn encode_by_ref(
        &self,
        buf: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <String as Encode<'_, Sqlite>>::encode(serde_json::to_string(&self.0)?, buf)
    }
}

impl Encode<'_, Sqlite> for List<String> {
    fn encode_by_ref(
        &self,
        buf: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        <String as Encode<'_, Sqlite>>::encode(serde_json::to_string(&self.0)?, buf)
    }
}

impl Encode<'_, Sqlite> for List<Uuid> {
    fn encode_by_ref(
        &self,
        buf: &mut <Sqlite as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        let hex: Vec<String> = self.0.iter().map(|id| id.simple().to_string()).collect();
        <String as Encode<'_, Sqlite>>::encode(serde_json::to_string(&hex)?, buf)
    }
}

/// A column of numbers as one value: `json_group_array` on SQLite, `array_agg` on PostgreSQL.
impl<'r> Decode<'r, Sqlite> for List<i64> {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <&str as Decode<'r, Sqlite>>::decode(value)?;
        Ok(List(serde_json::from_str(text)?))
    }
}

/// Rows as one value, which SQLite makes with `json_group_array(json_object(...))`: to hand over a row, column by column
/// and from one thread to another, takes longer than to read it. UUIDs are written with `hex`.
#[derive(Debug)]
pub struct Gathered<T>(pub Vec<T>);

impl<T> Type<Sqlite> for Gathered<T> {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl<'r, T: serde::de::DeserializeOwned> Decode<'r, Sqlite> for Gathered<T> {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let text = <&str as Decode<'r, Sqlite>>::decode(value)?;
        Ok(Gathered(serde_json::from_str(text)?))
    }
}

impl<'r, T> Decode<'r, Postgres> for List<T>
where
    Vec<T>: Decode<'r, Postgres>,
{
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(List(<Vec<T> as Decode<'r, Postgres>>::decode(value)?))
    }
}

impl<T> Type<Postgres> for List<T>
where
    Vec<T>: Type<Postgres>,
{
    fn type_info() -> <Postgres as Database>::TypeInfo {
        <Vec<T> as Type<Postgres>>::type_info()
    }
}

impl<'q, T> Encode<'q, Postgres> for List<T>
where
    Vec<T>: Encode<'q, Postgres>,
{
    fn encode_by_ref(
        &self,
        buf: &mut <Postgres as Database>::ArgumentBuffer,
    ) -> Result<IsNull, BoxDynError> {
        self.0.encode_by_ref(buf)
    }
}
