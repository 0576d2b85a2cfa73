//! Builds again when a migration is added: `sqlx::migrate!` reads the folders at compile time and cargo does not see that.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
