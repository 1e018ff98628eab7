//! The rules and the series they feed: what a reload swaps in one step.

use std::borrow::Cow;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::{Datapoints, Privacy, Sessions, Settings};
use crate::limits::Limits;
use crate::model::HashKey;
use crate::rules::definition::Definitions;
use crate::rules::explain::Private;
use crate::rules::{RuleSet, Uses};
use crate::series::{Budget, Passed, Store};
use crate::telemetry::Telemetry;
use crate::view::{Signal, Word};
use crate::wire::{self, Encoding, WireError};

use super::labels::Passing;
use super::workspace::Workspaces;

/// What a config says to the arrow.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'s> {
    /// The rules.
    pub definitions: &'s Definitions,
    /// The bounds.
    pub limits: &'s Limits,
    /// What becomes of senders' own metrics.
    pub datapoints: &'s Datapoints,
    /// What must not be seen.
    pub privacy: &'s Privacy,
    /// How long conversations last; none: they are not followed.
    pub sessions: Option<&'s Sessions>,
    /// What personal values are hashed with.
    pub key: &'s HashKey,
}

impl<'s> Plan<'s> {
    /// Of a config.
    pub fn new(settings: &'s Settings, key: &'s HashKey) -> Self {
        Self {
            key,
            definitions: &settings.definitions,
            limits: &settings.limits,
            datapoints: &settings.datapoints,
            privacy: &settings.privacy,
            sessions: settings.sessions.as_ref(),
        }
    }
}

pub(super) struct Engine {
    /// How many there were before.
    pub(super) epoch: u64,
    pub(super) rules: RuleSet,
    pub(super) store: Store,
    pub(super) passed: Arc<Passed>,
    pub(super) points: Passing,
    pub(super) limits: Limits,
    pub(super) sessions: Option<Sessions>,
    /// What is remembered of a conversation's turns.
    pub(super) words: Vec<Word>,
    pub(super) workspaces: Workspaces,
    /// What the inventory says of attributes.
    pub(super) private: Private,
    pub(super) uses: Uses,
}

impl Engine {
    pub(super) fn new(plan: &Plan<'_>, before: Option<&Self>, now: Timestamp) -> Self {
        let limits = plan.limits;
        let rules = RuleSet::new(plan.definitions, plan.key);
        let budget = match before {
            Some(before) => {
                before.store.budget().rebound(limits.series, limits.series_per_metric);
                before.store.budget().clone()
            }
            None => Arc::new(Budget::new(limits.series, limits.series_per_metric)),
        };
        let points = Passing::new(plan.datapoints, plan.privacy, limits.label_value);
        let families = || rules.declarations().iter().map(|one| &*one.family);
        let passed = match before.filter(|before| before.points == points) {
            Some(before) => {
                before.passed.declare(families());
                before.passed.clone()
            }
            None => Arc::new(Passed::new(families(), budget.clone())),
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
            limits,
            sessions,
            words,
            workspaces,
            private,
            uses,
        }
    }

    /// A request's bytes as the walks read them.
    pub(super) fn protobuf<'b>(
        &self,
        signal: Signal,
        encoding: Encoding,
        body: &'b [u8],
    ) -> Result<Cow<'b, [u8]>, WireError> {
        match encoding {
            Encoding::Protobuf => Ok(Cow::Borrowed(body)),
            Encoding::Json => {
                let mut out = Vec::with_capacity(body.len());
                wire::json_to_protobuf(signal, body, self.limits.request, &mut out)?;
                Ok(Cow::Owned(out))
            }
        }
    }

    /// Names what may be counted of these rules, so that it is there at 0.
    pub(super) fn declare(&self, telemetry: &Telemetry) {
        telemetry.declare(self.rules.possible_skips(), self.rules.unique_classes());
        telemetry.limit_series(self.limits.series);
    }
}
