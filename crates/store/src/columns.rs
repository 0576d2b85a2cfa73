//! How values stand in columns on both engines: times, documents, words of enums, names.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type, TypeInfo as _};
use time::OffsetDateTime;
use time::macros::datetime;
use types::time::Timestamp;

use crate::error::{Error, Result};

/// A moment as a column: `TIMESTAMPTZ` in PostgreSQL, text of one width in SQLite.
/// sqlx's own text drops trailing zeros, so `…11Z` would sort after `…11.5Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At(pub(crate) Timestamp);

/// The moment that PostgreSQL counts from: https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-FORMAT-CODES
const POSTGRES_EPOCH: OffsetDateTime = datetime!(2000-01-01 00:00 UTC);

impl At {
    pub(crate) fn text(self) -> String {
        self.0.micros_text()
    }
}

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl From<At> for Timestamp {
    fn from(at: At) -> Self {
        at.0
    }
}

/// An optional moment for binding.
pub(crate) fn at(moment: Option<Timestamp>) -> Option<At> {
    moment.map(At)
}

/// An optional moment as it was read.
pub(crate) fn moment(column: Option<At>) -> Option<Timestamp> {
    column.map(|at| at.0)
}

impl Type<Sqlite> for At {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <String as Type<Sqlite>>::compatible(ty)
    }
}

impl Encode<'_, Sqlite> for At {
    fn encode_by_ref(
        &self,
        args: &mut SqliteArgumentsBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.text(), args)
    }
}

impl<'r> Decode<'r, Sqlite> for At {
    fn decode(value: SqliteValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        let text = <String as Decode<Sqlite>>::decode(value)?;
        Ok(Self(text.parse()?))
    }
}

impl Type<Postgres> for At {
    fn type_info() -> PgTypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for At {
    fn encode_by_ref(
        &self,
        buf: &mut PgArgumentBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.0.get(), buf)
    }
}

impl<'r> Decode<'r, Postgres> for At {
    fn decode(value: PgValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            let at = <OffsetDateTime as Decode<Postgres>>::decode(value)?;
            return Ok(Self(Timestamp::new(at)));
        }
        // PostgreSQL also has moments that no calendar has, such as `infinity`. sqlx adds without asking, and panics.
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        let at = POSTGRES_EPOCH
            .checked_add(time::Duration::microseconds(micros))
            .ok_or("a moment beyond the calendar")?;
        Ok(Self(Timestamp::new(at)))
    }
}

/// A document as a column: `JSON` in PostgreSQL, text in SQLite. sqlx's own type declares itself `JSONB`, and the cast on the way in reorders keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Document<T>(pub(crate) T);

/// PostgreSQL's number for the type `json`: https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
const JSON_OID: Oid = Oid(114);

impl<T> Type<Sqlite> for Document<T> {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <String as Type<Sqlite>>::compatible(ty)
    }
}

impl<T: Serialize> Encode<'_, Sqlite> for Document<T> {
    fn encode_by_ref(
        &self,
        args: &mut SqliteArgumentsBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(serde_json::to_string(&self.0)?, args)
    }
}

impl<'r, T: DeserializeOwned> Decode<'r, Sqlite> for Document<T> {
    fn decode(value: SqliteValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        let text = <String as Decode<Sqlite>>::decode(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

impl<T> Type<Postgres> for Document<T> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON_OID)
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        ty.name() == "JSON"
    }
}

impl<T: Serialize> Encode<'_, Postgres> for Document<T> {
    fn encode_by_ref(
        &self,
        buf: &mut PgArgumentBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        let text = serde_json::to_string(&self.0)?;
        Encode::<Postgres>::encode(text, buf)
    }
}

impl<'r, T: DeserializeOwned> Decode<'r, Postgres> for Document<T> {
    fn decode(value: PgValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        Ok(Self(serde_json::from_slice(value.as_bytes()?)?))
    }
}

/// A JSON text as it is, bound to a column that holds documents: the audit chain's hash covers this very spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verbatim(pub(crate) String);

impl Type<Sqlite> for Verbatim {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Verbatim {
    fn encode_by_ref(
        &self,
        args: &mut SqliteArgumentsBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.0.clone(), args)
    }
}

impl Type<Postgres> for Verbatim {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON_OID)
    }
}

impl Encode<'_, Postgres> for Verbatim {
    fn encode_by_ref(
        &self,
        buf: &mut PgArgumentBuffer,
    ) -> std::result::Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.0.clone(), buf)
    }
}

/// A moment as the audit chain spells it. In SQLite it is the column's text as it is: another spelling of the same moment was not written by Slipway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExactMoment(pub(crate) String);

impl Type<Sqlite> for ExactMoment {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <String as Type<Sqlite>>::compatible(ty)
    }
}

impl<'r> Decode<'r, Sqlite> for ExactMoment {
    fn decode(value: SqliteValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        <String as Decode<Sqlite>>::decode(value).map(Self)
    }
}

impl Type<Postgres> for ExactMoment {
    fn type_info() -> PgTypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for ExactMoment {
    fn decode(value: PgValueRef<'r>) -> std::result::Result<Self, BoxDynError> {
        let at = <OffsetDateTime as Decode<Postgres>>::decode(value)?;
        Ok(Self(Timestamp::new(at).micros_text()))
    }
}

/// Reads a word of one of our enums back; another word means a newer Slipway wrote it.
pub(crate) fn word<T: DeserializeOwned>(column: &'static str, text: String) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|_| Error::Corrupt(format!("column {column}")))
}

/// The word of one of our enums, as its JSON has it.
pub(crate) fn word_of<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        _ => Err(Error::Other("a word".into())),
    }
}

/// Reads a checked name back.
pub(crate) fn name<T: std::str::FromStr>(column: &'static str, text: &str) -> Result<T> {
    text.parse()
        .map_err(|_| Error::Corrupt(format!("column {column}")))
}

/// A count as it was read.
pub(crate) fn count<T: TryFrom<i64>>(column: &'static str, number: i64) -> Result<T> {
    T::try_from(number).map_err(|_| Error::Corrupt(format!("column {column}")))
}
