//! A family as one body shows it: its name by the scraper's scheme.

use std::sync::Arc;

use crate::model::claims;
use crate::model::escaping::is_classic_metric;
use crate::model::{Escaping, Family, Kind};

/// A family and its name in one body.
pub(super) struct Shown {
    /// The family.
    pub(super) family: Arc<Family>,
    /// Its name by the scheme.
    pub(super) name: Box<str>,
    /// Whether the text formats must quote the name.
    pub(super) quoted: bool,
    /// What is done to names.
    pub(super) scheme: Escaping,
}

impl Shown {
    pub(super) fn new(family: &Arc<Family>, scheme: Escaping) -> Self {
        let name: Box<str> = scheme.metric(family.name.as_str()).into();
        let quoted = !is_classic_metric(&name);
        Self { family: family.clone(), name, quoted, scheme }
    }

    /// The name without `_total`, where a counter has it.
    pub(super) fn base(&self) -> &str {
        match self.family.kind {
            Kind::Counter => self.without("_total").unwrap_or(&self.name),
            _ => &self.name,
        }
    }

    /// The name without an ending; none when it has no such, or nothing else.
    pub(super) fn without(&self, ending: &str) -> Option<&str> {
        claims::base(&self.name, ending)
    }

    /// The unit, if it is the end of the name. Prometheus refuses the whole body over any other.
    pub(super) fn unit(&self) -> Option<&str> {
        let unit = self.family.unit.as_str();
        let ends = self.base().strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
        (ends && !unit.is_empty() && unit.bytes().all(plain)).then_some(unit)
    }
}
