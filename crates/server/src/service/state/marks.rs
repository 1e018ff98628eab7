//! When a scrape was last completed, as 8 bytes on disk: what tells whether a snapshot is younger.
//!
//! Stamps are times that only rise, whatever the clock does: of two, the greater was drawn later. A snapshot draws one before it looks
//! at anything, a scrape one after it has read everything, so a snapshot with the greater stamp holds all that the scrape shows. The
//! mark is written before the last byte of the scrape is sent and is not synced: after a kill the system still has it, and after a
//! crash of the machine no snapshot is trusted (`Boot`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock;

use super::dir::{self, StateDir};

/// The stamps of a process, and its mark.
#[derive(Debug, Default)]
pub struct Marks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The stamp drawn last.
    last: u64,
    /// Where the mark is written; none: nowhere yet.
    dir: Option<Arc<StateDir>>,
    /// None: it has to be opened.
    file: Option<File>,
    is_failing: bool,
}

impl Marks {
    /// Writes marks to this directory from now on, which begins with this one: only greater stamps are drawn.
    pub fn begin(&self, dir: &Arc<StateDir>, mark: u64, least: u64) {
        let mut state = self.state();
        (state.dir, state.file) = (Some(dir.clone()), None);
        state.last = state.last.max(mark).max(least);
        state.write(mark);
    }

    /// The stamp of a snapshot that is about to be made.
    pub fn stamp(&self) -> u64 {
        self.state().stamp()
    }

    /// A scrape is about to be completed: all its values are read, and its last byte was not sent.
    pub fn mark(&self) {
        let mut state = self.state();
        let stamp = state.stamp();
        state.write(stamp);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stamp(&mut self) -> u64 {
        self.last = clock::now().0.max(self.last.saturating_add(1));
        self.last
    }

    fn write(&mut self, mark: u64) {
        let Some(dir) = self.dir.clone() else { return };
        match self.try_write(&dir, mark) {
            Ok(()) => self.is_failing = false,
            Err(error) => {
                self.file = None;
                // Without a mark no counter is restored; else a restart might show less than the scrape does.
                let voided = dir.remove(dir::MARK).or_else(|_| dir.remove(dir::SNAPSHOT)).is_ok();
                if !std::mem::replace(&mut self.is_failing, true) {
                    let help = "after a kill counters start at 0 until this is repaired";
                    tracing::error!(event = "mark_not_written", %error, voided, help);
                }
            }
        }
    }

    fn try_write(&mut self, dir: &StateDir, mark: u64) -> io::Result<()> {
        if self.file.is_none() {
            let file = dir.open_file(dir::MARK)?;
            file.set_len(size_of::<u64>() as u64)?;
            self.file = Some(file);
        }
        self.file.as_ref().map_or(Ok(()), |file| file.write_all_at(&mark.to_le_bytes(), 0))
    }
}

/// The mark in a directory; none: there is none, or it is not whole.
pub fn read(dir: &StateDir) -> Option<u64> {
    let bytes = dir.read(dir::MARK, size_of::<u64>()).ok()??;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn dir(path: &std::path::Path) -> Arc<StateDir> {
        StateDir::open(path).unwrap().unwrap().into()
    }

    #[test]
    fn a_scrape_is_marked_after_every_stamp_before_it() {
        let home = tempfile::tempdir().unwrap();
        let (dir, marks) = (dir(home.path()), Marks::default());
        assert_eq!(read(&dir), None);
        let future = u64::MAX - 1000;
        marks.begin(&dir, 5, future);
        assert_eq!(read(&dir), Some(5));
        let snapshot = marks.stamp();
        assert!(snapshot > future, "the clock was put back");
        marks.mark();
        let mark = read(&dir).unwrap();
        assert!(mark > snapshot && marks.stamp() > mark);
    }

    #[test]
    fn a_mark_that_can_not_be_written_is_removed() {
        let home = tempfile::tempdir().unwrap();
        let (dir, marks) = (dir(home.path()), Marks::default());
        marks.mark(); // nowhere yet
        marks.begin(&dir, 5, 5);
        let path = home.path().join(dir::MARK);
        fs::remove_file(&path).unwrap();
        marks.mark();
        assert_eq!(read(&dir), None, "it is gone from the directory, and stays so");
        let file = File::open(home.path()).unwrap(); // writes to it fail
        marks.state().file = Some(file);
        fs::write(&path, 7_u64.to_le_bytes()).unwrap();
        marks.mark();
        assert_eq!(read(&dir), None);
        marks.mark();
        assert!(read(&dir).is_some(), "and is tried again");
    }
}
