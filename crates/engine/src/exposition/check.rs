//! What may not be written: names that clash, labels that break, numbers that lie.
//!
//! The rooms below are built so that none of this happens. When one of them fails, one row is
//! missing and the scrape lives.

use std::collections::HashSet;

use crate::limits;
use crate::model::claims::claimed;
use crate::model::escaping::is_classic_label;
use crate::model::{Escaping, Family, HistogramRow, Kind, Labels, NativeRow, Row, RowValue};

use super::shown::Shown;
use super::{labels, number};

/// Why a row or a whole family was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A family before it has the name, or one of the names its samples would have.
    #[error("another family has this name")]
    NameTaken,
    /// The metric name is none.
    #[error("the metric name is empty")]
    MetricName,
    /// Edges that don't rise, or that are not finite.
    #[error("the bucket edges do not rise")]
    Bounds,
    /// A label name is none.
    #[error("a label name is empty")]
    LabelName,
    /// A label name that the format or Prometheus needs for itself.
    #[error("a label name is reserved")]
    LabelReserved,
    /// One label name, two values. Different names may be the same to a scraper that reads no others.
    #[error("a label comes twice")]
    LabelTwice,
    /// A value of another kind than its family.
    #[error("the value is of another kind than its family")]
    Kind,
    /// Not one count for each edge and one above them.
    #[error("the histogram has a wrong number of buckets")]
    Buckets,
    /// A counter or bucket that is negative or no number.
    #[error("a count is negative or not a number")]
    Count,
    /// A native histogram whose schema, zero bucket or indexes can't be.
    #[error("the native buckets are none")]
    Native,
    /// A native histogram with more or fewer observations than are in its buckets.
    #[error("the native buckets do not add up to the count")]
    Total,
    /// Ranks that don't rise from 0 to 1.
    #[error("the quantiles do not rise from 0 to 1")]
    Quantiles,
}

/// Every name that the families so far use, those of their samples included.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Takes all names that a family claims, or none.
    pub(super) fn take(&mut self, shown: &Shown) -> Result<(), Fault> {
        let names = claimed(&shown.name, shown.family.kind);
        if names.iter().any(|name| self.0.contains(name)) {
            return Err(Fault::NameTaken);
        }
        self.0.extend(names);
        Ok(())
    }
}

/// What must hold for a family before any of it is written.
pub(super) fn family(family: &Family) -> Result<(), Fault> {
    if family.name.as_str().is_empty() {
        return Err(Fault::MetricName);
    }
    bounds(&family.bounds)
}

fn bounds(bounds: &[f64]) -> Result<(), Fault> {
    let rising = bounds.is_sorted_by(|low, high| low < high);
    let finite = bounds.iter().all(|bound| bound.is_finite());
    if rising && finite { Ok(()) } else { Err(Fault::Bounds) }
}

/// What must hold for one row of it.
pub(super) fn row(shown: &Shown, row: &Row) -> Result<(), Fault> {
    let family = &*shown.family;
    label_set(family.kind, &row.labels, shown.scheme)?;
    match (family.kind, &row.value) {
        (Kind::Counter, RowValue::Counter(total, _)) => count(*total),
        (Kind::Gauge | Kind::Unknown | Kind::Info, RowValue::Gauge(_)) => Ok(()),
        (Kind::Histogram, RowValue::Histogram(held)) => histogram(family, held),
        (Kind::Histogram, RowValue::Native(held)) => {
            native(held)?;
            held.classic.iter().try_for_each(|twin| {
                histogram(family, twin)?;
                adds_up(twin.counts.iter().sum(), held)
            })
        }
        (Kind::Summary, RowValue::Summary(held)) => {
            let ranks = || held.quantiles.iter().map(|(rank, _)| rank);
            let sound = ranks().all(|rank| (0.0..=1.0).contains(rank));
            let rising = ranks().is_sorted_by(|low, high| low < high);
            if sound && rising { Ok(()) } else { Err(Fault::Quantiles) }
        }
        _ => Err(Fault::Kind),
    }
}

fn histogram(family: &Family, held: &HistogramRow) -> Result<(), Fault> {
    held.bounds.iter().try_for_each(|own| bounds(own))?;
    if held.counts.len() != held.edges(family).len() + 1 {
        return Err(Fault::Buckets);
    }
    held.counts.iter().copied().try_for_each(count)
}

fn native(held: &NativeRow) -> Result<(), Fault> {
    if !(-4..=8).contains(&held.schema) || !held.zero_threshold.is_finite() {
        return Err(Fault::Native);
    }
    count(held.zero_threshold).map_err(|_| Fault::Native)?;
    for side in [&held.positive, &held.negative] {
        let near = |(index, _): &(i32, f64)| index.unsigned_abs() <= limits::NATIVE_INDEX;
        if !side.is_sorted_by(|low, high| low.0 < high.0) || !side.iter().all(near) {
            return Err(Fault::Native);
        }
    }
    let buckets = || held.positive.iter().chain(&held.negative).map(|(_, count)| *count);
    buckets().chain([held.zero_count, held.count]).try_for_each(count)?;
    adds_up(buckets().sum::<f64>() + held.zero_count, held)
}

