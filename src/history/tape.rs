//! Scrapes kept side by side, and written series by series.
//!
//! OpenMetrics wants all samples of a family together, and those of a label set in the order of time, while scrapes come the other
//! way round. So the numbers are kept, eight bytes each, and the lines are made at the end, by the writer of every scrape.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::sync::Arc;

use engine::exposition::{self, Options, Writer};
use engine::model::{
    Family, FamilySnapshot, HistogramRow, Kind, LabelName, Labels, MetricName, Row, RowValue,
};
use engine::rules::pattern::Pattern;

use super::super::args::HistoryArgs;
use super::super::{Exit, Failure};

/// What is left out: this process's own memory and time are nobody's past.
const NOT_SIMULATED: &str = "process_";

/// All that was scraped.
pub(super) struct Tape {
    only: Vec<Pattern>,
    labels: Vec<(LabelName, Arc<str>)>,
    families: Vec<Kept>,
    by_name: HashMap<MetricName, usize>,
    /// The registers since the last scrape, at their highest.
    peaks: BTreeMap<MetricName, Peaks>,
    up: FamilySnapshot,
}

/// A family of registers, in the order they came.
struct Peaks {
    family: Arc<Family>,
    rows: Vec<Row>,
    by_labels: HashMap<Arc<Labels>, usize>,
}

/// A family over time.
struct Kept {
    family: Arc<Family>,
    series: Vec<Series>,
    by_labels: HashMap<Arc<Labels>, usize>,
}

/// A label set over time.
struct Series {
    labels: Arc<Labels>,
    /// The scrapes that showed it.
    scrapes: Vec<u32>,
    points: Points,
}

/// What they showed.
enum Points {
    /// One number each.
    Numbers(Vec<f64>),
    /// The counts of the buckets and the sum, one after the other.
    Buckets(Vec<f64>),
    /// Anything else as it is.
    Rows(Vec<RowValue>),
}

impl Tape {
    /// An empty tape.
    pub(super) fn new(flags: &HistoryArgs) -> Result<Self, Failure> {
        let fault = |error| Failure::new(Exit::Usage, format!("--only: {error}"));
        let only: Result<_, _> = flags.only.iter().map(|glob| Pattern::parse(glob)).collect();
        let labels = flags.label.iter();
        let labels = labels.map(|(name, value)| (LabelName::own(name), value.as_str().into()));
        let family = Arc::new(Family {
            name: MetricName::own("up"),
            help: "Whether the scrape was answered.".into(),
            unit: String::new(),
            kind: Kind::Gauge,
            labels: Vec::new(),
            bounds: Vec::new(),
        });
        let (start, born, value) = (None, None, RowValue::Gauge(1.0));
        let rows = vec![Row { labels: Arc::default(), start, born, value }];
        Ok(Self {
            only: only.map_err(fault)?,
            labels: labels.collect(),
            families: Vec::new(),
            by_name: HashMap::new(),
            peaks: BTreeMap::new(),
            up: FamilySnapshot { family, rows },
        })
    }

    /// Keeps a family, or a piece of it, as this scrape shows it.
    pub(super) fn keep(&mut self, piece: &FamilySnapshot, scrape: u32) {
        if is_register(&piece.family) {
            return self.glance(piece);
        }
        self.keep_rows(piece, scrape);
    }

    /// Looks at registers between two scrapes: they are shown for minutes only, and whoever scrapes that often takes their maximum
    /// later.
    pub(super) fn glance(&mut self, piece: &FamilySnapshot) {
        if !is_register(&piece.family) {
            return;
        }
        let new = || Peaks::new(&piece.family);
        let peaks = self.peaks.entry(piece.family.name.clone()).or_insert_with(new);
        piece.rows.iter().for_each(|row| peaks.rise(row));
    }

    /// Ends a scrape: the registers at their highest, and what Prometheus adds, that the target was there.
    pub(super) fn end(&mut self, scrape: u32) {
        let up = self.up.clone();
        self.keep_rows(&up, scrape);
        for Peaks { family, rows, .. } in std::mem::take(&mut self.peaks).into_values() {
            self.keep_rows(&FamilySnapshot { family, rows }, scrape);
        }
    }

    fn keep_rows(&mut self, piece: &FamilySnapshot, scrape: u32) {
        let name = &piece.family.name;
        let wanted = self.only.is_empty() || self.only.iter().any(|one| one.fits(name.as_str()));
        if !wanted || name.as_str().starts_with(NOT_SIMULATED) {
            return;
        }
        let at = *self.by_name.entry(name.clone()).or_insert_with(|| {
            let (series, by_labels) = (Vec::new(), HashMap::new());
            self.families.push(Kept { family: piece.family.clone(), series, by_labels });
            self.families.len() - 1
        });
        let Some(kept) = self.families.get_mut(at) else { return };
        piece.rows.iter().for_each(|row| kept.keep(row, scrape));
    }

    /// Label sets.
    pub(super) fn series(&self) -> usize {
        self.families.iter().map(|family| family.series.len()).sum()
    }

    /// Lines of the file but comments.
    pub(super) fn samples(&self) -> u64 {
        let series = self.families.iter().flat_map(|family| &family.series);
        series.map(Series::samples).sum()
    }

