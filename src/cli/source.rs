//! Where a config comes from: a file, its neighbours, the environment. The one place that reads config files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::config::{self, Loaded, Source, WebSettings};
use crate::limits;

use super::{Exit, Failure};

/// Loads the config of a file, or the built-in one.
///
/// # Errors
///
/// [`Exit::Data`] when the file can't be read. What is wrong inside is in [`Loaded`].
pub fn load(file: Option<&Path>) -> Result<Loaded, Failure> {
    let source = match file {
        None => None,
        Some(path) => {
            let name = path.display().to_string();
            let fault = |error| Failure::new(Exit::Data, format!("cannot read {name}: {error}"));
            Some(Source { text: read(path).map_err(fault)?, name: name.clone() })
        }
    };
    let folder = file.and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
    Ok(config::load(source, &|name| std::env::var(name).ok(), &|name| read(&beside(&folder, name))))
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
