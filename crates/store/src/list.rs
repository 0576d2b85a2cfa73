//! Lists: filters that become conditions, keyset pages, opaque cursors, and which projects a reader sees.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use types::names::ProjectName;
use types::time::Timestamp;
use uuid::Uuid;

use crate::columns::At;
use crate::error::{Error, Result};

/// Which projects' rows a list may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every project.
    All,
    /// Only these; an empty list shows nothing.
    Projects(Vec<ProjectName>),
}

/// A value to bind.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Id(Uuid),
    At(At),
    Int(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<&ProjectName> for Value {
    fn from(name: &ProjectName) -> Self {
        Value::Text(name.as_str().to_owned())
    }
}

/// A query that grows condition by condition; `?` in a condition stands for the next value.
#[derive(Debug, Default, Clone)]
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

/// Runs a grown query and reads all its rows.
macro_rules! fetch_list {
    ($conn:expr, $row:ty, $query:expr) => {{
        let query: $crate::list::Query = $query;
        $crate::engine::on!($conn, |c| {
            // The text is made of constants of this crate; what people typed is bound.
            let mut q = sqlx::query_as::<_, $row>(sqlx::AssertSqlSafe(query.sql));
            for value in query.values {
                q = match value {
                    $crate::list::Value::Text(v) => q.bind(v),
                    $crate::list::Value::Id(v) => q.bind(v),
                    $crate::list::Value::At(v) => q.bind(v),
                    $crate::list::Value::Int(v) => q.bind(v),
                };
            }
            q.fetch_all(c).await
        })
        .map_err($crate::error::Error::from)
    }};
}
pub(crate) use fetch_list;

/// Runs a grown query and reads each row by itself, beside `$place`, which is read of every row: one that cannot be read hides no other.
macro_rules! fetch_each {
    ($conn:expr, $place:ty, $row:ty, $query:expr) => {{
        let query: $crate::list::Query = $query;
        $crate::engine::on!($conn, |c| {
            // As in `fetch_list`.
            let mut q = sqlx::query(sqlx::AssertSqlSafe(query.sql));
            for value in query.values {
                q = match value {
                    $crate::list::Value::Text(v) => q.bind(v),
                    $crate::list::Value::Id(v) => q.bind(v),
                    $crate::list::Value::At(v) => q.bind(v),
                    $crate::list::Value::Int(v) => q.bind(v),
                };
            }
            q.fetch_all(c).await.map(|rows| {
                rows.iter()
                    .map(|row| {
                        (
                            <$place as sqlx::FromRow<'_, _>>::from_row(row).ok(),
                            <$row as sqlx::FromRow<'_, _>>::from_row(row)
                                .map_err($crate::error::Error::from),
                        )
                    })
                    .collect::<Vec<(Option<$place>, $crate::error::Result<$row>)>>()
            })
        })
        .map_err($crate::error::Error::from)
    }};
}
pub(crate) use fetch_each;

/// Which request a row belongs to.
#[derive(sqlx::FromRow)]
pub(crate) struct Owner {
    request_id: Uuid,
}

/// Rows by their request. One that cannot be read makes those of its request unreadable, and of no other.
pub(crate) fn by_request<T>(
    rows: Vec<(Option<Owner>, Result<T>)>,
) -> HashMap<Uuid, Result<Vec<T>>> {
    let mut found = HashMap::new();
    for (owner, row) in rows {
        // It was found by this column.
        let Some(owner) = owner else { continue };
        let all = found
            .entry(owner.request_id)
            .or_insert_with(|| Ok(Vec::new()));
        match row {
            Ok(row) => {
                if let Ok(all) = all {
                    all.push(row);
                }
            }
            Err(error) => *all = Err(error),
        }
    }
    found
}

impl Query {
    pub(crate) fn push(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        let mut values = values.into_iter();
        for (i, part) in sql.split('?').enumerate() {
            if i > 0
                && let Some(value) = values.next()
            {
                self.values.push(value);
                self.sql.push('$');
                self.sql.push_str(&self.values.len().to_string());
            }
            self.sql.push_str(part);
        }
    }
}

/// One condition of a filter with its values.
pub(crate) type Condition = (&'static str, Vec<Value>);

/// A page of rows newest first, from an index that starts with the project (or with nothing) and ends with `created_at, id`.
///
/// Several projects become one short, index-ordered branch each: an `IN` list would make SQLite sort every row of these projects.
pub(crate) fn newest_first(
    columns_and_table: &str,
    project: Option<&ProjectName>,
    scope: &Scope,
    conditions: &[Condition],
    cursor: Option<&str>,
    limit: i64,
) -> Result<Option<Query>> {
    let after = cursor.map(Cursor::decode).transpose()?;
    let one = |query: &mut Query, project: Option<&ProjectName>| {
        query.push(columns_and_table, []);
        query.push(" WHERE 1 = 1", []);
        if let Some(project) = project {
            query.push(" AND project = ?", [Value::from(project)]);
        }
        for (condition, values) in conditions {
            query.push(" AND ", []);
            query.push(condition, values.iter().cloned());
        }
        if let Some(after) = &after {
            query.push(
                " AND (created_at, id) < (?, ?)",
                [Value::At(At(after.at)), Value::Id(after.id)],
            );
        }
        query.push(
            " ORDER BY created_at DESC, id DESC LIMIT ?",
            [Value::Int(limit + 1)],
        );
    };
    let mut query = Query::default();
    match (project, scope) {
        (Some(project), Scope::Projects(seen)) if !seen.contains(project) => return Ok(None),
        (Some(project), _) => one(&mut query, Some(project)),
        (None, Scope::All) => one(&mut query, None),
        (None, Scope::Projects(seen)) => match seen.as_slice() {
            [] => return Ok(None),
            [project] => one(&mut query, Some(project)),
            many => {
                for (i, project) in many.iter().enumerate() {
                    query.push(if i == 0 { "" } else { " UNION ALL " }, []);
                    query.push("SELECT * FROM (", []);
                    one(&mut query, Some(project));
                    query.push(&format!(") AS branch_{i}"), []);
                }
                query.push(
                    " ORDER BY created_at DESC, id DESC LIMIT ?",
                    [Value::Int(limit + 1)],
                );
            }
        },
    }
    Ok(Some(query))
}

/// Where a page ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

impl Cursor {
    pub(crate) fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}|{}", At(self.at).text(), self.id))
    }

    pub(crate) fn decode(text: &str) -> Result<Self> {
        let text = plain(text)?;
        let (at, id) = text.split_once('|').ok_or(Error::Cursor)?;
        Ok(Self {
            at: at.parse().map_err(|_| Error::Cursor)?,
            id: id.parse().map_err(|_| Error::Cursor)?,
        })
    }
}

/// A cursor over a sequence.
pub(crate) fn encode_seq(seq: i64) -> String {
    URL_SAFE_NO_PAD.encode(seq.to_string())
}

/// The sequence number in a cursor.
pub(crate) fn decode_seq(text: &str) -> Result<i64> {
    plain(text)?.parse().map_err(|_| Error::Cursor)
}

fn plain(text: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::Cursor)?;
    String::from_utf8(bytes).map_err(|_| Error::Cursor)
}

/// Rows a page: what was asked for within bounds.
pub(crate) fn limit(asked: Option<u32>, usual: u32, most: u32) -> i64 {
    i64::from(asked.unwrap_or(usual).clamp(1, most))
}

/// `LIKE` pattern that finds `text` anywhere, its own wildcards taken literally (`ESCAPE '!'`).
pub(crate) fn contains(text: &str) -> Value {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Value::Text(pattern)
}

/// Cuts the row beyond the page off and makes the cursor from the last row that stays.
pub(crate) fn cut<T>(
    mut items: Vec<T>,
    limit: i64,
    cursor_of: impl Fn(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = more.then(|| items.last().map(&cursor_of)).flatten();
    (items, next)
}
