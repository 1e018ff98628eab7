//! A module imports only strictly lower ranks, and its own children: the map in `src/lib.rs` is the law.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const RANKS: [&[&str]; 7] = [
    &["limits", "clock"],
    &["model", "view"],
    &["wire", "derive", "rules", "series"],
    &["config", "exposition", "snapshot", "telemetry"],
    &["pipeline", "net", "generators"],
    &["receivers", "forwarders", "scrape", "traffic", "report"],
    &["cli"],
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules named after `crate::` in code, those in a `crate::{...}` list included.
fn imports(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for after in text.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(list) => {
                let list = list.split_once('}').map_or(list, |(inside, _)| inside);
                names.extend(list.split(',').map(first_word));
            }
            None => names.push(first_word(after)),
        }
    }
    names
}

fn first_word(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Without comments, and without the test module: tests may look around.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let code = |line: &&str| !line.trim_start().starts_with("//");
    body.lines().filter(code).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_module_imports_only_lower_ranks() {
    let ranks: HashMap<&str, usize> = RANKS
        .iter()
        .enumerate()
        .flat_map(|(rank, all)| all.iter().map(move |m| (*m, rank)))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut faults, mut edges) = (Vec::new(), 0);
    for file in files {
        let inside = file.strip_prefix(&root).unwrap().with_extension("");
        let own = inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
        if own == "lib" || own == "main" {
            continue;
        }
        let Some(rank) = ranks.get(&*own) else {
            faults.push(format!("{own} has no rank: give it one in src/lib.rs and here"));
            continue;
        };
        for other in imports(&code(&fs::read_to_string(&file).unwrap())) {
            edges += 1;
            let allowed = other == own || ranks.get(&*other).is_some_and(|other| other < rank);
            if !allowed {
                faults.push(format!("{} (rank {rank}) imports {other}", inside.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(edges > 50, "only {edges} imports found: does the test still read the code?");
}

#[test]
fn the_checker_sees_an_upward_import() {
    let text = "use crate::cli;\n// use crate::net\nuse crate::{model::Kind, view};\nfn f() { crate::scrape::x() }";
    assert_eq!(imports(&code(text)), ["cli", "model", "view", "scrape"]);
}

#[test]
fn the_map_in_the_crate_doc_is_the_same() {
    let doc = include_str!("../../src/lib.rs");
    for (rank, modules) in RANKS.iter().enumerate() {
        let row = doc.lines().find(|line| line.starts_with(&format!("//! | {rank} |"))).unwrap();
        for module in *modules {
            assert!(row.contains(&format!("[`{module}`]")), "rank {rank} lacks {module}: {row}");
        }
    }
}
