//! Reads a folder of rules from disk: for tests and for an installation that keeps its own rules beside the binary.

use std::io;
use std::path::Path;

/// The `.rego` files below `folder`, as `Bundle::load` takes them, paths relative to `folder` and with `/`.
///
/// # Errors
///
/// A folder or file that cannot be read.
pub fn files_in(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rego") {
                let name = path
                    .strip_prefix(folder)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .replace('\\', "/");
                files.push((name, std::fs::read_to_string(&path)?));
            }
        }
    }
    files.sort();
    Ok(files)
}
