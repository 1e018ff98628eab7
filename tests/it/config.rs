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
