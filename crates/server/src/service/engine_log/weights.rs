//! Log lines about sampling weights that were ignored.

use std::collections::BTreeMap;

use engine::counters::{Counters, IgnoredWeights};

/// Logs each record class whose weights are ignored once, and again when a reload changed the highest weight that is accepted.
#[derive(Default)]
pub(super) struct WeightLog(BTreeMap<Option<String>, f64>);

impl WeightLog {
    /// Logs what is new.
    pub(super) fn log(&mut self, counters: &Counters) {
        let fresh = self.fresh(counters);
        fresh.iter().for_each(|(record, weights)| log(record.as_deref(), *weights));
    }

    fn fresh(&mut self, counters: &Counters) -> Vec<(Option<String>, IgnoredWeights)> {
        let mut all: Vec<_> = counters.ignored_weights().into_iter().collect();
        all.retain(|(record, one)| self.0.insert(record.clone(), one.most) != Some(one.most));
        all
    }
}

fn log(record: Option<&str>, weights: IgnoredWeights) {
    let IgnoredWeights { count, largest, most } = weights;
    let record = record.unwrap_or("any");
    let help = "if the bot keeps 1 in 100 of its traces, add `sampling: {most: 100}` to the config, or raise the `most` that the \
                config sets; if it does not sample, a caller sent the weight in the header `tracestate`";
    tracing::warn!(event = "sampling_weight_ignored", record, count, largest, most, help);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_a_record_class_once_for_each_bound() {
        let counters = Counters::default();
        let mut logged = WeightLog::default();
        let ignore = |record, largest, most| {
            counters.ignore_weights(record, IgnoredWeights { count: 1, largest, most });
        };
        assert!(logged.fresh(&counters).is_empty());
        ignore(Some("interaction"), 4.0, 1.0);
        ignore(Some("interaction"), 2.0, 1.0);
        ignore(None, 1e7, 1e6);
        let interaction = IgnoredWeights { count: 2, largest: 4.0, most: 1.0 };
        let any = IgnoredWeights { count: 1, largest: 1e7, most: 1e6 };
        let expected = [(None, any), (Some("interaction".to_owned()), interaction)];
        assert_eq!(logged.fresh(&counters), expected);
        ignore(Some("interaction"), 9.0, 1.0);
        assert!(logged.fresh(&counters).is_empty());
        ignore(Some("interaction"), 5.0, 3.0);
        assert_eq!(logged.fresh(&counters).len(), 1, "a reload changed the bound");
    }
}
