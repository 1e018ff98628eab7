//! `generate`: the files that belong to a config, written or compared with what is there.

use std::fs;
use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};

use content::{Artifact, Catalogue, MARK, Product};

use super::args::{GenerateArgs, ProductName};
use server::self_metrics;
use server::service::source::{self, Location};

use super::{Exit, Failure};

/// Writes the files, or says which of them are not as they would be written.
///
/// # Errors
///
/// [`Exit::Data`] when the config has faults or, with `--check`, when a file is stale; [`Exit::Unavailable`] when a file can't
/// be written.
pub fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let settings =
        source::settings(Location::new(args.config_file.as_deref(), args.packs.as_deref()))?;
    let catalogue = Catalogue::new(&settings);
    let own = self_metrics::families();
    let files: Vec<(PathBuf, String)> = chosen(args.product)
        .flat_map(|(product, folder)| {
            let folder = args.out.join(folder);
            product
                .artifacts(&catalogue, &own)
                .into_iter()
                .map(move |Artifact { path, text }| (folder.join(path), text))
        })
        .collect();
    if args.check { check(&files, args) } else { write(&files) }
}

/// The products and their folders: a single one lies in the folder it is given.
fn chosen(name: ProductName) -> impl Iterator<Item = (Product, &'static str)> {
    let single = match name {
        ProductName::All => None,
        ProductName::Dashboards => Some(Product::Dashboards),
        ProductName::Rules => Some(Product::Rules),
        ProductName::Reference => Some(Product::Reference),
        ProductName::Schema => Some(Product::Schema),
        ProductName::Helm => Some(Product::Helm),
    };
    let all = Product::ALL
        .into_iter()
        .filter(move |product| single.is_none_or(|single| single == *product));
    all.map(move |product| (product, if single.is_none() { product.folder() } else { "" }))
}

fn write(files: &[(PathBuf, String)]) -> Result<(), Failure> {
    let fault = |path: &Path, error| {
        Failure::new(Exit::Unavailable, format!("cannot write {}: {error}", path.display()))
    };
    let mut written = 0;
    for (path, text) in files {
        if fs::read_to_string(path).is_ok_and(|there| there == *text) {
            continue;
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(path, text))
            .map_err(|error| fault(path, error))?;
        written += 1;
    }
    // Whoever closed the pipe has read enough.
    let _ = writeln!(stdout(), "{} files, {written} of them new or changed", files.len());
    Ok(())
}

fn check(files: &[(PathBuf, String)], args: &GenerateArgs) -> Result<(), Failure> {
    let mut stale: Vec<String> = Vec::new();
    for (path, text) in files {
        match fs::read_to_string(path) {
            Ok(there) if there == *text => {}
            Ok(there) => stale.push(format!(
                "{}:{}: differs",
                path.display(),
                first_difference(&there, text)
            )),
            Err(error) => stale.push(format!("{}: {error}", path.display())),
        }
    }
    stale.extend(
        left_over(files)
            .into_iter()
            .map(|path| format!("{}: nothing makes it any more", path.display())),
    );
    if stale.is_empty() {
        let _ = writeln!(stdout(), "{} files are as the config says", files.len());
        return Ok(());
    }
    let product = format!("{:?}", args.product).to_lowercase();
    let help =
        format!("  = help: run `{MARK} {product}` without `--check`, and look at what changed");
    Err(Failure::new(
        Exit::Data,
        format!("files are not as the config says:\n{}\n{help}", stale.join("\n")),
    ))
}

/// The line, from 1, where two texts begin to differ.
fn first_difference(one: &str, other: &str) -> usize {
    let same = one.lines().zip(other.lines()).take_while(|(one, other)| one == other).count();
    same + 1
}

/// Files that we made once, in the folders of those we make now and of the same kinds.
fn left_over(files: &[(PathBuf, String)]) -> Vec<PathBuf> {
    let mut folders: Vec<&Path> = files.iter().filter_map(|(path, _)| path.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    let entries = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let ours = |path: &PathBuf| {
        let made = files.iter().any(|(file, _)| file == path);
        let beside =
            |file: &Path| file.parent() == path.parent() && file.extension() == path.extension();
        !made
            && files.iter().any(|(file, _)| beside(file))
            && fs::read_to_string(path).is_ok_and(|text| text.contains(MARK))
    };
    let mut found: Vec<PathBuf> = folders
        .into_iter()
        .filter_map(|folder| entries(folder).ok())
        .flatten()
        .filter(ours)
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(out: &Path, product: ProductName, check: bool) -> GenerateArgs {
        GenerateArgs { product, out: out.to_owned(), check, config_file: None, packs: None }
    }

    #[test]
    fn what_was_written_is_current_until_somebody_touches_it() {
        let home = tempfile::tempdir().unwrap();
        let all = |check| run(&args(home.path(), ProductName::All, check));
        assert_eq!(all(true).unwrap_err().exit, Exit::Data);
        all(false).unwrap();
        all(true).unwrap();
        let page = home.path().join("dashboards/reference.md");
        let text = fs::read_to_string(&page).unwrap();
        fs::write(&page, text.replacen("# Metrics\n\n", "# Metrics\n", 1)).unwrap();
        let told = all(true).unwrap_err().message;
        assert!(told.contains("reference.md:2: differs"), "{told}");
        all(false).unwrap();
        fs::write(page.with_file_name("old.md"), MARK).unwrap();
        fs::write(page.with_file_name("mine.md"), "hands off").unwrap();
        fs::write(page.with_file_name("mine.txt"), MARK).unwrap();
        let told = all(true).unwrap_err().message;
        assert!(told.contains("old.md: nothing makes it") && !told.contains("mine"), "{told}");
    }

    #[test]
    fn packs_on_disk_come_before_the_built_in_ones() {
        let home = tempfile::tempdir().unwrap();
        let pack = home.path().join("packs/base");
        fs::create_dir_all(&pack).unwrap();
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/packs/base");
        for entry in fs::read_dir(built_in).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, pack.join(from.file_name().unwrap())).unwrap();
        }
        let runbooks = pack.join("runbooks.md");
        let text = fs::read_to_string(&runbooks).unwrap();
        let changed = text.replacen("It always fires: that is its job.", "It always fires.", 1);
        assert_ne!(text, changed);
        fs::write(&runbooks, changed).unwrap();
        let packs = Some(home.path().join("packs"));
        run(&GenerateArgs { packs, ..args(home.path(), ProductName::Rules, false) }).unwrap();
        let page = fs::read_to_string(home.path().join("runbooks.md")).unwrap();
        assert!(page.contains("It always fires. Whoever receives it"), "{page}");
        assert!(page.contains("## BotTimeouts"), "the other packs are built in");
    }

    #[test]
    fn a_single_product_lies_where_it_is_put() {
        let home = tempfile::tempdir().unwrap();
        run(&args(home.path(), ProductName::Reference, false)).unwrap();
        assert!(home.path().join("reference.md").exists());
    }
}
