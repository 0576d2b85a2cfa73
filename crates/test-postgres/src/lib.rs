//! Fresh PostgreSQL databases for tests: from the server in `SLIPWAY_TEST_POSTGRES`, or from a throw-away cluster that ends with this process.
//!
//! A test never skips because PostgreSQL is missing: it fails with the line to type.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What to type where PostgreSQL is missing.
pub const INSTALL: &str = "sudo apt-get install -y postgresql";

/// The variable with the URL of a server whose user may create databases, such as `postgres://me:secret@127.0.0.1:5432/postgres`.
pub const VARIABLE: &str = "SLIPWAY_TEST_POSTGRES";

/// An empty database; dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// Makes an empty database, starting a server where none is given.
    ///
    /// # Errors
    /// A sentence that says what is missing and what to type.
    pub fn create() -> Result<Self, String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let server = server()?;
        let name = format!(
            "slipway_test_{}_{}_{}",
            std::process::id(),
            started_at(),
            NEXT.fetch_add(1, Ordering::SeqCst)
        );
        psql(server, &format!("CREATE DATABASE {name}"))?;
        Ok(Self {
            url: with_database(server, &name),
            name,
        })
    }

    /// Its size on the disk, in bytes, with what deleted rows still take.
    ///
    /// # Errors
    /// What `psql` says.
    pub fn size(&self) -> Result<u64, String> {
        let sql = "SELECT pg_database_size(current_database())";
        let text = psql(&self.url, sql)?;
        text.trim()
            .parse()
            .map_err(|_| format!("no number: {text}"))
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(server) = server() {
            // A throw-away cluster goes as a whole; on a given server a leftover is a nuisance and no failure of the test.
            let _ = psql(
                server,
                &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
            );
        }
    }
}

/// The server's URL, the same for the whole process.
fn server() -> Result<&'static str, String> {
    static SERVER: OnceLock<Result<(String, Option<Child>), String>> = OnceLock::new();
    let found = SERVER.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(url) if !url.is_empty() => Ok((url, None)),
        _ => start().map(|(url, child)| (url, Some(child))),
    });
    match found {
        Ok((url, _)) => Ok(url),
        Err(why) => Err(why.clone()),
    }
}

/// Makes a cluster, serves it on a socket in its own folder, says where, and waits for its standard input to close, which happens however the test's
/// process ends; then stops and removes it. `fsync` is off: the data lives as long as the test.
const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d "${TMPDIR:-/tmp}/slipway-postgres.XXXXXX")
"$1/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$1/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=400 -c fsync=off -c full_page_writes=off \
    -c synchronous_commit=off -c autovacuum=off >>"$dir/log" 2>&1 </dev/null &
pid=$!
trap '' INT TERM HUP
tries=0
until "$1/pg_isready" -q -h "$dir"; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ]; then cat "$dir/log" >&2; kill -QUIT $pid; exit 1; fi
    sleep 0.1
done
echo "$dir"
cat >/dev/null
kill -QUIT $pid
wait $pid || true
rm -rf "$dir"
"#;

fn start() -> Result<(String, Child), String> {
    let bin = bin()?;
    let mut command = if am_root() {
        // PostgreSQL refuses to run as root.
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "/bin/sh"]);
        command
    } else {
        Command::new("/bin/sh")
    };
    let mut child = command
        .args(["-c", SCRIPT, "sh"])
        .arg(&bin)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| format!("PostgreSQL could not be started ({error}). Type: {INSTALL}"))?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
    }
    let dir = line.trim();
    if dir.is_empty() {
        return Err(format!(
            "The throw-away PostgreSQL did not start; its log stands above. If it is not installed whole, type: {INSTALL}"
        ));
    }
    let host = dir.replace('/', "%2F");
    Ok((
        format!("postgres://postgres@localhost/postgres?host={host}"),
        child,
    ))
}

fn am_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

/// The newest installed server's programs: Debian keeps them out of the path.
fn bin() -> Result<PathBuf, String> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    found.sort();
    if let Some((_, bin)) = found.pop() {
        return Ok(bin);
    }
    std::env::var_os("PATH")
        .iter()
        .flat_map(std::env::split_paths)
        .find(|folder| folder.join("initdb").exists())
        .ok_or_else(|| {
            format!("PostgreSQL is not installed and {VARIABLE} is not set. Type: {INSTALL}")
        })
}

fn psql(server: &str, sql: &str) -> Result<String, String> {
    let out = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .args(["-c", sql, server])
        .output()
        .map_err(|error| format!("psql could not be started ({error}). Type: {INSTALL}"))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    Err(format!(
        "psql: {}",
        String::from_utf8_lossy(&out.stderr).trim()
    ))
}

/// The same server's URL with another database.
fn with_database(server: &str, name: &str) -> String {
    let (main, parameters) = match server.split_once('?') {
        Some((main, parameters)) => (main, format!("?{parameters}")),
        None => (server, String::new()),
    };
    let after_scheme = main.find("://").map_or(0, |at| at + 3);
    let host = match main[after_scheme..].find('/') {
        Some(slash) => &main[..after_scheme + slash],
        None => main,
    };
    format!("{host}/{name}{parameters}")
}

/// Tells processes with the same id apart on a server that outlives them.
fn started_at() -> u128 {
    static AT: OnceLock<u128> = OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "a name for a test database, not a time that anything decides by"
    )]
    *AT.get_or_init(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_replaces_the_one_in_the_servers_url() {
        for (server, wanted) in [
            (
                "postgres://me:pw@db:5433/postgres?sslmode=disable",
                "postgres://me:pw@db:5433/t1?sslmode=disable",
            ),
            ("postgres://db", "postgres://db/t1"),
            (
                "postgres://postgres@localhost/postgres?host=%2Ftmp%2Fx",
                "postgres://postgres@localhost/t1?host=%2Ftmp%2Fx",
            ),
        ] {
            assert_eq!(with_database(server, "t1"), wanted);
        }
    }

    #[test]
    fn a_fresh_database_answers_and_is_gone_afterwards() {
        let database = Database::create().unwrap();
        let url = database.url().to_owned();
        psql(&url, "CREATE TABLE t (id int)").unwrap();
        drop(database);
        assert!(psql(&url, "SELECT 1").is_err());
    }
}
