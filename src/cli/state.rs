//! The state directory: one snapshot, written whole or not at all, and a lock that keeps a second process out.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::limits;

use super::{Exit, Failure};

const SNAPSHOT: &str = "state.snapshot";
const LOCK: &str = "lock";
const NEW: &str = "state.new";
/// What a snapshot that can't be used is called from then on.
const ASIDE: &str = "state.unusable";

/// A directory that is ours while this lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Makes the directory if it is not there, and locks it.
    ///
    /// # Errors
    /// [`Exit::Unavailable`] when another process has it; [`None`] is no failure: a directory that can't be had or written is
    /// told by the caller, and nothing is kept.
    pub fn open(path: &Path) -> Result<io::Result<Self>, Failure> {
        let lock = fs::create_dir_all(path).and_then(|()| File::create(path.join(LOCK)));
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

    /// The bytes of the last snapshot; none: there is none.
    ///
    /// # Errors
    /// When it can't be read, or is larger than [`limits::SNAPSHOT`].
    pub fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let path = self.path.join(SNAPSHOT);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(found) if found.len() > limits::SNAPSHOT as u64 => {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
            }
            _ => {}
        }
        fs::read(path).map(Some)
    }

    /// Replaces the snapshot. After a crash at any moment there is the old one or the new one.
    ///
    /// # Errors
    /// When the disk is full or may not be written; the old one is still there then.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.join(NEW);
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, self.path.join(SNAPSHOT))?;
        // The rename itself is on disk when its directory is.
        File::open(&self.path)?.sync_all()
    }

    /// Sets a snapshot that can't be used aside, for people to look at, and tells where it is now.
    ///
    /// # Errors
    /// When it can't be moved.
    pub fn set_aside(&self) -> io::Result<PathBuf> {
        let aside = self.path.join(ASIDE);
        fs::rename(self.path.join(SNAPSHOT), &aside)?;
        Ok(aside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_replaced_whole_and_set_aside() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/state");
        let state = StateDir::open(&path).unwrap().unwrap();
        assert_eq!(state.read().unwrap(), None);
        state.write(b"one").unwrap();
        state.write(b"two").unwrap();
        assert_eq!(state.read().unwrap().as_deref(), Some(&b"two"[..]));
        let aside = state.set_aside().unwrap();
        assert_eq!((fs::read(aside).unwrap(), state.read().unwrap()), (b"two".to_vec(), None));
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
        fs::create_dir(home.path().join(NEW)).unwrap();
        assert!(state.write(b"x").is_err(), "something is in the way");
        assert_eq!(state.read().unwrap(), None);
    }
}
