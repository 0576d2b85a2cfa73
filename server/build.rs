//! The pages are embedded from `site/`, which `cargo xtask site` writes: a binary that was built before them is built again.

fn main() {
    println!("cargo::rerun-if-changed=../site/assets.json");
    println!("cargo::rerun-if-changed=build.rs");
}
