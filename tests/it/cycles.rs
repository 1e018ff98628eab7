//! What cargo can't see inside a crate: no modules import each other in a cycle. A module and its own submodules are one unit, and
//! may.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Module = Vec<String>;

/// What siblings import of each other, under the module they have in common.
type Siblings = BTreeMap<Module, BTreeMap<String, BTreeSet<String>>>;

const CRATES: [&str; 6] = ["engine", "config", "content", "server", "simulator", "."];

/// The code of every module below a folder, without comments and tests.
fn modules(folder: &Path, module: &[String], found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let own = match &*name {
            "lib" | "main" => module.to_vec(),
            "tests" | "testing" => continue,
            _ => [module, &[name]].concat(),
        };
        if path.is_dir() {
            modules(&path, &own, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.entry(own).or_default().extend(lines.flat_map(|line| [line, "\n"]));
        }
    }
}

/// Reads a path, or a tree of them in braces, and returns what follows.
fn read_paths<'t>(text: &'t str, mut path: Module, found: &mut Vec<Module>) -> &'t str {
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inner) = rest.strip_prefix('{') {
            while !inner.is_empty() && !inner.trim_start().starts_with('}') {
                inner = read_paths(inner, path.clone(), found);
                inner = inner.trim_start_matches(|next| next != ',' && next != '}');
                inner = inner.trim_start_matches(',');
            }
            return inner.trim_start().strip_prefix('}').unwrap_or_default();
        }
        let is_name = |next: char| next.is_alphanumeric() || next == '_';
        let after = rest.trim_start_matches(is_name);
        path.push(rest.strip_suffix(after).unwrap_or_default().to_owned());
        match after.strip_prefix("::") {
            Some(next) => rest = next,
            None => {
                found.push(path);
                return after;
            }
        }
    }
}

/// Every path that begins in this crate, as the module it is written in means it.
fn imports(code: &str, module: &[String]) -> Vec<Module> {
    let mut found = Vec::new();
    for (at, root) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        let (before, after) = code.split_at(at);
        if before.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == ':') {
            continue;
        }
        let (mut base, mut rest) = (module, after.strip_prefix("crate::"));
        if root == "crate::" {
            base = &[];
        } else {
            rest = Some(after);
            while let Some(next) = rest.and_then(|rest| rest.strip_prefix("super::")) {
                base = base.split_last().map_or(&[], |(_, parent)| parent);
                rest = Some(next);
            }
        }
        read_paths(rest.unwrap_or_default(), base.to_vec(), &mut found);
    }
    found
}

fn siblings(modules: &BTreeMap<Module, String>) -> Siblings {
    let mut all = Siblings::new();
    for (module, code) in modules {
        for mut target in imports(code, module) {
            while !modules.contains_key(&target) && target.pop().is_some() {}
            let shared = module.iter().zip(&target).take_while(|(one, other)| one == other).count();
            if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                let graph = all.entry(module.iter().take(shared).cloned().collect()).or_default();
                graph.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    all
}

/// The graph without what imports nothing of it and what nothing of it imports, over and over: cycles, and what lies between.
fn cyclic(mut graph: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let there: BTreeSet<String> = graph.keys().cloned().collect();
        graph.values_mut().for_each(|targets| targets.retain(|target| there.contains(target)));
        let imported: BTreeSet<String> = graph.values().flatten().cloned().collect();
        graph.retain(|name, targets| !targets.is_empty() && imported.contains(name));
        if graph.len() == there.len() {
            return graph;
        }
    }
}

#[test]
fn no_modules_of_a_crate_import_each_other_in_a_cycle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for name in CRATES {
        let folder =
            if name == "." { root.join("src") } else { root.join("crates").join(name).join("src") };
        let mut found = BTreeMap::new();
        modules(&folder, &[], &mut found);
        let siblings = siblings(&found);
        assert!(!siblings.is_empty(), "{name}: no import was found");
        for (parent, graph) in siblings {
            let left = cyclic(graph);
            if !left.is_empty() {
                faults.push(format!("{name}, in `crate::{}`: {left:?}", parent.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "import cycles:\n{}", faults.join("\n"));
}

#[test]
fn a_cycle_is_found_through_braces_and_submodules() {
    let code = [
        ("a", "use crate::{c, b::{One, Two as Other}};"),
        ("b::inner", "use super::super::c::Three;"),
        ("c", "fn f() -> crate::a::Four {}"),
        ("d", "use super::a::Five;"),
    ];
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    let mut found: BTreeMap<_, _> =
        code.into_iter().map(|(path, code)| (module(path), code.to_owned())).collect();
    found.insert(module("b"), String::new());
    let cycle = cyclic(siblings(&found).remove(&Vec::new()).unwrap());
    assert_eq!(cycle.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    found.insert(module("c"), String::new());
    assert!(cyclic(siblings(&found).remove(&Vec::new()).unwrap()).is_empty());
}