/// A server refuses the body when buckets and count differ. Classic buckets beside native ones that differ would have to be whole where
/// the others are not: readers know no such thing.
fn adds_up(total: f64, held: &NativeRow) -> Result<(), Fault> {
    let exact = number::is_whole(total) && number::is_whole(held.count);
    let slack = if exact { 0.0 } else { held.count * 1e-9 };
    if (total - held.count).abs() <= slack { Ok(()) } else { Err(Fault::Total) }
}

fn label_set(kind: Kind, labels: &Labels, scheme: Escaping) -> Result<(), Fault> {
    if labels::common(labels).is_some() {
        return Ok(());
    }
    let names = || labels.0.iter().map(|(name, _)| name.as_str());
    if scheme == Escaping::AllowUtf8 || names().all(is_classic_label) {
        return distinct(kind, names());
    }
    let shown: Vec<_> = names().map(|name| scheme.label(name)).collect();
    distinct(kind, shown.iter().map(|name| &**name))
}

fn distinct<'a>(kind: Kind, names: impl Iterator<Item = &'a str> + Clone) -> Result<(), Fault> {
    let own = match kind {
        Kind::Histogram => Some("le"),
        Kind::Summary => Some("quantile"),
        Kind::Counter | Kind::Gauge | Kind::Unknown | Kind::Info => None,
    };
    for (at, name) in names.clone().enumerate() {
        if name.is_empty() {
            return Err(Fault::LabelName);
        }
        if name == "__name__" || Some(name) == own {
            return Err(Fault::LabelReserved);
        }
        if names.clone().take(at).any(|before| before == name) {
            return Err(Fault::LabelTwice);
        }
    }
    Ok(())
}

