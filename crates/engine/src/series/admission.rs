//! What happens before a new label set: limits fold its open-ended values, and its declared neighbours come with it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Declaration, Dimension, LabelName, Labels, OTHER};

/// The different values of each label, shared by the series that have them.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<HashMap<Arc<str>, usize, foldhash::fast::RandomState>>);

impl Values {
    pub(super) fn new(labels: usize) -> Self {
        Self((0..labels).map(|_| HashMap::default()).collect())
    }

    /// The one copy of a value of the label at this position, counted as used once more.
    pub(super) fn intern(&mut self, position: usize, value: &str) -> Arc<str> {
        let Some(values) = self.0.get_mut(position) else { return value.into() };
        if let Some((held, _)) = values.get_key_value(value) {
            let held = held.clone();
            values.entry(held.clone()).and_modify(|uses| *uses += 1);
            return held;
        }
        let held: Arc<str> = value.into();
        values.insert(held.clone(), 1);
        held
    }

    /// Gives the values of a forgotten series back.
    pub(super) fn release(&mut self, names: &[LabelName], labels: &Labels) {
        for (name, value) in &labels.0 {
            let position = names.iter().position(|one| one == name);
            let Some(values) = position.and_then(|at| self.0.get_mut(at)) else { continue };
            if let Some(uses) = values.get_mut(value) {
                *uses -= 1;
                if *uses == 0 {
                    values.remove(value);
                }
            }
        }
    }

    /// Gives memory back that nobody uses.
    pub(super) fn shrink(&mut self) {
        self.0.iter_mut().for_each(HashMap::shrink_to_fit);
    }

    /// The label set with values beyond their label's limit as `other`; borrowed when none is.
    pub(super) fn fold_over_limit<'s, 'l>(
        &self,
        shape: &[Dimension],
        labels: &'l [&'s str],
    ) -> Cow<'l, [&'s str]> {
        let mut folded = Cow::Borrowed(labels);
        for (at, (dimension, value)) in shape.iter().zip(labels).enumerate() {
            let Dimension::Open { limit: Some(limit), default } = dimension else { continue };
            let Some(values) = self.0.get(at) else { continue };
            let is_free = |value: &str| value == OTHER || Some(value) == default.as_deref();
            if value.is_empty() || is_free(value) || values.contains_key(*value) {
                continue;
            }
            let free = [Some(OTHER), default.as_deref().filter(|one| *one != OTHER)];
            let uncounted = free.iter().flatten().filter(|one| values.contains_key(**one)).count();
            if values.len() - uncounted >= *limit
                && let Some(slot) = folded.to_mut().get_mut(at)
            {
                *slot = OTHER;
            }
        }
        folded
    }
}

/// The label set with every open-ended value as `other`.
pub(super) fn fold_all<'s>(shape: &[Dimension], labels: &[&'s str]) -> Vec<&'s str> {
    let fold = |(dimension, value): (&Dimension, &&'s str)| match dimension {
        Dimension::Open { .. } => OTHER,
        Dimension::Absent | Dimension::Declared(_) => *value,
    };
    shape.iter().zip(labels).map(fold).collect()
}

/// All label sets that come together with this one: for each shape with the same open-ended labels every combination of
/// declared values, and the set itself when it is none of these.
pub(super) fn neighbours<'s>(
    shapes: &'s [Vec<Dimension>],
    shape: &[Dimension],
    labels: &[&'s str],
) -> Vec<Vec<&'s str>> {
    let is_open = |dimension: &Dimension| matches!(dimension, Dimension::Open { .. });
    let alike = |other: &&Vec<Dimension>| other.iter().map(is_open).eq(shape.iter().map(is_open));
    let mut sets: Vec<Vec<&str>> = Vec::new();
    for shape in shapes.iter().filter(alike) {
        for set in combinations(shape, labels) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    if !sets.iter().any(|set| set == labels) {
        sets.push(labels.to_vec());
    }
    sets
}

/// The label sets that take what there is no room for: every open-ended value is `other`.
pub(super) fn overflow_sets(declaration: &Declaration) -> Vec<Vec<&str>> {
    let shapes = &declaration.shapes;
    let mut all: Vec<Vec<&str>> = Vec::new();
    for shape in shapes.iter().filter(|shape| Declaration::is_open(shape)) {
        let first: Vec<&str> = shape.iter().map(Dimension::first).collect();
        for set in neighbours(shapes, shape, &fold_all(shape, &first)) {
            if !all.contains(&set) {
                all.push(set);
            }
        }
    }
    all
}

fn combinations<'s>(shape: &'s [Dimension], labels: &[&'s str]) -> Vec<Vec<&'s str>> {
    let mut sets = vec![Vec::with_capacity(shape.len())];
    for (dimension, value) in shape.iter().zip(labels) {
        let values: Vec<&str> = match dimension {
            Dimension::Absent => vec![""],
            Dimension::Open { .. } => vec![value],
            Dimension::Declared(values) if values.is_empty() => vec![""],
            Dimension::Declared(values) => values.iter().map(|value| &**value).collect(),
        };
        let longer = |set: &Vec<&'s str>| {
            let set = set.clone();
            values
                .iter()
                .map(move |value| set.iter().copied().chain([*value]).collect())
                .collect::<Vec<_>>()
        };
        sets = sets.iter().flat_map(longer).collect();
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(limit: usize) -> Dimension {
        Dimension::Open { limit: Some(limit), default: Some("none".into()) }
    }

    #[test]
    fn declared_values_multiply_and_open_ones_stay() {
        let declared = Dimension::Declared(vec!["ok".into(), "error".into()]);
        let shapes = vec![vec![declared, open(9), Dimension::Absent]];
        let sets = neighbours(&shapes, &shapes[0], &["ok", "jenkins", ""]);
        assert_eq!(sets, [["ok", "jenkins", ""], ["error", "jenkins", ""]]);
        let sets = neighbours(&shapes, &shapes[0], &["other", "jenkins", ""]);
        assert_eq!(sets.len(), 3, "and the set itself");
    }

    #[test]
    fn a_label_folds_past_its_limit_and_its_default_never() {
        let mut values = Values::new(1);
        for value in ["none", "other", "a", "b"] {
            values.intern(0, value);
        }
        let shape = [open(2)];
        assert_eq!(&*values.fold_over_limit(&shape, &["a"]), ["a"]);
        assert_eq!(&*values.fold_over_limit(&shape, &["c"]), ["other"]);
        assert_eq!(&*values.fold_over_limit(&shape, &["none"]), ["none"]);
        assert_eq!(&*values.fold_over_limit(&shape, &[""]), [""]);
        let labels = Labels::from_iter([(LabelName::own("x"), Arc::from("b"))]);
        values.release(&[LabelName::own("x")], &labels);
        assert_eq!(&*values.fold_over_limit(&shape, &["c"]), ["c"], "a forgotten value makes room");
    }
}
