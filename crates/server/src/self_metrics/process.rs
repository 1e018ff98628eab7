//! What the kernel says of this process, by the names every Prometheus client uses. Without `/proc`
//! there is nothing to say, and what one file lacks is left out alone.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use engine::limits;

/// Reads `/proc` when it is asked.
#[derive(Debug)]
pub(super) struct Process {
    /// Seconds since the epoch at which the machine began; it never changes, and the file that has
    /// it is long.
    boot: Option<u64>,
}

/// The fields of `/proc/self/stat` that we show, in the kernel's units (proc_pid_stat(5)).
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Process {
    pub(super) fn new() -> Self {
        Self { boot: read("/proc/stat").as_deref().and_then(boot) }
    }

    fn stat(&self, encoder: &mut DescriptorEncoder<'_>, stat: &Stat) -> fmt::Result {
        let ticks = clock_ticks_per_second().max(1) as f64;
        let cpu = ConstCounter::new(stat.cpu_ticks as f64 / ticks);
        one(encoder, "cpu", "Processor time used.", Some(Unit::Seconds), cpu)?;
        if let Some(boot) = self.boot {
            let start = ConstGauge::new(boot as f64 + stat.start_ticks as f64 / ticks);
            one(encoder, "start_time", "When the process began.", Some(Unit::Seconds), start)?;
        }
        let resident = ConstGauge::new(stat.resident_pages as f64 * page_size() as f64);
        one(encoder, "resident_memory", "Memory in use.", Some(Unit::Bytes), resident)?;
        let reserved = ConstGauge::new(stat.virtual_bytes as f64);
        one(encoder, "virtual_memory", "Addresses in use.", Some(Unit::Bytes), reserved)?;
        one(encoder, "threads", "Threads.", None, ConstGauge::new(stat.threads as f64))
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(stat) = read("/proc/self/stat").as_deref().and_then(parse) {
            self.stat(&mut encoder, &stat)?;
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            let open = entries.count().saturating_sub(1); // one is this listing
            one(&mut encoder, "open_fds", "Open files.", None, ConstGauge::new(open as f64))?;
            if let Some(most) = getrlimit(Resource::Nofile).current {
                let most = ConstGauge::new(most as f64);
                one(&mut encoder, "max_fds", "Files that may be open.", None, most)?;
            }
        }
        Ok(())
    }
}

/// Bytes the process has in memory; none where nobody tells.
pub fn resident() -> Option<usize> {
    let stat = read("/proc/self/stat").as_deref().and_then(parse)?;
    usize::try_from(stat.resident_pages).ok()?.checked_mul(page_size())
}

fn one<M: EncodeMetric + TypedMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    metric: M,
) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, help, unit.as_ref(), M::TYPE)?)
}

fn read(path: &str) -> Option<String> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(limits::PROC_FILE as u64).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The command's name, which may hold anything, ends at the last parenthesis; the fields after it
/// are counted from 3.
fn parse(stat: &str) -> Option<Stat> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        cpu_ticks: field(14)?.checked_add(field(15)?)?,
        threads: field(20)?,
        start_ticks: field(22)?,
        virtual_bytes: field(23)?,
        resident_pages: field(24)?,
    })
}

fn boot(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_command_name_changes_nothing() {
        let fields = "S 1 2 3 0 -1 4194304 9 8 7 6 250 50 4 3 20 0 11 0 98765 4096000 321 0";
        let expected = Stat {
            cpu_ticks: 300,
            threads: 11,
            start_ticks: 98765,
            virtual_bytes: 4_096_000,
            resident_pages: 321,
        };
        assert_eq!(parse(&format!("42 (a) b ( c)) {fields}\n")), Some(expected));
    }

    #[test]
    fn short_or_strange_files_say_nothing() {
        for text in
            ["", "42 (a", "42 (a) S 1 2", "42 (a) S x x x x x x x x x x x x x x x x x x x x x x"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(boot("cpu 1 2\nbtime 1700000000\nprocesses 3\n"), Some(1_700_000_000));
        assert_eq!(boot("cpu 1 2\n"), None);
        assert_eq!(read("/proc/self/no-such-file"), None);
    }
}
