//! State over restarts (promise P6): where it is kept, when it is taken up again, and what writes it meanwhile.
//!
//! | file | holds |
//! |---|---|
//! | `state.snapshot` | everything, written every `state.interval`: what a kill leaves |
//! | `state.clean` | everything at a clean end; taken by the next process, once |
//! | `scraped` | when a scrape was last completed |
//! | `hash.key` | what personal values are hashed with, when the operator names no key |
//! | `config.yaml` | the last good config, for `--config.fallback` |
//! | `lock` | nothing; whoever holds it has the directory |
//! | `*.unusable` | what could not be used, for people to look at |
//!
//! Windows and conversations are always restored. Counters are after a clean end, and after a kill from a snapshot that is younger than
//! the last completed scrape: a value that a scrape has shown never comes back lower under its start time. Else they start at 0.
//!
//! Nothing personal is in any of the files in clear. A disk that is full or may not be written is logged once and counted; the process
//! serves on, and tries again.

mod dir;
mod home;
mod keeper;
mod marks;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock;
use crate::secret;
use crate::self_metrics::StateMeter;
use engine::limits;
use engine::pipeline::{Kept, Pipeline};
use engine::snapshot;
use engine::timestamp::Timestamp;

use super::options::ServeOptions;
use crate::exit::Failure;

pub use dir::StateDir;
pub use keeper::Keeper;

use home::{Boot, Home};
use marks::Marks;

const KEY: &str = "hash.key";
const CONFIG: &str = "config.yaml";

/// What is on disk: where and in which boot it was written, its stamp, and the state.
type Stored = (Home, Boot, u64, Kept);

/// The state of one process.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    /// None: it can't be had for now.
    dir: Option<Arc<StateDir>>,
    home: Home,
    boot: Boot,
    marks: Arc<Marks>,
    secret: [u8; 32],
    /// Whether a clean end's state was taken.
    taken: bool,
    /// Whether no process was here before.
    is_new: bool,
    health: Health,
}

/// Whether the disk does what it should: told when that changes.
#[derive(Debug)]
struct Health {
    meter: StateMeter,
    is_failing: bool,
}

impl State {
    /// Of a directory, for a process that serves with these options.
    ///
    /// # Errors
    /// [`crate::exit::Exit::Unavailable`] when another process has it.
    pub fn open(path: &Path, options: &ServeOptions, meter: StateMeter) -> Result<Self, Failure> {
        let mut state = Self {
            path: path.to_owned(),
            dir: None,
            home: Home::of(options),
            boot: Boot::current(),
            marks: Arc::default(),
            secret: secret::random()?,
            taken: false,
            is_new: false,
            health: Health { meter, is_failing: false },
        };
        match StateDir::open(path)? {
            Ok(dir) => {
                state.read_secret(&dir);
                state.dir = Some(dir.into());
            }
            Err(error) => state.health.failed(path, &error),
        }
        Ok(state)
    }

    /// What personal values are hashed with when the operator names no key: the same over restarts.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Where completed scrapes are marked.
    pub fn marks(&self) -> &Arc<Marks> {
        &self.marks
    }

    /// The directory, if it can be had.
    pub fn dir(&self) -> Option<&Arc<StateDir>> {
        self.dir.as_ref()
    }

    /// Gives a pipeline what was kept. Counters go on where `shown` allows it.
    pub fn restore(&mut self, pipeline: &mut Pipeline) {
        let Some(dir) = self.dir.clone() else { return };
        self.taken = dir.take().unwrap_or_else(|error| {
            self.health.failed(&self.path, &error);
            false
        });
        let mark = marks::read(&dir);
        let read = dir.read(dir::SNAPSHOT, limits::SNAPSHOT).map_err(|error| error.to_string());
        self.is_new = mark.is_none() && matches!(read, Ok(None));
        self.health.meter.ended(!self.taken && !self.is_new);
        let decoded = read.and_then(|bytes| {
            let decode = |bytes: Vec<u8>| snapshot::decode::<Stored>(&bytes);
            bytes.map(decode).transpose().map_err(|error| error.to_string())
        });
        let (mut shown, mut last) = (None, 0);
        match decoded {
            Ok(None) => {}
            Ok(Some((home, boot, stamp, kept))) => {
                (shown, last) = (self.shown(mark, (&home, &boot, stamp), kept.scraped), stamp);
                self.restore_into(pipeline, kept, shown);
            }
            Err(why) => {
                self.taken = false;
                set_aside(&dir, dir::SNAPSHOT, &why);
            }
        }
        // Until the next scrape or snapshot a restart decides the same once more.
        let mark = match shown {
            Some(_) => mark.unwrap_or(last).min(last.saturating_sub(1)),
            None => mark.unwrap_or(last),
        };
        self.marks.begin(&dir, mark, clock::now().0.max(last));
    }

