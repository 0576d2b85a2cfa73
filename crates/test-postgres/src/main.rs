//! Prints the URL of a fresh PostgreSQL database and keeps it until standard input closes: for tests that are not written in Rust.

use std::io::Read as _;

fn main() -> std::process::ExitCode {
    match test_postgres::Database::create() {
        Ok(database) => {
            println!("{}", database.url());
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            std::process::ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            std::process::ExitCode::FAILURE
        }
    }
}
