//! What cargo can't see of the layers: that the engine stays pure in what it depends on, and that no crate below the server opens
//! a socket or a file. The order of the crates themselves is kept by cargo, which refuses a circle.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// All that the engine may depend on, directly.
const ENGINE: [&str; 18] = [
    "arc-swap",
    "base64",
    "bytes",
    "flate2",
    "foldhash",
    "hashbrown",
    "itoa",
    "jiff",
    "memmap2",
    "postcard",
    "regex",
    "serde",
    "serde_json",
    "sha2",
    "siphasher",
    "thiserror",
    "zmij",
    "zstd",
];

/// What each crate may use of the others.
const ORDER: [(&str, &[&str]); 6] = [
    ("engine", &[]),
    ("config", &["engine"]),
    ("content", &["config", "engine"]),
    ("server", &["config", "content", "engine"]),
    ("simulator", &["engine"]),
    ("oscar-metrics", &["config", "content", "engine", "server", "simulator"]),
];

fn metadata() -> Value {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"]);
    let out = cargo.arg(root().join("Cargo.toml")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a package needs to run, by name.
fn needs(metadata: &Value, package: &str) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages.iter().find(|one| one["name"] == package);
    let all = found.unwrap_or_else(|| panic!("no package {package}"))["dependencies"].as_array();
    let normal = all.unwrap().iter().filter(|one| one["kind"].is_null());
    normal.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_engine_depends_on_nothing_that_does_io() {
    let found = needs(&metadata(), "engine");
    let allowed = ENGINE.map(str::to_owned).into();
    let extra: Vec<_> = found.difference(&allowed).collect();
    assert!(
        extra.is_empty(),
        "the engine may not depend on {extra:?}: no tokio, no YAML, no sockets"
    );
}

#[test]
fn crates_use_only_those_below() {
    let metadata = metadata();
    for (package, allowed) in ORDER {
        let ours = ORDER.map(|(name, _)| name);
        let found = needs(&metadata, package);
        let used: Vec<_> = found.iter().filter(|name| ours.contains(&name.as_str())).collect();
        assert_eq!(used, allowed, "{package}");
    }
}

#[test]
fn the_image_has_no_simulator() {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.args(["tree", "--offline", "--locked", "--package=oscar-metrics"]);
    cargo.args(["--no-default-features", "--edges=normal", "--prefix=none", "--manifest-path"]);
    let out = cargo.arg(root().join("Cargo.toml")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let tree = String::from_utf8(out.stdout).unwrap();
    assert!(tree.lines().any(|line| line.starts_with("server ")), "{tree}");
    let simulated = |line: &&str| line.starts_with("simulator ") || line.contains("opentelemetry");
    let found: Vec<_> = tree.lines().filter(simulated).collect();
    assert!(found.is_empty(), "without the feature `demo` the binary still has {found:?}");
    let containerfile = fs::read_to_string(root().join("Containerfile")).unwrap();
    assert!(
        containerfile.contains("--no-default-features"),
        "the Containerfile builds the simulator into the image"
    );
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, found),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                found.push(path)
            }
            false => {}
        }
    }
}

/// What only the server, the simulator and the command line may do.
const DOORS: [&str; 6] = [
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::thread::spawn",
    "std::env::",
];

#[test]
fn nothing_below_the_server_opens_files_or_sockets() {
    let mut files = Vec::new();
    for name in ["engine", "config", "content"] {
        sources(&root().join("crates").join(name).join("src"), &mut files);
    }
    assert!(files.len() > 100, "only {} files found", files.len());
    let faults = files.iter().flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        let body = text.split("#[cfg(test)]").next().unwrap_or(&text).to_owned();
        let opened = DOORS.iter().filter(move |door| body.contains(**door));
        opened.map(|door| format!("{}: {door}", path.display())).collect::<Vec<_>>()
    });
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