    /// Until when scrapers have seen what a snapshot of this stamp holds; none: a scrape may have shown more than it holds, or scrapers
    /// take this process for another one, so counters begin at 0. `scraped` is when the last scrape before the snapshot began.
    fn shown(
        &self,
        mark: Option<u64>,
        written: (&Home, &Boot, u64),
        scraped: Timestamp,
    ) -> Option<Timestamp> {
        let (home, boot, stamp) = written;
        if !home.is(&self.home) {
            return None;
        }
        if self.taken {
            // It ended well: nothing came after the snapshot, and scrapers had `linger` to see all.
            return Some(Timestamp::MAX);
        }
        mark.filter(|mark| *mark < stamp && boot.is(&self.boot)).map(|_| scraped)
    }

    fn restore_into(&self, pipeline: &mut Pipeline, kept: Kept, shown: Option<Timestamp>) {
        let (now, written) = (clock::now(), kept.time);
        let restored = pipeline.restore(kept, shown, now);
        let age = now.since(written);
        self.health.meter.restored(age);
        tracing::info!(
            event = "state_restored",
            counters = restored.counted,
            families = restored.families,
            sessions = restored.sessions,
            clean = self.taken,
            written = written.seconds(),
            age = age.as_secs(),
        );
    }

    /// The process does not serve after all: what was taken is left as it was.
    pub fn give_back(mut self) {
        if let Some(dir) = self.dir.as_ref().filter(|_| self.is_new) {
            // The next start is the first one again.
            let _ = dir.remove(dir::MARK);
        }
        if let Some(dir) = self.dir.as_ref().filter(|_| self.taken)
            && let Err(error) = dir.give_back()
        {
            self.health.failed(&self.path, &error);
        }
    }

    /// Writes what a kill is to leave.
    fn write(&mut self, pipeline: &Pipeline) {
        self.reach();
        let Some(dir) = self.dir.clone() else { return };
        // Nobody may take it again, once something was counted since.
        let removed = dir.remove(dir::CLEAN).map_err(|error| error.to_string());
        let save = |()| self.save(&dir, dir::SNAPSHOT, || pipeline.keep(clock::now())).1;
        self.tell(removed.and_then(save));
    }

    /// Writes all there is, when nothing comes any more. What can't be written ends as if nothing were kept.
    fn write_last(&mut self, pipeline: &Pipeline) {
        self.reach();
        let Some(dir) = self.dir.clone() else { return pipeline.end_conversations(clock::now()) };
        let (kept, written) = self.save(&dir, dir::CLEAN, || pipeline.keep_last(clock::now()));
        let is_kept = written.is_ok();
        self.tell(written);
        if !is_kept {
            pipeline.lose(kept, clock::now());
        }
    }

    /// Copies the state and writes it; the copy, and how many bytes it has on disk.
    fn save(
        &self,
        dir: &StateDir,
        name: &str,
        keep: impl FnOnce() -> Kept,
    ) -> (Kept, Result<usize, String>) {
        let begin = clock::monotonic();
        // Before anything is looked at: see `marks`.
        let stamp = self.marks.stamp();
        let kept = keep();
        let copied = clock::monotonic() - begin;
        let encoded = snapshot::encode(&(&self.home, &self.boot, stamp, &kept));
        let written = encoded.map_err(|error| error.to_string()).and_then(|bytes| {
            if bytes.len() > limits::SNAPSHOT {
                return Err(format!("{} bytes are more than may be read again", bytes.len()));
            }
            dir.write(name, &bytes).map_err(|error| error.to_string())?;
            Ok(bytes.len())
        });
        let took = clock::monotonic() - begin;
        tracing::debug!(event = "state_kept", ?written, ?copied, ?took);
        (kept, written)
    }

    fn tell(&mut self, written: Result<usize, String>) {
        match written {
            Ok(bytes) => self.health.written(bytes),
            Err(error) => self.health.failed(&self.path, &error),
        }
    }

