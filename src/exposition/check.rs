//! What may not be written: names that clash, labels that break, numbers that lie.
//!
//! The rooms below are built so that none of this happens. When one of them fails, one row is
//! missing and the scrape lives.

use std::collections::HashSet;

use crate::model::{Family, Kind, Labels, Row, RowValue};

/// Why a row or a whole family was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A family before it has the name, or one of the names its samples would have.
    #[error("another family has this name")]
    NameTaken,
    /// The metric name is none.
    #[error("the metric name breaks the grammar")]
    MetricName,
    /// Edges that don't rise, or that are not finite.
    #[error("the bucket edges do not rise")]
    Bounds,
    /// A label name is none.
    #[error("a label name breaks the grammar")]
    LabelName,
    /// A label name that the format or Prometheus needs for itself.
    #[error("a label name is reserved")]
    LabelReserved,
    /// One label name, two values.
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
}

/// Every name that the families so far use, those of their samples included.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Takes all `names` or none.
    pub(super) fn take(&mut self, names: Vec<String>) -> Result<(), Fault> {
        if names.iter().any(|name| self.0.contains(name)) {
            return Err(Fault::NameTaken);
        }
        self.0.extend(names);
        Ok(())
    }
}

/// What must hold for a family before any of it is written.
pub(super) fn family(family: &Family) -> Result<(), Fault> {
    if !classic(family.name.as_str(), true) {
        return Err(Fault::MetricName);
    }
    let rising = family.bounds.is_sorted_by(|low, high| low < high);
    if rising && family.bounds.iter().all(|bound| bound.is_finite()) {
        Ok(())
    } else {
        Err(Fault::Bounds)
    }
}

/// What must hold for one row of it.
pub(super) fn row(family: &Family, row: &Row) -> Result<(), Fault> {
    labels(family.kind, &row.labels)?;
    match (family.kind, &row.value) {
        (Kind::Counter, RowValue::Counter(total, _)) => count(*total),
        (Kind::Gauge, RowValue::Gauge(_)) => Ok(()),
        (Kind::Histogram, RowValue::Histogram(held)) => {
            if held.counts.len() != family.bounds.len() + 1 {
                return Err(Fault::Buckets);
            }
            held.counts.iter().copied().try_for_each(count)
        }
        _ => Err(Fault::Kind),
    }
}

fn labels(kind: Kind, labels: &Labels) -> Result<(), Fault> {
    for (at, (name, _)) in labels.0.iter().enumerate() {
        let text = name.as_str();
        if !classic(text, false) {
            return Err(Fault::LabelName);
        }
        if text.starts_with("__") || (kind == Kind::Histogram && text == "le") {
            return Err(Fault::LabelReserved);
        }
        if labels.0.iter().take(at).any(|(before, _)| before == name) {
            return Err(Fault::LabelTwice);
        }
    }
    Ok(())
}

fn count(value: f64) -> Result<(), Fault> {
    if value >= 0.0 { Ok(()) } else { Err(Fault::Count) } // false for NaN
}

/// Whether a name fits the grammar that every reader knows; only metric names may have colons.
fn classic(name: &str, colon: bool) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || (colon && byte == b':'))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{HistogramRow, LabelName, MetricName};

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
        let labels = labels.iter().map(|name| (LabelName::own(name), "x".into())).collect();
        Row { labels: Arc::new(Labels(labels)), start: None, value }
    }

    fn histogram(counts: &[f64]) -> RowValue {
        RowValue::Histogram(HistogramRow { counts: counts.into(), ..Default::default() })
    }

    #[test]
    fn names_are_taken_whole_or_not_at_all() {
        let mut names = Names::default();
        assert_eq!(names.take(vec!["a".into(), "a_sum".into()]), Ok(()));
        assert_eq!(names.take(vec!["b".into(), "a_sum".into()]), Err(Fault::NameTaken));
        assert_eq!(names.take(vec!["b".into()]), Ok(()));
    }

    #[test]
    fn grammar() {
        assert!(classic("a:b_9", true) && classic("_", false));
        for bad in ["", "9", "a b", "a.b", "\u{e9}", "a\"", "a\n", "a{"] {
            assert!(!classic(bad, true), "{bad:?}");
        }
        assert!(!classic("a:b", false));
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
}
