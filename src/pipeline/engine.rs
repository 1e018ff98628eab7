//! The rules and the series they feed: what a reload swaps in one step.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::limits::Limits;
use crate::rules::RuleSet;
use crate::rules::definition::Definitions;
use crate::series::{Budget, Store};
use crate::telemetry::Telemetry;

use super::workspace::Workspaces;

pub(super) struct Engine {
    pub(super) rules: RuleSet,
    pub(super) store: Store,
    pub(super) limits: Limits,
    pub(super) workspaces: Workspaces,
}

impl Engine {
    pub(super) fn new(
        definitions: &Definitions,
        limits: &Limits,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Self {
        let rules = RuleSet::new(definitions);
        let budget = match before {
            Some(before) => {
                before.store.budget().rebound(limits.series, limits.series_per_metric);
                before.store.budget().clone()
            }
            None => Arc::new(Budget::new(limits.series, limits.series_per_metric)),
        };
        let before = before.map(|engine| &engine.store);
        let store = Store::new(rules.declarations(), budget, before, now);
        let (limits, workspaces) = (limits.clone(), Workspaces::default());
        Self { rules, store, limits, workspaces }
    }

    /// Names what may be counted of these rules, so that it is there at 0.
    pub(super) fn declare(&self, telemetry: &Telemetry) {
        telemetry.declare(self.rules.possible_skips(), self.rules.unique_classes());
        telemetry.limit_series(self.limits.series);
    }
}
