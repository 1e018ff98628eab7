//! Whose a name is. A family has its own name and those of its samples.

use std::collections::HashMap;

use crate::model::{Family, Kind, MetricName};

/// Who has a name that can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    /// The config, this exporter or Prometheus.
    #[error("the name is declared or reserved")]
    Declared,
    /// Another sender's metric, of another kind.
    #[error("the name is that of a metric of another kind")]
    Sender,
}

/// Sample names and who has them.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, Taken>);

impl Names {
    pub(super) fn new<'f>(declared: impl Iterator<Item = &'f Family>) -> Self {
        let mut names = HashMap::new();
        for family in declared {
            let samples = samples(family.name.as_str(), family.kind);
            names.extend(samples.map(|name| (name, Taken::Declared)));
        }
        Self(names)
    }

    /// Whether all names of such a family are free.
    pub(super) fn check(&self, name: &str, kind: Kind) -> Result<(), Taken> {
        if MetricName::is_reserved(name) {
            return Err(Taken::Declared);
        }
        let owner = samples(name, kind).find_map(|name| self.0.get(&name).copied());
        owner.map_or(Ok(()), Err)
    }

    /// Takes them all for a sender, or none.
    pub(super) fn take(&mut self, name: &str, kind: Kind) -> Result<(), Taken> {
        self.check(name, kind)?;
        self.0.extend(samples(name, kind).map(|name| (name, Taken::Sender)));
        Ok(())
    }

    pub(super) fn free(&mut self, name: &str, kind: Kind) {
        samples(name, kind).for_each(|name| _ = self.0.remove(&name));
    }
}

/// The names that Prometheus knows a family's series by.
fn samples(name: &str, kind: Kind) -> impl Iterator<Item = String> {
    let suffixes: &[&str] = match kind {
        Kind::Histogram => &["", "_bucket", "_sum", "_count"],
        Kind::Summary => &["", "_sum", "_count"],
        Kind::Counter | Kind::Gauge | Kind::Unknown | Kind::Info => &[""],
    };
    suffixes.iter().map(move |suffix| format!("{name}{suffix}"))
}
