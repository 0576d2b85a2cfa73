//! What can go wrong in the store, in words that carry no value from the database.

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the store refused or failed. `Display` names the remedy and never a value: rows hold what people typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such row.
    #[error("There is no such row.")]
    NotFound,
    /// The row changed since it was read: its version is another one.
    #[error("It changed since it was read; read it again.")]
    Stale,
    /// A rule of the tables forbids it.
    #[error("{0}")]
    Conflict(Conflict),
    /// The disk, or the database's own limit, is full; nothing was written.
    #[error(
        "The database has no space left. Nothing was saved; free space on its disk and try again."
    )]
    Full,
    /// The database did not answer, or not in time; trying again may help.
    #[error("The database does not answer ({0}); try again in a moment.")]
    Unavailable(String),
    /// What is stored cannot be understood.
    #[error("The database holds something that Slipway cannot read ({0}).")]
    Corrupt(String),
    /// A list's cursor that this list did not give out.
    #[error("This page of the list cannot be found any more; start from the first one.")]
    Cursor,
    /// The address of the database is not one that Slipway knows.
    #[error("A database URL starts with sqlite:// or postgres://.")]
    Url,
    /// Anything else; the text names codes and tables only.
    #[error("The database refused ({0}).")]
    Other(String),
}

/// Which rule of the tables was met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another stack of this project and tier has the name.
    #[error("The name is taken by another stack of this project and tier.")]
    StackNameTaken,
    /// Another stack holds this resource id.
    #[error("The resource id is held by another stack.")]
    ResourceTaken,
    /// The stack has an operation that has not ended.
    #[error("Another operation on this stack has not ended yet.")]
    StackBusy,
    /// This person decided this plan already.
    #[error("This person has decided this plan already.")]
    AlreadyDecided,
    /// A row with this key exists.
    #[error("It exists already.")]
    Exists,
    /// Something it refers to is missing.
    #[error("It refers to something that does not exist.")]
    Missing,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Error::NotFound,
            sqlx::Error::Database(database) => from_database(&*database),
            sqlx::Error::Io(io) => from_io(&io),
            sqlx::Error::PoolTimedOut => {
                Error::Unavailable("no connection became free in time".into())
            }
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Error::Unavailable("the connection is closed".into())
            }
            sqlx::Error::Tls(_) => Error::Unavailable("TLS failed".into()),
            // Their messages may quote the value that could not be read.
            sqlx::Error::ColumnDecode { index, .. } => Error::Corrupt(format!("column {index}")),
            sqlx::Error::Decode(_) => Error::Corrupt("a value".into()),
            sqlx::Error::Encode(_) => Error::Other("a value cannot be stored".into()),
            sqlx::Error::ColumnNotFound(column) => {
                Error::Corrupt(format!("no column {column}; run the migrations"))
            }
            sqlx::Error::Migrate(error) => (*error).into(),
            sqlx::Error::Protocol(_) => Error::Unavailable("the protocol was broken off".into()),
            _ => Error::Other("driver".into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as M;
        match error {
            M::Execute(inner) | M::ExecuteMigration(inner, _) => inner.into(),
            M::VersionMissing(version) => Error::Corrupt(format!(
                "migration {version} was applied but is unknown to this version of Slipway; it is older than the database"
            )),
            M::VersionMismatch(version) => Error::Corrupt(format!(
                "migration {version} was applied with another content"
            )),
            M::Dirty(version) => Error::Corrupt(format!("migration {version} stopped half-way")),
            _ => Error::Other("migration".into()),
        }
    }
}

fn from_io(io: &std::io::Error) -> Error {
    if io.kind() == std::io::ErrorKind::StorageFull {
        Error::Full
    } else {
        Error::Unavailable(io.kind().to_string())
    }
}

fn from_database(error: &dyn sqlx::error::DatabaseError) -> Error {
    use sqlx::error::ErrorKind;

    let code = error.code().unwrap_or_default().into_owned();
    match error.kind() {
        // SQLite names the columns of the index, PostgreSQL the index.
        ErrorKind::UniqueViolation => {
            let what = error.constraint().unwrap_or_else(|| error.message());
            return Error::Conflict(
                if what.contains("stack_name_taken") || what.contains("stack.tier") {
                    Conflict::StackNameTaken
                } else if what.contains("operation_stack_busy")
                    || what.contains("operation.stack_id")
                {
                    Conflict::StackBusy
                } else if what.contains("decision_once") || what.contains("decision.approver") {
                    Conflict::AlreadyDecided
                } else {
                    Conflict::Exists
                },
            );
        }
        ErrorKind::ForeignKeyViolation => return Error::Conflict(Conflict::Missing),
        _ => {}
    }
    if error
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .is_some()
    {
        return match code.as_str() {
            "53100" => Error::Full,
            "XX001" | "XX002" => Error::Corrupt(code),
            "40001" | "40P01" | "55P03" | "57014" | "57P01" | "57P02" | "57P03" | "53300" => {
                Error::Unavailable(code)
            }
            _ if code.starts_with("08") => Error::Unavailable(code),
            _ => Error::Other(code),
        };
    }
    // SQLite's extended codes carry the primary code in their low byte: https://www.sqlite.org/rescode.html
    match code.parse::<i32>().unwrap_or(0) & 0xff {
        13 => Error::Full,
        5 | 6 | 8 | 10 | 14 => Error::Unavailable(format!("SQLite {code}")),
        11 | 26 => Error::Corrupt(format!("SQLite {code}")),
        _ => Error::Other(format!("SQLite {code}")),
    }
}
