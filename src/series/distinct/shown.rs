//! A count of different ones as the families it is shown by: a level for each window, first visits, and registers.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::model::{
    Declaration, DistinctPlan, Family, FamilySnapshot, Kind, LabelName, Labels, MetricName, Row,
    RowValue,
};

use super::super::cell::Crowd;
use super::Quarter;

const WINDOW: &str = "window";
const KEY: &str = "key";
const REGISTER: &str = "register";

/// What a declaration is shown by.
#[derive(Debug)]
pub struct Shown {
    plan: DistinctPlan,
    windows: Arc<Family>,
    fresh: Arc<Family>,
    registers: Arc<Family>,
}

/// One label set.
pub type Member<'s> = (&'s Arc<Labels>, Timestamp, &'s Crowd);

impl Shown {
    pub fn new(declaration: &Declaration) -> Option<Self> {
        let plan = declaration.distinct.clone()?;
        let named = |suffix: &str, help: &str, kind| {
            let family = &declaration.family;
            Arc::new(Family {
                name: MetricName::own(&format!("{}{suffix}", family.name.as_str())),
                help: format!("{}{help}", family.help),
                kind,
                unit: String::new(),
                labels: Vec::new(),
                bounds: Vec::new(),
            })
        };
        Some(Self {
            windows: named("", "", Kind::Gauge),
            fresh: named(
                "_new_total",
                " First visits, as far back as the longest window.",
                Kind::Counter,
            ),
            registers: named(
                "_register",
                " HyperLogLog registers, to be merged by max.",
                Kind::Gauge,
            ),
            plan,
        })
    }

    /// All that some label sets show at a moment.
    pub fn families<'s>(
        &self,
        members: impl Iterator<Item = Member<'s>>,
        now: Timestamp,
    ) -> Vec<FamilySnapshot> {
        let (mut windows, mut fresh, mut registers) = (Vec::new(), Vec::new(), Vec::new());
        let today = Quarter::of(now);
        let level =
            |labels, value| Row { labels, start: None, born: None, value: RowValue::Gauge(value) };
        for (labels, start, crowd) in members {
            for window in &self.plan.windows {
                let count = crowd.seen.count(today.back(window.length));
                windows.push(level(with(labels, &[(WINDOW, &window.name)]), count));
            }
            for (register, rank) in crowd.registers.iter().flat_map(|all| all.shown(now)) {
                let more = [(KEY, &*self.plan.key), (REGISTER, &*register.to_string())];
                registers.push(level(with(labels, &more), f64::from(rank)));
            }
            let value = RowValue::Counter(crowd.seen.fresh(), None);
            fresh.push(Row {
                labels: labels.clone(),
                start: Some(start),
                born: Some(start),
                value,
            });
        }
        let all = [(&self.windows, windows), (&self.fresh, fresh), (&self.registers, registers)];
        let snapshot = |(family, rows): (&Arc<Family>, Vec<Row>)| {
            let family = family.clone();
            FamilySnapshot { family, rows }
        };
        all.into_iter().map(snapshot).collect()
    }
}

fn with(labels: &Labels, more: &[(&str, &str)]) -> Arc<Labels> {
    let more = more.iter().map(|(name, value)| (LabelName::own(name), Arc::from(*value)));
    Arc::new(Labels(labels.0.iter().cloned().chain(more).collect()))
}
