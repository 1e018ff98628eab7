//! The state directory: files that are written whole or not at all, and a lock that keeps a second process out.
//!
//! The snapshot has two names. A process that ends well leaves `state.clean`; one that begins takes it by giving it the other
//! name, [`SNAPSHOT`], before anything is counted: that needs no room on the disk, and no second process can take it again.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::exit::{Exit, Failure};

/// What was kept, last written by a process that went on.
pub const SNAPSHOT: &str = "state.snapshot";
/// The same, last written by a process that ended well.
pub const CLEAN: &str = "state.clean";
/// When a scrape was last completed.
pub const MARK: &str = "scraped";
/// Opens what is no file without waiting for its other end.
const NONBLOCK: i32 = OFlags::NONBLOCK.bits().cast_signed();
const LOCK: &str = "lock";
/// The ending of a file that is not whole yet.
const NEW: &str = "new";
/// The ending of what can't be used, from then on.
const ASIDE: &str = "unusable";

/// A directory that is ours while this lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Makes the directory if it is not there, for nobody else to look into, and locks it.
    ///
    /// # Errors
    /// [`Exit::Unavailable`] when another process has it. The inner one is no failure: a directory that can't be had or written
    /// is told by the caller, and nothing is kept.
    pub fn open(path: &Path) -> Result<io::Result<Self>, Failure> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        let lock = made.and_then(|()| {
            let mut options = OpenOptions::new();
            options.custom_flags(NONBLOCK);
            options.write(true).create(true).truncate(false).mode(0o600).open(path.join(LOCK))
        });
        let lock = match lock {
            Ok(lock) => lock,
            Err(error) => return Ok(Err(error)),
        };
        match lock.try_lock() {
            Ok(()) => Ok(Ok(Self { path: path.to_owned(), _lock: lock })),
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "another oscar-metrics keeps its state in {}\n  = help: give each its own `--state.dir`",
                    path.display()
                );
                Err(Failure::new(Exit::Unavailable, message))
            }
            Err(TryLockError::Error(error)) => Ok(Err(error)),
        }
    }

    /// The bytes of a file, up to so many; none: there is none.
    ///
    /// # Errors
    /// When it can't be read, or is larger.
    pub fn read(&self, name: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        read(&self.path.join(name), most)
    }

    /// Replaces a file. After a crash at any moment there is the old one or the new one.
    ///
    /// # Errors
    /// When the disk is full or may not be written; the old one is still there then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let half = format!("{name}.{NEW}");
        let new = self.path.join(&half);
        self.remove(&half)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        self.rename(&half, name)
    }

    /// Takes what a process that ended well has left: from now on it is what a kill leaves. Whether there was such.
    ///
    /// # Errors
    /// When the directory may not be written. The next process would take it again then.
    pub fn take(&self) -> io::Result<bool> {
        match self.rename(CLEAN, SNAPSHOT) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            renamed => renamed.map(|()| true),
        }
    }

    /// Undoes [`StateDir::take`], when nothing was counted since.
    ///
    /// # Errors
    /// When the directory may not be written.
    pub fn give_back(&self) -> io::Result<()> {
        self.rename(SNAPSHOT, CLEAN)
    }

    /// Opens a file to write in place, readable for the owner only, and creates it if it is missing.
    ///
    /// # Errors
    /// When the directory may not be written.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.custom_flags(NONBLOCK);
        options.write(true).create(true).truncate(false).mode(0o600).open(self.path.join(name))
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// When the directory may not be written.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name)).or_else(unless_missing)
    }

    /// Sets a file that can't be used aside, for people to look at, and tells where it is now.
    ///
    /// # Errors
    /// When it can't be moved.
    pub fn set_aside(&self, name: &str) -> io::Result<PathBuf> {
        let aside = format!("{name}.{ASIDE}");
        self.rename(name, &aside)?;
        Ok(self.path.join(aside))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))?;
        // The rename itself is on disk when its directory is.
        File::open(&self.path)?.sync_all()
    }
}

/// The bytes of a file, up to so many; none: there is none.
///
/// # Errors
/// When it can't be read, or is larger.
pub fn read(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    // A pipe or a device would block.
    let file = match OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(Some(bytes))
}

fn unless_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_set_aside() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/state");
        let state = StateDir::open(&path).unwrap().unwrap();
        assert_eq!(state.read("x", 9).unwrap(), None);
        state.write("x", b"one").unwrap();
        fs::write(path.join("x.new"), b"half of it").unwrap();
        state.write("x", b"two").unwrap();
        assert_eq!(state.read("x", 3).unwrap().as_deref(), Some(&b"two"[..]));
        assert!(state.read("x", 2).is_err(), "it is larger");
        let aside = state.set_aside("x").unwrap();
        assert_eq!(
            (fs::read(aside).unwrap(), state.read("x", 9).unwrap()),
            (b"two".to_vec(), None)
        );
    }

    #[test]
    fn nobody_else_may_look() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/state");
        StateDir::open(&path).unwrap().unwrap().write("x", b"one").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for entry in fs::read_dir(&path).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn what_was_left_is_taken_once() {
        let home = tempfile::tempdir().unwrap();
        let state = StateDir::open(home.path()).unwrap().unwrap();
        assert!(!state.take().unwrap());
        state.write(SNAPSHOT, b"old").unwrap();
        state.write(CLEAN, b"last").unwrap();
        assert!(state.take().unwrap() && !state.take().unwrap());
        assert_eq!(state.read(SNAPSHOT, 9).unwrap().as_deref(), Some(&b"last"[..]));
        state.give_back().unwrap();
        assert!(state.take().unwrap());
        state.remove(SNAPSHOT).unwrap();
        state.remove(SNAPSHOT).unwrap();
    }

    #[test]
    fn a_second_process_is_refused_and_a_dead_one_leaves_no_lock() {
        let home = tempfile::tempdir().unwrap();
        let first = StateDir::open(home.path()).unwrap().unwrap();
        let refused = StateDir::open(home.path()).err().unwrap();
        assert_eq!(refused.exit, Exit::Unavailable);
        assert!(refused.message.contains("--state.dir"), "{}", refused.message);
        drop(first);
        assert!(StateDir::open(home.path()).unwrap().is_ok());
    }

    #[test]
    fn a_place_that_can_not_be_had_is_told_and_fails_nobody() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(StateDir::open(&file).unwrap().is_err());
        let state = StateDir::open(home.path()).unwrap().unwrap();
        fs::create_dir(home.path().join("state.snapshot.new")).unwrap();
        assert!(state.write(SNAPSHOT, b"x").is_err(), "something is in the way");
        assert_eq!(state.read(SNAPSHOT, 9).unwrap(), None);
    }
}