    /// Tries to have a directory that could not be had so far. What is there by now is not what this process began with.
    fn reach(&mut self) {
        if self.dir.is_some() {
            return;
        }
        match StateDir::open(&self.path) {
            Ok(Ok(dir)) => {
                for name in [dir::SNAPSHOT, dir::CLEAN, KEY] {
                    if !matches!(dir.read(name, 0), Ok(None)) {
                        set_aside(&dir, name, "the directory could not be had when it was needed");
                    }
                }
                self.write_secret(&dir);
                let dir = Arc::new(dir);
                let stamp = self.marks.stamp();
                self.marks.begin(&dir, stamp, stamp);
                self.dir = Some(dir);
            }
            Ok(Err(error)) => self.health.failed(&self.path, &error),
            Err(failure) => self.health.failed(&self.path, &failure),
        }
    }

    fn read_secret(&mut self, dir: &StateDir) {
        match dir.read(KEY, limits::KIB).map(|bytes| bytes.as_deref().map(unhex)) {
            Ok(Some(Some(secret))) => return self.secret = secret,
            Ok(None) => {}
            Ok(Some(None)) => set_aside(dir, KEY, "it is not 64 hexadecimal digits"),
            Err(error) => set_aside(dir, KEY, &error.to_string()),
        }
        self.write_secret(dir);
    }

    fn write_secret(&mut self, dir: &StateDir) {
        if let Err(error) = dir.write(KEY, hex(&self.secret).as_bytes()) {
            self.health.failed(&self.path, &error);
        }
    }
}

impl Health {
    fn written(&mut self, bytes: usize) {
        self.meter.written(bytes, clock::now());
        if std::mem::take(&mut self.is_failing) {
            tracing::info!(event = "state_written", "state is written again");
        }
    }

    fn failed(&mut self, path: &Path, error: &dyn std::fmt::Display) {
        self.meter.failed();
        if !std::mem::replace(&mut self.is_failing, true) {
            let (dir, help) =
                (path.display(), "a restart loses what is not on disk; it is tried again");
            tracing::error!(event = "state_not_written", %dir, %error, help);
        }
    }
}

/// Keeps the text of a config that was found good, for [`last_config`].
pub fn keep_config(dir: &StateDir, text: &str) {
    let there = dir.read(CONFIG, limits::CONFIG).ok().flatten();
    if there.as_deref() != Some(text.as_bytes())
        && let Err(error) = dir.write(CONFIG, text.as_bytes())
    {
        tracing::warn!(event = "config_not_kept", %error);
    }
}

/// The text of the last config that was found good; none: there is none, or it can't be read.
pub fn last_config(dir: &Path) -> Option<String> {
    String::from_utf8(dir::read(&dir.join(CONFIG), limits::CONFIG).ok()??).ok()
}

/// What can't be used is told, and never in the way again.
fn set_aside(dir: &StateDir, name: &str, why: &str) {
    let help = "nothing of it was taken up; remove it once you have looked at it";
    match dir.set_aside(name) {
        Ok(now) => {
            tracing::error!(event = "state_set_aside", file = name, why, now = %now.display(), help);
        }
        Err(error) => tracing::error!(event = "state_unusable", file = name, why, %error),
    }
}

fn hex(secret: &[u8; 32]) -> String {
    let mut text = secret.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a string takes all
        text
    });
    text.push('\n');
    text
}

fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let digits = text.trim_ascii().chunks_exact(2);
    let byte = |pair: &[u8]| {
        let is_hex = pair.iter().all(u8::is_ascii_hexdigit);
        let pair = std::str::from_utf8(pair).ok().filter(|_| is_hex)?;
        u8::from_str_radix(pair, 16).ok()
    };
    let whole = digits.remainder().is_empty();
    let bytes: Option<Vec<u8>> = digits.map(byte).collect();
    bytes.filter(|_| whole)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits_and_nothing_else_is_one() {
        let secret: [u8; 32] = std::array::from_fn(|at| at as u8 * 7);
        let text = hex(&secret);
        assert_eq!((text.len(), unhex(text.as_bytes())), (65, Some(secret)));
        let short = text.trim().as_bytes()[1..].to_vec();
        let foreign = text.replace('0', "+").into_bytes();
        for wrong in [Vec::new(), short, [text.as_bytes(), b"00"].concat(), foreign] {
            assert_eq!(unhex(&wrong), None, "{wrong:?}");
        }
    }
}
