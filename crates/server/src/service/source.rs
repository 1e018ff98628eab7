//! Where a config comes from: a file, its neighbours, the environment, the container. The one place that reads config files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use config::{self, Loaded, Reading, Settings, Source, WebSettings};
use engine::limits;
use engine::model::HashKey;

use crate::exit::{Exit, Failure};

use super::container;

/// The environment's own secret, for those who keep none in files.
const HASH_KEY: &str = "OSCAR_METRICS_HASH_KEY";

/// Where a config and its packs are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Location<'a> {
    /// The config, or the folder of a pack; none: the built-in one.
    pub file: Option<&'a Path>,
    /// A folder whose packs come before the built-in ones of the same name.
    pub packs: Option<&'a Path>,
}

impl<'a> Location<'a> {
    /// Of a file, with the built-in packs.
    pub fn new(file: Option<&'a Path>, packs: Option<&'a Path>) -> Self {
        Self { file, packs }
    }

    /// The folder that relative names in the config begin in.
    fn folder(self) -> PathBuf {
        self.file.and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default()
    }
}

/// Loads the config of a file, that of a pack's folder, or the built-in one.
///
/// # Errors
///
/// [`Exit::Data`] when the file can't be read. What is wrong inside is in [`Loaded`].
pub fn load(at: Location<'_>) -> Result<Loaded, Failure> {
    match at.file.filter(|file| file.is_dir()) {
        Some(folder) => load_folder(at, folder),
        None => Ok(load_text(at, at.file.map(text).transpose()?)),
    }
}

/// The text of a config file.
///
/// # Errors
///
/// [`Exit::Data`] when it can't be read.
pub fn text(path: &Path) -> Result<String, Failure> {
    let fault =
        |error| Failure::new(Exit::Data, format!("cannot read {}: {error}", path.display()));
    read(path).map_err(fault)
}

/// Loads a config that stands in a file, or is said to; without a text the built-in one. Its automatic sizes are those for this
/// process' container.
pub fn load_text(at: Location<'_>, text: Option<String>) -> Loaded {
    let name = at.file.unwrap_or(Path::new("")).display().to_string();
    let source = text.map(|text| Source { text, name });
    fitted(reading(at, &at.folder(), |reading| config::load_with(source, reading)))
}

/// Loads a pack as the operator's own config.
fn load_folder(at: Location<'_>, folder: &Path) -> Result<Loaded, Failure> {
    let name = folder.to_string_lossy();
    // Names in it begin where the pack lies.
    let loaded = reading(at, folder, |reading| config::load_folder(".", reading));
    loaded
        .map(fitted)
        .map_err(|error| Failure::new(Exit::Data, format!("cannot read the pack {name}: {error}")))
}

fn fitted(mut loaded: Loaded) -> Loaded {
    if let Some(settings) = &mut loaded.settings {
        settings.fit(container::memory());
    }
    loaded
}

/// Calls with what a config may be read with; its relative names begin in this folder.
fn reading<T>(at: Location<'_>, folder: &Path, call: impl FnOnce(&Reading<'_>) -> T) -> T {
    let packs = at
        .packs
        .map(|packs| name_of(&std::path::absolute(packs).unwrap_or_else(|_| packs.to_path_buf())));
    call(&Reading {
        environment: &|name| std::env::var(name).ok(),
        files: &|name| read(&beside(folder, name)),
        folders: Some(&|name| names(&beside(folder, name))),
        packs: packs.as_deref(),
    })
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Names of the files in a folder, at most one more than a pack may have.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.take(limits::FOLDER_ENTRIES);
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

/// The settings of a config that has to be good.
///
/// # Errors
///
/// [`Exit::Data`] with everything that is wrong with it.
pub fn settings(at: Location<'_>) -> Result<Settings, Failure> {
    let mut loaded = load(at)?;
    loaded.settings.take().ok_or_else(|| refused(&loaded))
}

/// That a config is not good, with everything that is wrong with it.
pub fn refused(loaded: &Loaded) -> Failure {
    Failure::new(Exit::Data, format!("the config is not good\n{}", loaded.render()))
}

/// What personal values are hashed with: the file the config names, else `OSCAR_METRICS_HASH_KEY`, else nothing that anybody
/// knows.
///
/// # Errors
///
/// [`Exit::Data`] when the file can't be read or is empty: hashes under a key that is not the one asked for would merge with
/// nobody's.
pub fn hash_key(file: Option<&Path>, settings: &Settings) -> Result<Option<HashKey>, Failure> {
    let folder = file.and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
    let Some(name) = &settings.privacy.hash_key_file else {
        let secret = std::env::var(HASH_KEY).ok().filter(|secret| !secret.trim().is_empty());
        return Ok(secret.map(|secret| HashKey::from_secret(secret.as_bytes())));
    };
    let secret = read(&beside(&folder, name)).map_err(|error| {
        Failure::new(Exit::Data, format!("cannot read `privacy.hash_key_file` {name}: {error}"))
    })?;
    if secret.trim().is_empty() {
        return Err(Failure::new(Exit::Data, format!("`privacy.hash_key_file` {name} is empty")));
    }
    Ok(Some(HashKey::from_secret(secret.as_bytes())))
}

/// Loads a web config file.
///
/// # Errors
///
/// [`Exit::Data`] with everything that is wrong with it.
pub fn web(path: &Path) -> Result<WebSettings, Failure> {
    let name = path.display().to_string();
    let fault = |error| Failure::new(Exit::Data, format!("cannot read {name}: {error}"));
    let source = Source { text: read(path).map_err(fault)?, name: name.clone() };
    let folder = path.parent().unwrap_or(Path::new(""));
    config::web(source, folder, &|name| std::env::var(name).ok())
        .map_err(|faults| Failure::new(Exit::Data, format!("the web config is not good\n{faults}")))
}

fn beside(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}

/// Reads one byte past the bound at most, so that whoever checks the size still sees that it is too much.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(limits::CONFIG as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}