fn count(value: f64) -> Result<(), Fault> {
    if value >= 0.0 { Ok(()) } else { Err(Fault::Count) } // false for NaN
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{LabelName, MetricName, SummaryRow};

    fn row(family: &Family, row: &Row) -> Result<(), Fault> {
        super::row(&Shown::new(&Arc::new(family.clone()), Escaping::Underscores), row)
    }

    fn of(kind: Kind, bounds: &[f64]) -> Family {
        Family {
            name: MetricName::new("a").unwrap(),
            help: String::new(),
            unit: String::new(),
            kind,
            labels: Vec::new(),
            bounds: bounds.into(),
        }
    }

    fn with(labels: &[&str], value: RowValue) -> Row {
        let labels = labels.iter().map(|name| (LabelName::foreign(name).unwrap(), "x".into()));
        Row { labels: Arc::new(labels.collect()), start: None, born: None, value }
    }

    fn histogram(counts: &[f64]) -> RowValue {
        RowValue::Histogram(HistogramRow { counts: counts.into(), ..Default::default() })
    }

    #[test]
    fn names_are_taken_whole_or_not_at_all() {
        let mut names = Names::default();
        let mut take = |name, kind| {
            let family = Family { name: MetricName::own(name), ..of(kind, &[]) };
            names.take(&Shown::new(&Arc::new(family), Escaping::Underscores))
        };
        assert_eq!(take("a_sum", Kind::Gauge), Ok(()));
        assert_eq!(take("a", Kind::Histogram), Err(Fault::NameTaken));
        assert_eq!(take("a", Kind::Gauge), Ok(()));
    }

    #[test]
    fn edges_must_rise_and_be_finite() {
        assert_eq!(family(&of(Kind::Histogram, &[-1.0, 0.0, 2.5])), Ok(()));
        for bad in [&[1.0, 1.0][..], &[2.0, 1.0], &[f64::NAN], &[1.0, f64::NAN], &[f64::INFINITY]] {
            assert_eq!(family(&of(Kind::Histogram, bad)), Err(Fault::Bounds), "{bad:?}");
        }
    }

    #[test]
    fn labels_must_be_distinct_and_free() {
        let gauge = || RowValue::Gauge(f64::NAN);
        let of_gauge = |labels: &[&str]| row(&of(Kind::Gauge, &[]), &with(labels, gauge()));
        assert_eq!(of_gauge(&[]), Ok(()));
        assert_eq!(of_gauge(&["a", "b", "le"]), Ok(()));
        assert_eq!(of_gauge(&["a", "b", "a"]), Err(Fault::LabelTwice));
        assert_eq!(of_gauge(&["__name__"]), Err(Fault::LabelReserved));
        assert_eq!(of_gauge(&["__x__", "a.c", "a_b"]), Ok(()));
        assert_eq!(of_gauge(&["a.b", "a_b"]), Err(Fault::LabelTwice), "to this scraper");
        let readable = with(&["a.b", "a_b"], gauge());
        let family = Arc::new(of(Kind::Gauge, &[]));
        assert_eq!(super::row(&Shown::new(&family, Escaping::AllowUtf8), &readable), Ok(()));
        let rank = with(&["quantile"], RowValue::Summary(SummaryRow::default()));
        assert_eq!(row(&of(Kind::Summary, &[]), &rank), Err(Fault::LabelReserved));
        let le = with(&["le"], histogram(&[0.0]));
        assert_eq!(row(&of(Kind::Histogram, &[]), &le), Err(Fault::LabelReserved));
    }

    #[test]
    fn values_must_be_of_the_kind_and_count_upwards() {
        let counter =
            |total| row(&of(Kind::Counter, &[]), &with(&[], RowValue::Counter(total, None)));
        assert_eq!(counter(0.5), Ok(()));
        assert_eq!(counter(-0.5), Err(Fault::Count));
        assert_eq!(counter(f64::NAN), Err(Fault::Count));
        let buckets =
            |counts: &[f64]| row(&of(Kind::Histogram, &[1.0]), &with(&[], histogram(counts)));
        assert_eq!(buckets(&[0.0, 1.0]), Ok(()));
        assert_eq!(buckets(&[0.0]), Err(Fault::Buckets));
        assert_eq!(buckets(&[0.0, 1.0, 2.0]), Err(Fault::Buckets));
        assert_eq!(buckets(&[0.0, -1.0]), Err(Fault::Count));
        assert_eq!(buckets(&[f64::NAN, 1.0]), Err(Fault::Count));
        let wrong = row(&of(Kind::Counter, &[]), &with(&[], RowValue::Gauge(1.0)));
        assert_eq!(wrong, Err(Fault::Kind));
    }

    #[test]
    fn native_buckets_must_add_up() {
        let of_native = |change: fn(&mut NativeRow)| {
            let mut held = NativeRow {
                zero_count: 1.0,
                positive: [(-1, 2.0), (3, 0.5)].into(),
                negative: [(0, 1.0)].into(),
                count: 4.5,
                ..NativeRow::default()
            };
            change(&mut held);
            row(&of(Kind::Histogram, &[1.0]), &with(&[], RowValue::Native(Box::new(held))))
        };
        assert_eq!(of_native(|_| {}), Ok(()));
        assert_eq!(of_native(|held| held.count = 5.0), Err(Fault::Total));
        assert_eq!(of_native(|held| held.count = 4.0), Err(Fault::Total));
        assert_eq!(of_native(|held| held.schema = 9), Err(Fault::Native));
        assert_eq!(of_native(|held| held.schema = -5), Err(Fault::Native));
        assert_eq!(of_native(|held| held.zero_threshold = -1.0), Err(Fault::Native));
        assert_eq!(of_native(|held| held.zero_threshold = f64::NAN), Err(Fault::Native));
        assert_eq!(
            of_native(|held| held.positive = [(1, 2.0), (1, 1.0)].into()),
            Err(Fault::Native)
        );
        assert_eq!(of_native(|held| held.negative = [(i32::MIN, 1.0)].into()), Err(Fault::Native));
        assert_eq!(of_native(|held| held.negative = [(0, -1.0)].into()), Err(Fault::Count));
        assert_eq!(
            of_native(|held| held.classic = Some(HistogramRow::default())),
            Err(Fault::Buckets)
        );
        fn twin(counts: [f64; 2]) -> Option<HistogramRow> {
            Some(HistogramRow { counts: counts.into(), ..HistogramRow::default() })
        }
        assert_eq!(of_native(|held| held.classic = twin([4.0, 0.5])), Ok(()));
        assert_eq!(of_native(|held| held.classic = twin([4.0, 1.5])), Err(Fault::Total));
    }

    #[test]
    fn ranks_must_rise() {
        let of_ranks = |ranks: &[f64]| {
            let quantiles = ranks.iter().map(|rank| (*rank, f64::NAN)).collect();
            let held = SummaryRow { quantiles, ..SummaryRow::default() };
            row(&of(Kind::Summary, &[]), &with(&[], RowValue::Summary(held)))
        };
        assert_eq!(of_ranks(&[]), Ok(()));
        assert_eq!(of_ranks(&[0.0, 0.5, 1.0]), Ok(()));
        for bad in [&[0.5, 0.5][..], &[0.9, 0.5], &[1.1], &[-0.1], &[f64::NAN]] {
            assert_eq!(of_ranks(bad), Err(Fault::Quantiles), "{bad:?}");
        }
    }
}
