//! Files that only Slipway's user may read: the data directory, and everything that this process creates.

use std::path::Path;

use anyhow::{Context as _, Result};

/// From now on this process makes files that only its user can read, whichever library makes them: SQLite's database and its journals too.
pub(crate) fn from_now_on() {
    #[cfg(unix)]
    {
        use rustix::fs::Mode;
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
}

/// Makes a data directory. One that is new, empty or Slipway's already is closed to other users; in somebody's own folder only Slipway's files are.
///
/// # Errors
/// When it cannot be made or closed.
pub(crate) fn directory(directory: &Path) -> Result<()> {
    let context = |what: &'static str| {
        let shown = directory.display();
        move || format!("the data directory {shown} cannot be {what}; choose another with --data")
    };
    std::fs::create_dir_all(directory).with_context(context("made"))?;
    #[cfg(unix)]
    close(directory).with_context(context("closed to other users"))?;
    Ok(())
}

#[cfg(unix)]
fn close(directory: &Path) -> std::io::Result<()> {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    if mode_of(directory)? & 0o077 == 0 {
        return Ok(());
    }
    let mut empty = true;
    let mut ours = false;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        empty = false;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // The database and its journals; the simulator closes its own folder.
        if name.starts_with("slipway.db") {
            set_permissions(entry.path(), Permissions::from_mode(0o600))?;
            ours = true;
        }
        ours |= name == "azure-sim";
    }
    if empty || ours {
        set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(unix)]
fn mode_of(path: &Path) -> std::io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{directory, mode_of};

    #[expect(
        clippy::unwrap_used,
        reason = "a story stops where something is not as it should be"
    )]
    fn open_to_all(path: &std::path::Path) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_directory_of_an_earlier_version_is_closed_with_its_files() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        directory(&data).unwrap();
        let database = data.join("slipway.db");
        std::fs::write(&database, "").unwrap();
        open_to_all(&database);
        open_to_all(&data);
        directory(&data).unwrap();
        assert_eq!(mode_of(&data).unwrap() & 0o777, 0o700);
        assert_eq!(mode_of(&database).unwrap() & 0o777, 0o600);
    }

    #[test]
    fn somebodys_own_folder_is_left_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let thesis = home.path().join("thesis.txt");
        std::fs::write(&thesis, "").unwrap();
        open_to_all(&thesis);
        open_to_all(home.path());
        directory(home.path()).unwrap();
        assert_eq!(mode_of(home.path()).unwrap() & 0o777, 0o755);
        assert_eq!(mode_of(&thesis).unwrap() & 0o777, 0o644);
    }
}
