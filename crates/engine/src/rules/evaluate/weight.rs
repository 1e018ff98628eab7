//! Which sampling weights are accepted.
//!
//! A weight comes in a span's `tracestate`, and so from whoever called the bot. One over the highest weight that is accepted of a
//! record counts as 1: it is wrong by an unknown factor, and a lower one would be as wrong.

use super::{Evaluation, Holds};
use crate::rules::definition::From;
use crate::rules::rule::Rule;
use crate::rules::subject::Subject;
use crate::rules::update::{IgnoredWeight, WeightBound};

impl<'a> Evaluation<'a> {
    /// The weight of a record that a rule takes, and what was ignored for it to be 1.
    #[inline]
    pub(in crate::rules) fn accepted(
        &mut self,
        rule: &'a Rule,
        subject: Subject<'_, 'a>,
        weight: f64,
    ) -> (f64, Option<IgnoredWeight>) {
        if weight <= self.rules.weights.least || !rule.weighted {
            return (weight, None);
        }
        match self.bound(&rule.from, subject) {
            Some(bound) if weight > bound.most => {
                (1.0, Some(IgnoredWeight { bound, item: self.item, weight }))
            }
            _ => (weight, None),
        }
    }

    /// The highest weight that is accepted of a record which is one of these: the lowest on its way through record classes, of
    /// equal ones that of the class it was made from.
    fn bound(&mut self, from: &'a [From], subject: Subject<'_, 'a>) -> Option<WeightBound> {
        let rules = self.rules;
        from.iter().find_map(|one| match one {
            From::Source(source) => (*source == subject.source())
                .then_some(WeightBound { most: rules.weights.most, class: None }),
            From::Record(at) => {
                let Holds::Yes(_) = self.class(*at, subject) else { return None };
                let class = rules.classes.get(*at)?;
                let inner = self.bound(&class.from, subject)?;
                let own = class.most.filter(|most| *most < inner.most);
                Some(own.map_or(inner, |most| WeightBound { most, class: u32::try_from(*at).ok() }))
            }
        })
    }

    /// Notes an ignored weight, once for each bound of a record however many rules take it.
    #[cold]
    pub(super) fn ignore(&mut self, ignored: IgnoredWeight) {
        let known = self.updates.ignored_weights.get(self.ignored..).unwrap_or_default();
        if !known.iter().any(|one| one.bound.class == ignored.bound.class) {
            self.updates.ignored_weights.push(ignored);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{counter, hash_key};
    use crate::rules::definition::{Definitions, From, MetricKind, RecordClass, Source};
    use crate::rules::{Evaluation, IgnoredWeight, RuleSet, Scratch, Skip, SkipReason, Subject};
    use crate::timestamp::Timestamp;
    use crate::view::Span;

    fn class(name: &str, from: From, most: Option<f64>) -> RecordClass {
        let (name, from) = (name.to_owned(), vec![from]);
        RecordClass { name, from, condition: Default::default(), unique: Vec::new(), most }
    }

    /// A counter of each of these: spans, and records of a class and of one made from it.
    fn definitions(most: Option<f64>, (inner, outer): (Option<f64>, Option<f64>)) -> Definitions {
        let records = vec![
            class("outer", From::Record(1), outer),
            class("inner", From::Source(Source::Span), inner),
        ];
        let of = |from| {
            let mut metric = counter(Source::Span, Vec::new());
            metric.from = vec![from];
            metric
        };
        let metrics = [From::Source(Source::Span), From::Record(1), From::Record(0)].map(of);
        Definitions { records, metrics: metrics.into(), most, ..Definitions::default() }
    }

    type Made = (Vec<f64>, Vec<Skip>, Vec<IgnoredWeight>);

    /// What one span of this weight adds to each metric, and what is ignored.
    fn weighed(definitions: &Definitions, weight: f64) -> Made {
        let rules = RuleSet::new(definitions, &hash_key());
        let mut evaluation = Evaluation::new(&rules, (8, Timestamp(5)), Scratch::default());
        evaluation.record(Subject::Span(&Span::default()), 0, weight);
        let updates = evaluation.updates;
        let amounts = updates.list.iter().map(|update| match update.op {
            crate::model::Op::Add(amount) => amount,
            op => panic!("{op:?}"),
        });
        (amounts.collect(), updates.skips, updates.ignored_weights)
    }

    #[test]
    fn the_lowest_most_on_the_way_to_a_record_holds() {
        for (most, classes, weight, expected) in [
            (None, (None, None), 1e6, [1e6; 3]),
            (None, (None, None), 1e6 + 1.0, [1.0; 3]),
            (None, (None, None), 72_057_594_037_927_936.0, [1.0; 3]),
            (Some(1e9), (None, None), 1e9, [1e9; 3]),
            (Some(100.0), (None, None), 100.0, [100.0; 3]),
            (Some(100.0), (None, None), 100.000096, [1.0; 3]),
            (None, (Some(1.0), None), 1.5, [1.5, 1.0, 1.0]),
            (None, (None, Some(1.0)), 1.5, [1.5, 1.5, 1.0]),
            (None, (Some(1.0), Some(9.0)), 1.5, [1.5, 1.0, 1.0]),
            (Some(2.0), (Some(9.0), Some(1.0)), 4.0, [1.0; 3]),
            (Some(1.0), (Some(9.0), None), 1.0, [1.0; 3]),
        ] {
            let (amounts, skips, _) = weighed(&definitions(most, classes), weight);
            assert_eq!(amounts, expected, "{weight} with {most:?} {classes:?}");
            let ignored = (0_u32..).zip(expected).filter(|(_, one)| *one != weight);
            let ignored: Vec<u32> = ignored.map(|(family, _)| family).collect();
            let families: Vec<u32> = skips.iter().map(|skip| skip.family).collect();
            assert_eq!(families, ignored, "{weight} with {most:?} {classes:?}");
            assert!(skips.iter().all(|skip| skip.reason == SkipReason::Weight));
        }
    }

    #[test]
    fn an_ignored_weight_is_noted_once_for_each_bound_of_a_record() {
        let definitions = definitions(Some(3.0), (Some(2.0), None));
        let (_, _, ignored) = weighed(&definitions, 4.0);
        let bounds: Vec<_> = ignored.iter().map(|one| (one.bound.class, one.bound.most)).collect();
        assert_eq!(bounds, [(None, 3.0), (Some(1), 2.0)]);
        assert!(ignored.iter().all(|one| one.weight == 4.0));
    }

    #[test]
    fn what_no_weight_changes_ignores_none() {
        let mut one = definitions(Some(1.0), (None, None));
        one.metrics.truncate(1);
        one.metrics[0].weighted = false;
        assert_eq!(weighed(&one, 9.0), (vec![1.0], Vec::new(), Vec::new()));
        one.metrics[0].weighted = true;
        one.metrics[0].kind = MetricKind::Gauge;
        let rules = RuleSet::new(&one, &hash_key());
        assert!(rules.possible_skips().all(|(_, reason)| reason != SkipReason::Weight));
    }
}