    /// Writes all of it; `at` tells the time of a scrape in seconds since 1970. Returns how many bytes it took.
    pub(super) fn write(&self, at: &impl Fn(u32) -> u64, out: &mut impl Write) -> io::Result<u64> {
        let format = exposition::format(Some("application/openmetrics-text;version=1.0.0"));
        let mut writer = Writer::new(format, Options::default());
        let (mut lines, mut stamped, mut total) = (Vec::new(), Vec::new(), 0);
        let mut flush = |lines: &mut Vec<u8>, stamp: &[u8]| {
            stamped.clear();
            stamp_lines(lines, stamp, &mut stamped);
            lines.clear();
            total += stamped.len() as u64;
            out.write_all(&stamped)
        };
        for kept in &self.families {
            for series in &kept.series {
                let labels = Arc::new(self.labelled(&series.labels));
                for (at_point, scrape) in series.scrapes.iter().enumerate() {
                    let Some(value) = series.points.get(at_point, &kept.family) else { continue };
                    let row = Row { labels: labels.clone(), start: None, born: None, value };
                    let piece = FamilySnapshot { family: kept.family.clone(), rows: vec![row] };
                    writer.piece(&piece, &mut lines);
                    flush(&mut lines, format!(" {}", at(*scrape)).as_bytes())?;
                }
            }
        }
        let written = writer.finish(&mut lines);
        debug_assert_eq!(written.quarantined, 0, "{written:?}");
        flush(&mut lines, b"")?;
        Ok(total)
    }

    /// The labels with those of the target, which win as they do in Prometheus.
    fn labelled(&self, labels: &Labels) -> Labels {
        let added = |name: &LabelName| self.labels.iter().any(|(own, _)| own == name);
        let own = labels.0.iter().map(|(name, value)| {
            let name = if added(name) {
                LabelName::own(&format!("exported_{}", name.as_str()))
            } else {
                name.clone()
            };
            (name, value.clone())
        });
        own.chain(self.labels.iter().cloned()).collect()
    }
}

impl Peaks {
    fn new(family: &Arc<Family>) -> Self {
        Self { family: family.clone(), rows: Vec::new(), by_labels: HashMap::new() }
    }

    fn rise(&mut self, row: &Row) {
        let at = *self.by_labels.entry(row.labels.clone()).or_insert_with(|| {
            self.rows.push(row.clone());
            self.rows.len() - 1
        });
        let peak = self.rows.get_mut(at).map(|peak| &mut peak.value);
        if let (Some(RowValue::Gauge(peak)), RowValue::Gauge(rank)) = (peak, &row.value) {
            *peak = peak.max(*rank);
        }
    }
}

impl Kept {
    fn keep(&mut self, row: &Row, scrape: u32) {
        let at = *self.by_labels.entry(row.labels.clone()).or_insert_with(|| {
            let points = Points::of(&row.value);
            let (labels, scrapes) = (row.labels.clone(), Vec::new());
            self.series.push(Series { labels, scrapes, points });
            self.series.len() - 1
        });
        let Some(series) = self.series.get_mut(at) else { return };
        series.scrapes.push(scrape);
        series.points.push(&row.value);
    }
}

impl Series {
    fn samples(&self) -> u64 {
        let numbers = match &self.points {
            Points::Numbers(numbers) => numbers.len(),
            // The buckets, the sum, and the count that they add up to.
            Points::Buckets(numbers) => numbers.len() + self.scrapes.len(),
            Points::Rows(rows) => rows.len(),
        };
        numbers as u64
    }
}

impl Points {
    const fn of(value: &RowValue) -> Self {
        match value {
            RowValue::Counter(..) | RowValue::Gauge(_) => Self::Numbers(Vec::new()),
            RowValue::Histogram(held) if held.bounds.is_none() => Self::Buckets(Vec::new()),
            _ => Self::Rows(Vec::new()),
        }
    }

    fn push(&mut self, value: &RowValue) {
        match (self, value) {
            (Self::Numbers(all), RowValue::Counter(number, _) | RowValue::Gauge(number)) => {
                all.push(*number);
            }
            (Self::Buckets(all), RowValue::Histogram(held)) => {
                all.extend_from_slice(&held.counts);
                all.push(held.sum.total());
            }
            (Self::Rows(all), value) => all.push(value.clone()),
            (Self::Numbers(all) | Self::Buckets(all), _) => all.push(f64::NAN),
        }
    }

    fn get(&self, at: usize, family: &Family) -> Option<RowValue> {
        match self {
            Self::Numbers(all) => all.get(at).map(|number| match family.kind {
                Kind::Counter => RowValue::Counter(*number, None),
                _ => RowValue::Gauge(*number),
            }),
            Self::Buckets(all) => {
                let width = family.bounds.len() + 2;
                let (sum, counts) = all.get(at * width..(at + 1) * width)?.split_last()?;
                Some(RowValue::Histogram(HistogramRow {
                    bounds: None,
                    counts: counts.into(),
                    sum: (*sum).into(),
                    exemplars: Box::default(),
                }))
            }
            Self::Rows(all) => all.get(at).cloned(),
        }
    }
}

fn is_register(family: &Family) -> bool {
    family.name.as_str().ends_with("_register") && family.kind == Kind::Gauge
}

/// Appends the lines with the stamp at the end of each sample.
fn stamp_lines(lines: &[u8], stamp: &[u8], out: &mut Vec<u8>) {
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(sample) if !sample.starts_with(b"#") => {
                out.extend_from_slice(sample);
                out.extend_from_slice(stamp);
                out.push(b'\n');
            }
            _ => out.extend_from_slice(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_get_their_time_and_comments_do_not() {
        let mut out = Vec::new();
        stamp_lines(b"# TYPE a counter\na_total{x=\"#\"} 1\n", b" 7", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "# TYPE a counter\na_total{x=\"#\"} 1 7\n");
    }
}
