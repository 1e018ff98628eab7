//! The rules and the series they feed: what a reload swaps in one step.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::limits::{self, Limits};
use crate::rules::explain::Private;
use crate::rules::{RuleSet, Uses};
use crate::series::{Budget, Passed, Store};
use crate::timestamp::Timestamp;
use crate::view::{Signal, Word};
use crate::wire::{self, Encoding, WireError};

use crate::counters::Counters;
use crate::plan::{Plan, Sessions};
use crate::translation::Passing;
use crate::workspace::Workspaces;

pub(crate) struct Engine {
    /// How many there were before.
    pub(crate) epoch: u64,
    pub(crate) rules: RuleSet,
    pub(crate) store: Store,
    pub(crate) passed: Arc<Passed>,
    pub(crate) points: Passing,
    /// After how long without metrics a writer's gauges end; none: never.
    pub(crate) stale: Option<Duration>,
    pub(crate) limits: Limits,
    pub(crate) sessions: Option<Sessions>,
    /// What is remembered of a conversation's turns.
    pub(crate) words: Vec<Word>,
    pub(crate) workspaces: Workspaces,
    /// What the inventory says of attributes.
    pub(crate) private: Private,
    pub(crate) uses: Uses,
}

impl Engine {
    pub(crate) fn new(plan: &Plan<'_>, before: Option<&Self>, now: Timestamp) -> Self {
        let limits = plan.limits;
        let rules = RuleSet::new(plan.definitions, plan.key);
        let budget = match before {
            Some(before) => {
                before.store.budget().rebound(limits.series, limits.series_per_metric);
                before.store.budget().clone()
            }
            None => Arc::new(Budget::new(limits.series, limits.series_per_metric)),
        };
        let senders = match before {
            Some(before) => {
                let budget = before.passed.budget();
                budget.rebound(limits.senders_series, limits.series_per_metric);
                budget.clone()
            }
            None => Arc::new(Budget::new(limits.senders_series, limits.series_per_metric)),
        };
        let points = Passing::new(plan.datapoints, plan.privacy, limits.label_value);
        let declared = || rules.declarations().iter().map(|one| &**one);
        let passed = match before.filter(|before| before.points == points) {
            Some(before) => {
                before.passed.declare(declared());
                before.passed.clone()
            }
            None => Arc::new(Passed::new(declared(), senders)),
        };
        let store = before.map(|engine| &engine.store);
        let store = Store::new(rules.declarations(), budget, store, now);
        let epoch = before.map_or(0, |before| before.epoch + 1);
        let (limits, workspaces) = (limits.clone(), Workspaces::default());
        let sessions = plan.sessions.cloned();
        let words = rules.session_words(plan.definitions);
        let (private, uses) = (Private::new(plan.definitions), Uses::new(plan.definitions));
        Self {
            epoch,
            rules,
            store,
            passed,
            points,
            stale: plan.datapoints.stale,
            limits,
            sessions,
            words,
            workspaces,
            private,
            uses,
        }
    }

    /// A request's bytes as the walks read them.
    pub(crate) fn protobuf<'b>(
        &self,
        signal: Signal,
        encoding: Encoding,
        body: &'b [u8],
    ) -> Result<Cow<'b, [u8]>, WireError> {
        match encoding {
            Encoding::Protobuf => Ok(Cow::Borrowed(body)),
            Encoding::Json => {
                let mut out = Vec::with_capacity(body.len().min(limits::KEPT_MEMORY));
                wire::json_to_protobuf(signal, body, self.limits.request, &mut out)?;
                Ok(Cow::Owned(out))
            }
        }
    }

    /// How long what has expired may wait to be looked for: a quarter of the shortest time there is.
    pub(crate) fn expiry_interval(&self) -> Duration {
        let own = self.rules.declarations().iter().filter_map(|one| one.idle);
        let all = own.chain([self.limits.idle]).chain(self.stale);
        let shortest = all.min().unwrap_or(limits::EXPIRY.0);
        (shortest / 4).clamp(limits::EXPIRY.1, limits::EXPIRY.0)
    }

    /// Names what may be counted of these rules, so that it is there at 0.
    pub(crate) fn declare(&self, counters: &Counters) {
        counters.declare(self.rules.possible_skips(), self.rules.unique_classes());
        counters.limit_series(self.limits.series);
    }
}
