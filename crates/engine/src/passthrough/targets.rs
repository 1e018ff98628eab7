//! Who sends data points: each target's `target_info`, and since when it is known.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Family, Kind, MetricName, Op};
use crate::series::{Birth, Budget, First, Owner, PassedFamily, Place, Room, Sample};
use crate::timestamp::Timestamp;

use crate::translation::{Set, Target};

const NAME: &str = "target_info";

/// The targets that sent something lately.
pub(crate) struct Targets {
    info: Arc<PassedFamily>,
    known: HashMap<Target, Known>,
}

struct Known {
    first: Timestamp,
    last: Timestamp,
    /// Of the attributes last seen.
    resource: u64,
    labels: Set,
    place: Option<Place>,
}

/// Targets as they are kept over a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct KeptTargets(Vec<KeptTarget>);

#[derive(Debug, Serialize, Deserialize)]
struct KeptTarget {
    job: Arc<str>,
    instance: Arc<str>,
    first: Timestamp,
    last: Timestamp,
    resource: u64,
    labels: Set,
}

impl Targets {
    /// The targets that are known.
    pub(crate) fn all(&self) -> Vec<Target> {
        self.known.keys().cloned().collect()
    }

    /// Copies those of these that are still known.
    pub(crate) fn keep(&self, some: &[Target], kept: &mut KeptTargets) {
        let some = some.iter().filter_map(|target| Some((target, self.known.get(target)?)));
        kept.0.extend(some.map(|(target, known)| KeptTarget {
            job: target.job.clone(),
            instance: target.instance.clone(),
            first: known.first,
            last: known.last,
            resource: known.resource,
            labels: known.labels.clone(),
        }));
    }

    /// Knows them again, and shows them.
    pub(crate) fn restore(&mut self, kept: KeptTargets) {
        for KeptTarget { job, instance, first, last, resource, labels } in kept.0 {
            let target = Target { job, instance };
            let is_identified = target.is_identified();
            let place = if is_identified { self.begin(&target, &labels, last) } else { None };
            let known = Known { first, last, resource, labels, place };
            self.known.insert(target, known);
        }
    }

    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        let family = Family {
            name: MetricName::own(NAME),
            help: "What is known of a target.".into(),
            unit: String::new(),
            kind: Kind::Info,
            labels: Vec::new(),
            bounds: Vec::new(),
        };
        Self { info: Arc::new(PassedFamily::new(family, budget)), known: HashMap::new() }
    }

    /// The family of all `target_info`.
    pub(crate) fn info(&self) -> &Arc<PassedFamily> {
        &self.info
    }

    /// When a target was first heard of; none: it was not.
    pub(crate) fn first(&self, target: &Target) -> Option<Timestamp> {
        self.known.get(target).map(|known| known.first)
    }

    /// A point of a target became part of a series. With `shared` many writers are one target, which is told by what they all
    /// say; else the latest word counts. Without room there is no `target_info`.
    pub(crate) fn seen(
        &mut self,
        target: &Target,
        (resource, shared): (u64, bool),
        labels: impl FnOnce() -> Set,
        now: Timestamp,
    ) {
        let before = self.known.get_mut(target);
        let mut place = None;
        if let Some(known) = before {
            known.last = now;
            if known.resource == resource
                && known.place.is_some_and(|place| self.info.touch(place, now))
            {
                return;
            }
            place = known.place;
        }
        let mut labels = labels();
        if let Some(known) = self.known.get(target).filter(|_| shared) {
            labels.retain(|pair| known.labels.contains(pair));
        }
        let is_identified = target.is_identified();
        let stays = place.filter(|place| {
            self.known.get(target).is_some_and(|known| known.labels == labels)
                && self.info.touch(*place, now)
        });
        let place = match (stays, is_identified) {
            (Some(place), _) => Some(place),
            (None, false) => None,
            (None, true) => {
                place.into_iter().for_each(|place| self.info.remove(place));
                self.begin(target, &labels, now)
            }
        };
        let first = self.known.get(target).map_or(now, |known| known.first);
        let known = Known { first, last: now, resource, labels, place };
        self.known.insert(target.clone(), known);
    }

    fn begin(&self, target: &Target, labels: &Set, now: Timestamp) -> Option<Place> {
        let owner = Owner { id: target.id(), folds: false };
        if self.info.room(owner) != Room::Free {
            return None;
        }
        let birth = Birth { first: First::Level { adds: false }, start: None, born: None };
        let place = self.info.create(labels, (owner, false), birth, now);
        let sample = Sample { time: now, arrival: now, ids: None };
        self.info.apply(place, Op::Part { stream: 0, value: 1.0 }, sample, now);
        Some(place)
    }

    /// A target is silent: nothing is shown of it until it speaks again.
    pub(crate) fn end(&mut self, target: &Target) {
        if let Some(place) = self.known.get_mut(target).and_then(|known| known.place.take()) {
            self.info.remove(place);
        }
    }

    /// Forgets targets that were idle for so long.
    pub(crate) fn expire(&mut self, now: Timestamp, idle: Duration) {
        self.known.retain(|_, known| now.since(known.last) <= idle);
        self.info.expire(now.before(idle));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_word_counts_or_what_all_agree_on() {
        let set = |pairs: &[(&str, &str)]| -> Set {
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
        };
        let shown = |targets: &Targets| -> Vec<Vec<String>> {
            let row = |row: &crate::model::Row| {
                let pairs = row.labels.0.iter();
                pairs.map(|(name, value)| format!("{}={value}", name.as_str())).collect()
            };
            targets.info.copies(true).flat_map(|piece| piece.rows).map(|one| row(&one)).collect()
        };
        let target = Target { job: "bot".into(), instance: "".into() };
        for (shared, expected) in [(false, vec!["a=2", "b=9"]), (true, vec!["b=9"])] {
            let budget = Arc::new(Budget::new(10, 10));
            let mut targets = Targets::new(budget);
            let mut seen = |resource, pairs: &[(&str, &str)], now| {
                let now = Timestamp(now);
                targets.seen(&target, (resource, shared), || set(pairs), now);
            };
            seen(1, &[("a", "1"), ("b", "9")], 5);
            seen(2, &[("a", "2"), ("b", "9")], 6);
            assert_eq!(shown(&targets), [expected]);
            assert_eq!(targets.first(&target), Some(Timestamp(5)));
            targets.expire(Timestamp(100), Duration::from_nanos(10));
            assert!(shown(&targets).is_empty() && targets.first(&target).is_none());
        }
    }
}
