//! The browser's half: CSS by Tailwind, WebAssembly by cargo, bindings by wasm-bindgen as a library, all under hashed names in `site/`.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::tools::{
    announce, cargo, check, command, node_program, npm_packages, root, wasm_target,
};

/// Brotli budget of the WebAssembly, in bytes (design: 350 kB).
const WASM_BUDGET: usize = 350_000;

/// Builds `site/`: `main.<hash>.css`, `slipway.<hash>.js`, `slipway_bg.<hash>.wasm`, each with `.br` and `.gz`, and `assets.json` naming them.
///
/// # Errors
/// When a tool is missing (the message says what to type), a build fails, or the WebAssembly is over its budget.
pub(crate) fn build() -> Result<()> {
    wasm_target()?;
    npm_packages()?;
    let work = root().join("target/site");
    std::fs::create_dir_all(&work)?;
    styles(&work)?;
    announce("Compiling the browser's half to WebAssembly");
    check(cargo().args([
        "build",
        "--package=frontend",
        "--lib",
        "--profile=wasm-release",
        "--target=wasm32-unknown-unknown",
        "--target-dir=target/front",
    ]))?;
    let raw = root().join("target/front/wasm32-unknown-unknown/wasm-release/frontend.wasm");
    let bytes = std::fs::read(&raw).with_context(|| format!("{} is missing", raw.display()))?;
    // Binding and optimising take half a minute: only when the compiler made something new.
    let stamp = work.join("bound");
    let fingerprint = hash(&bytes);
    if std::fs::read_to_string(&stamp).ok().as_deref() != Some(fingerprint.as_str()) {
        bind(&raw, &work)?;
        std::fs::write(&stamp, &fingerprint)?;
    }
    publish(&work)
}

fn styles(work: &Path) -> Result<()> {
    announce("Generating CSS");
    check(
        command(node_program("tailwindcss"))
            .args(["--input", "app/style/main.css", "--minify", "--output"])
            .arg(work.join("main.css")),
    )
}

fn bind(raw: &Path, work: &Path) -> Result<()> {
    announce("Generating bindings and optimising");
    Bindgen::new()
        .input_path(raw)
        .web(true)?
        .out_name("slipway")
        .typescript(false)
        .generate(work)?;
    let bound = work.join("slipway_bg.wasm");
    let optimised = work.join("slipway_bg.opt.wasm");
    check(
        command(node_program("wasm-opt"))
            .arg("-Oz")
            // What rustc's target already uses; the optimiser must be told, or it refuses the module.
            .args([
                "--enable-bulk-memory",
                "--enable-nontrapping-float-to-int",
                "--enable-sign-ext",
                "--enable-mutable-globals",
                "--enable-reference-types",
                "--enable-multivalue",
            ])
            .arg(&bound)
            .arg("--output")
            .arg(&optimised),
    )?;
    std::fs::rename(optimised, bound)?;
    Ok(())
}

fn publish(work: &Path) -> Result<()> {
    let site = root().join("site");
    if site.exists() {
        std::fs::remove_dir_all(&site)?;
    }
    std::fs::create_dir_all(site.join("assets"))?;
    let css = put(&site, "main", "css", &std::fs::read(work.join("main.css"))?)?;
    let wasm_bytes = std::fs::read(work.join("slipway_bg.wasm"))?;
    let wasm = put(&site, "slipway_bg", "wasm", &wasm_bytes)?;
    let js = put(
        &site,
        "slipway",
        "js",
        &std::fs::read(work.join("slipway.js"))?,
    )?;
    for entry in std::fs::read_dir(root().join("public"))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), site.join(entry.file_name()))?;
        }
    }
    let assets = serde_json::json!({ "css": css.path, "js": js.path, "wasm": wasm.path });
    std::fs::write(
        site.join("assets.json"),
        serde_json::to_string_pretty(&assets)?,
    )?;
    eprintln!(
        "  WebAssembly {} bytes, {} brotli (budget {WASM_BUDGET}); script {} brotli; CSS {} brotli",
        wasm_bytes.len(),
        wasm.brotli,
        js.brotli,
        css.brotli
    );
    if wasm.brotli > WASM_BUDGET {
        bail!("the WebAssembly is over its budget of {WASM_BUDGET} bytes (brotli)");
    }
    Ok(())
}

struct Asset {
    path: String,
    brotli: usize,
}

fn put(site: &Path, stem: &str, extension: &str, bytes: &[u8]) -> Result<Asset> {
    let name = format!("{stem}.{}.{extension}", &hash(bytes)[..16]);
    let file = site.join("assets").join(&name);
    std::fs::write(&file, bytes)?;
    let mut compressed = Vec::new();
    {
        let mut writer = brotli::CompressorWriter::new(&mut compressed, 1 << 16, 11, 22);
        writer.write_all(bytes)?;
    }
    std::fs::write(site.join("assets").join(format!("{name}.br")), &compressed)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    std::fs::write(
        site.join("assets").join(format!("{name}.gz")),
        gzip.finish()?,
    )?;
    Ok(Asset {
        path: format!("/assets/{name}"),
        brotli: compressed.len(),
    })
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
