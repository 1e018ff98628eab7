//! A config is read whole: what is good resolves, what is bad is told with its place, and nothing hostile takes long.

use std::fs;
use std::path::{Path, PathBuf};

use oscar_metrics::cli::check;
use oscar_metrics::config::{Loaded, Source, load};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn read(path: &Path) -> Loaded {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let source = Source { name, text: fs::read_to_string(path).unwrap() };
    let beside = path.parent().unwrap();
    load(Some(source), &|_| None, &|file| fs::read_to_string(beside.join(file)))
}

#[test]
fn the_example_of_the_design_is_good() {
    let loaded = read(&folder("examples").join("design.yaml"));
    let (text, ok) = check::report(&loaded, false);
    assert!(ok, "{text}");
    println!("{text}");
}

/// Each file in `config/bad` shows one message; the text beside it is what people see. `REWRITE=1` writes the texts anew.
#[test]
fn every_bad_config_is_told_as_written() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder("bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut messages = std::collections::BTreeSet::new();
    let mut faults = Vec::new();
    for file in files {
        let loaded = read(&file);
        assert!(!loaded.diagnostics().is_empty(), "{} is good", file.display());
        messages.extend(loaded.diagnostics().iter().map(|one| without_names(&one.message)));
        let (text, beside) = (loaded.render(), file.with_extension("txt"));
        if std::env::var_os("REWRITE").is_some() {
            fs::write(&beside, &text).unwrap();
        }
        let wanted = fs::read_to_string(&beside);
        if wanted.as_deref().ok() != Some(&text) {
            faults.push(format!("{}: {wanted:?}, but is\n{text}", beside.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(messages.len() >= 100, "only {} different messages", messages.len());
}

/// A message without what it quotes.
fn without_names(message: &str) -> String {
    message.split('`').step_by(2).collect()
}
