//! The memory limit of the container: that of the process' control groups (cgroups(7)).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use engine::limits;

/// The memory limit in bytes: the least of the process' control groups and their parents; none: no limit, or no control groups.
pub fn memory() -> Option<usize> {
    let groups = read(Path::new("/proc/self/cgroup"))?;
    least(&groups, Path::new("/sys/fs/cgroup"))
}

/// The least limit of the groups in the text of `/proc/self/cgroup`, below this mount. In a container the mount may be the group
/// itself while the path is the host's, so what does not exist is passed over.
fn least(groups: &str, mount: &Path) -> Option<usize> {
    let limits = groups.lines().flat_map(|line| {
        // `hierarchy:controllers:path`; version 2 has no controllers.
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or_default(), parts.next());
        let (root, file) = match controllers {
            "" => (mount.to_path_buf(), "memory.max"),
            _ if controllers.split(',').any(|one| one == "memory") => {
                (mount.join("memory"), "memory.limit_in_bytes")
            }
            _ => return Vec::new(),
        };
        let path = Path::new(path.unwrap_or_default().trim_start_matches('/'));
        path.ancestors().filter_map(|group| limit(&root.join(group).join(file))).collect()
    });
    limits.min()
}

/// The limit in a file; none for `max`, and for the huge number that version 1 has in its place.
fn limit(file: &Path) -> Option<usize> {
    const NONE: usize = 1 << 62;
    let bytes: usize = read(file)?.trim().parse().ok()?;
    (bytes < NONE).then_some(bytes)
}

fn read(file: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(file).ok()?.take(limits::PROC_FILE as u64).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mount with these files.
    fn mount(files: &[(&str, &str)]) -> tempfile::TempDir {
        let mount = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = mount.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        mount
    }

    #[test]
    fn the_least_limit_of_a_group_and_its_parents_counts() {
        let two = mount(&[
            ("memory.max", "max\n"),
            ("pod/memory.max", "268435456\n"),
            ("pod/bot/memory.max", "536870912\n"),
        ]);
        assert_eq!(least("0::/pod/bot\n", two.path()), Some(268_435_456));
        assert_eq!(least("0::/\n", two.path()), None, "the root has none");
        let own = mount(&[("memory.max", "1000")]);
        assert_eq!(least("0::/\n", own.path()), Some(1000), "the mount is the container's group");
        assert_eq!(least("0::/of/the/host", own.path()), Some(1000));
        assert_eq!(least("0::/../other", own.path()), Some(1000));
    }

    #[test]
    fn version_1_has_a_hierarchy_for_memory() {
        let one = mount(&[
            ("memory/memory.limit_in_bytes", "9223372036854771712"),
            ("memory/bot/memory.limit_in_bytes", "64000000"),
        ]);
        let groups = "5:devices:/bot\n4:cpu,memory:/bot\n0::/\n";
        assert_eq!(least(groups, one.path()), Some(64_000_000));
        assert_eq!(least("4:memory:/", one.path()), None);
    }

    #[test]
    fn anything_else_is_no_limit() {
        let empty = mount(&[("memory.max", "much")]);
        for groups in ["", "nonsense", "0::", "4:memory", "a:b:c:d"] {
            assert_eq!(least(groups, empty.path()), None, "{groups}");
        }
    }
}
