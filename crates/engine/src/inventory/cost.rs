//! What labels cost: how many label sets each metric has now, and how many it would have without one of its labels.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::limits;
use crate::model::Labels;
use crate::series::FamilyCount;

use super::told::{Inventory, LabelCost, MetricCost};
use crate::runtime::Engine;

/// Tells it of all metrics there are.
pub(super) fn tell(engine: &Engine, told: &mut Inventory) {
    let budget = engine.store.budget();
    let limit = budget.per_metric() as u64;
    let declared = engine.store.label_sets().map(|(count, sets)| (count, sets, false));
    let passed = engine.passed.families().into_iter().map(|family| {
        let pieces = family.copies(false);
        let sets = pieces.flat_map(|piece| piece.rows).map(|row| row.labels).collect();
        let (name, series) = (family.family().name.as_str().to_owned(), family.count());
        (FamilyCount { name, series, overflow: 0 }, sets, true)
    });
    let mut metrics: Vec<MetricCost> = declared
        .chain(passed)
        .map(|(count, sets, passed)| MetricCost {
            passed,
            limit,
            folded: count.overflow,
            label_sets: count.series as u64,
            labels: labels(&sets),
            name: count.name,
        })
        .collect();
    metrics.sort_by(|one, other| {
        other.label_sets.cmp(&one.label_sets).then_with(|| one.name.cmp(&other.name))
    });
    told.label_sets = metrics.iter().map(|metric| metric.label_sets).sum();
    told.label_sets_limit = budget.limit() as u64;
    told.metrics_left_out = metrics.len().saturating_sub(limits::INVENTORY_METRICS) as u64;
    metrics.truncate(limits::INVENTORY_METRICS);
    told.metrics = metrics;
}

/// The labels of some label sets. A label set is as good as the sum of its pairs' hashes, so that one without a label is the sum
/// without that one.
fn labels(sets: &[Arc<Labels>]) -> Vec<LabelCost> {
    let hasher = RandomState::default();
    let hash = |name: &str, value: &str| {
        let mut hasher = hasher.build_hasher();
        for text in [name, value] {
            hasher.write(text.as_bytes());
            hasher.write_u8(0xff); // no UTF-8 text has it
        }
        hasher.finish()
    };
    let mut values: HashMap<&str, HashSet<&str, RandomState>, RandomState> = HashMap::default();
    let mut sums = Vec::with_capacity(sets.len());
    for set in sets {
        let mut sum = 0_u64;
        for (name, value) in &set.0 {
            values.entry(name.as_str()).or_default().insert(value);
            sum = sum.wrapping_add(hash(name.as_str(), value));
        }
        sums.push(sum);
    }
    let named: BTreeMap<&str, usize> =
        values.into_iter().map(|(name, values)| (name, values.len())).collect();
    let mut named: Vec<(&str, usize)> = named.into_iter().collect();
    named.sort_by_key(|(_, values)| usize::MAX - values);
    named.truncate(limits::INVENTORY_LABELS);
    let cost = |(name, values): (&str, usize)| {
        let without = sets.iter().zip(&sums).map(|(set, sum)| {
            let pair = set.0.iter().find(|(other, _)| other.as_str() == name);
            sum.wrapping_sub(pair.map_or(0, |(_, value)| hash(name, value)))
        });
        let without: HashSet<u64, RandomState> = without.collect();
        LabelCost { name: name.to_owned(), values: values as u64, without: without.len() as u64 }
    };
    named.into_iter().map(cost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LabelName;

    #[test]
    fn a_label_costs_what_there_would_be_fewer_without_it() {
        let set = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (LabelName::own(name), (*value).into()));
            Arc::new(pairs.collect::<Labels>())
        };
        let mut sets = Vec::new();
        for model in ["a", "b", "c"] {
            for kind in ["in", "out"] {
                sets.push(set(&[("model", model), ("vendor", "one"), ("kind", kind)]));
            }
        }
        sets.push(set(&[("vendor", "two")]));
        let told = |name: &str, values, without| LabelCost { name: name.into(), values, without };
        let expected = [told("model", 3, 3), told("kind", 2, 4), told("vendor", 2, 7)];
        assert_eq!(labels(&sets), expected);
        assert!(labels(&[]).is_empty());
    }
}
