//! A count of different ones as the families it is shown by: a level for each window, first visits, and registers.

use std::sync::Arc;

use crate::model::{
    Declaration, DistinctPlan, Family, FamilySnapshot, Kind, LabelName, Labels, MetricName, Reach,
    Row, RowValue, Window, claims,
};
use crate::timestamp::Timestamp;

use super::{Crowd, Quarter};

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

/// What label sets show at a moment, while it is collected.
pub struct Rows<'s> {
    shown: &'s Shown,
    now: Timestamp,
    /// Where each window begins.
    since: Vec<Quarter>,
    windows: Vec<Row>,
    fresh: Vec<Row>,
    registers: Vec<Row>,
}

impl Shown {
    pub fn new(declaration: &Declaration) -> Option<Self> {
        let plan = declaration.distinct.clone()?;
        let [windows, fresh, registers] = claims::distinct(declaration.family.name.as_str());
        let named = |(name, kind): (String, Kind), help: &str| {
            Arc::new(Family {
                name: MetricName::own(&name),
                help: format!("{}{help}", declaration.family.help),
                kind,
                unit: String::new(),
                labels: Vec::new(),
                bounds: Vec::new(),
            })
        };
        Some(Self {
            windows: named(windows, ""),
            fresh: named(fresh, " First visits, as far back as the longest window."),
            registers: named(registers, " HyperLogLog registers, to be merged by max."),
            plan,
        })
    }

    /// Nothing yet of what label sets show at a moment.
    pub fn at(&self, now: Timestamp) -> Rows<'_> {
        let begin = |window: &Window| match &window.reach {
            Reach::Back(length) => Quarter::of(now).back(*length),
            Reach::Midnight(zone) => Quarter::of(zone.midnight(now)),
        };
        let since = self.plan.windows.iter().map(begin).collect();
        let (windows, fresh, registers) = Default::default();
        Rows { shown: self, now, since, windows, fresh, registers }
    }
}

impl Rows<'_> {
    /// One more label set.
    pub fn add(
        &mut self,
        labels: &Arc<Labels>,
        (start, born): (Timestamp, Option<Timestamp>),
        crowd: &Crowd,
    ) {
        let plan = &self.shown.plan;
        let level =
            |labels, value| Row { labels, start: None, born: None, value: RowValue::Gauge(value) };
        for (window, since) in plan.windows.iter().zip(&self.since) {
            let count = crowd.seen.count(*since);
            self.windows.push(level(with(labels, &[(WINDOW, &window.name)]), count));
        }
        for (register, rank) in crowd.registers.iter().flat_map(|all| all.shown(self.now)) {
            let more = [(KEY, &*plan.key), (REGISTER, &*register.to_string())];
            self.registers.push(level(with(labels, &more), f64::from(rank)));
        }
        let value = RowValue::Counter(crowd.seen.fresh(), None);
        let start = Some(start);
        self.fresh.push(Row { labels: labels.clone(), start, born, value });
    }

    /// All that was added, family by family.
    pub fn families(self) -> Vec<FamilySnapshot> {
        let Self { shown, windows, fresh, registers, .. } = self;
        let all = [(&shown.windows, windows), (&shown.fresh, fresh), (&shown.registers, registers)];
        let snapshot = |(family, rows): (&Arc<Family>, Vec<Row>)| {
            let family = family.clone();
            FamilySnapshot { family, rows }
        };
        all.into_iter().map(snapshot).collect()
    }
}

fn with(labels: &Labels, more: &[(&str, &str)]) -> Arc<Labels> {
    let more = more.iter().map(|(name, value)| (LabelName::own(name), Arc::from(*value)));
    Arc::new(labels.0.iter().cloned().chain(more).collect())
}
