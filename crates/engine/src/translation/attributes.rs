//! From a sender's attributes to the labels of a passed-through series.

use std::borrow::Cow;
use std::fmt::Write;
use std::hash::Hasher;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher13;

use crate::limits;
use crate::model::Kind;
use crate::plan::{Datapoints, Privacy};
use crate::rules::pattern::Pattern;
use crate::view::{Origin, Value};

use crate::items::{Attribute, Home};

use super::{TranslateError, Translated, Translator, labels};

/// Bytes of what ends a value that was cut: `~` and 8 hexadecimal digits.
const CUT: usize = 9;
/// Marks the set that takes what a metric has no room for (OpenTelemetry, "Metrics SDK", overflow attribute).
const OVERFLOW: &str = "otel_metric_overflow";
const SENT_OVERFLOW: &[u8] = b"otel.metric.overflow";
const JOB: &str = "job";
const INSTANCE: &str = "instance";
/// What Prometheus calls a target's own label where it has one of that name itself.
const EXPORTED: &str = "exported_";
const NAMESPACE: &[u8] = b"service.namespace";
const SERVICE: &[u8] = b"service.name";
const SERVICE_INSTANCE: &[u8] = b"service.instance.id";

/// Names and values, sorted by name, each name once.
pub(crate) type Set = Vec<(String, String)>;

/// What the config says of data points that pass.
#[derive(Debug, PartialEq)]
pub(crate) struct Passing {
    pub(crate) pass: Vec<Pattern>,
    translator: Translator,
    scope_labels: bool,
    pub(crate) instance_label: bool,
    resource_labels: Vec<Pattern>,
    drop: Vec<Pattern>,
    personal: Vec<(Option<Origin>, String)>,
    label_value: usize,
}

/// Tells one [`Passing`] from another, over a restart too.
pub(crate) type Print = [u8; 32];

/// Who a resource is: `job` and, where writers stay apart, `instance`; each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) job: Arc<str>,
    pub(crate) instance: Arc<str>,
}

impl Target {
    /// Whether it says who it is at all.
    pub(crate) fn is_identified(&self) -> bool {
        !self.job.is_empty() || !self.instance.is_empty()
    }

    /// Tells it from others, over a restart too.
    pub(crate) fn id(&self) -> u64 {
        let mut hasher = SipHasher13::new();
        for text in [&self.job, &self.instance] {
            hasher.write(text.as_bytes());
            hasher.write_u8(0xff); // no UTF-8 text has it
        }
        hasher.finish()
    }
}

impl Passing {
    pub(crate) fn new(datapoints: &Datapoints, privacy: &Privacy, label_value: usize) -> Self {
        Self {
            pass: datapoints.pass.clone(),
            translator: Translator::new(datapoints.translation, &datapoints.namespace),
            scope_labels: datapoints.scope_labels,
            instance_label: datapoints.instance_label,
            resource_labels: datapoints.resource_labels.clone(),
            drop: privacy.drop.clone(),
            personal: privacy.personal.clone(),
            label_value,
        }
    }

    /// Of all that it says.
    pub(crate) fn print(&self) -> Print {
        Sha256::digest(format!("{self:?}").as_bytes()).into()
    }

    /// A metric's name here.
    pub(crate) fn metric(&self, name: &[u8], unit: &[u8], kind: Kind) -> Option<Translated> {
        let name = std::str::from_utf8(name).ok()?;
        let unit = std::str::from_utf8(unit).unwrap_or_default();
        self.translator.metric(name, unit, kind).ok()
    }

    /// Who sends.
    pub(crate) fn target(&self, resource: &[Attribute<'_>]) -> Target {
        let text = |wanted: &[u8]| {
            let private = self.is_private(Origin::Resource, &String::from_utf8_lossy(wanted));
            let found = resource.iter().find(|(key, _)| *key == wanted && !private);
            found.map(|(_, value)| self.cut(text(value))).unwrap_or_default()
        };
        let job = match (text(NAMESPACE), text(SERVICE)) {
            (space, name) if !space.is_empty() && !name.is_empty() => format!("{space}/{name}"),
            (_, name) => name,
        };
        let instance = if self.instance_label { text(SERVICE_INSTANCE) } else { String::new() };
        Target { job: job.into(), instance: instance.into() }
    }

    /// The labels of a point's series. What is personal or private is left out, so that the points fold.
    pub(crate) fn series(
        &self,
        attributes: &[Attribute<'_>],
        home: &Home<'_>,
        own: &[Attribute<'_>],
        (target, kind): (&Target, Kind),
    ) -> Result<Set, TranslateError> {
        let all =
            |range: &std::ops::Range<usize>| attributes.get(range.clone()).unwrap_or_default();
        let mut pairs = self.pairs(Origin::Point, own);
        for (key, value) in self.pairs(Origin::Resource, all(&home.resource)) {
            if self.resource_labels.iter().any(|glob| glob.fits(&key)) {
                pairs.push((key, value));
            }
        }
        if self.scope_labels {
            self.scope(home, all(&home.scope), &mut pairs);
        }
        let reserved: &[&str] = match kind {
            Kind::Histogram => &["le"],
            Kind::Summary => &["quantile"],
            _ => &[],
        };
        self.set(pairs, target, reserved)
    }

    /// The labels of the set that takes what a metric of this target has no room for.
    pub(crate) fn overflow(&self, target: &Target) -> Set {
        let identity = [(JOB, &*target.job), (INSTANCE, &*target.instance), (OVERFLOW, "true")];
        let told = identity.into_iter().filter(|(_, value)| !value.is_empty());
        let mut set: Set = told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        set.sort();
        set
    }

    /// Whether a point is what its SDK had no room for.
    pub(crate) fn is_overflow(own: &[Attribute<'_>]) -> bool {
        let told = |(key, value): &Attribute<'_>| {
            *key == SENT_OVERFLOW && matches!(value, Value::Bool(true) | Value::Text(b"true"))
        };
        own.iter().any(told)
    }

    /// Whose label sets are counted together: those of a writer where writers stay apart, else all of a metric.
    pub(crate) fn owner(&self, target: &Target) -> u64 {
        if self.instance_label { target.id() } else { 0 }
    }

    /// The same, of a series with these labels.
    pub(crate) fn owner_of<L: AsRef<str>>(&self, labels: &[(L, L)]) -> u64 {
        let text = |name: &str| {
            let found = labels.iter().find(|(label, _)| label.as_ref() == name);
            found.map_or("", |(_, value)| value.as_ref()).into()
        };
        self.owner(&Target { job: text(JOB), instance: text(INSTANCE) })
    }

    /// The labels of a target's `target_info`.
    pub(crate) fn info(
        &self,
        resource: &[Attribute<'_>],
        target: &Target,
    ) -> Result<Set, TranslateError> {
        let mut pairs = self.pairs(Origin::Resource, resource);
        let identity = [NAMESPACE, SERVICE, SERVICE_INSTANCE];
        // What can't be a label is left out alone: there is no item to reject for it.
        pairs.retain(|(key, _)| !identity.contains(&key.as_bytes()) && self.is_label(key));
        self.set(pairs, target, &[])
    }

    fn scope(&self, home: &Home<'_>, attributes: &[Attribute<'_>], pairs: &mut Set) {
        let fixed = [
            ("otel_scope_name", home.scope_name),
            ("otel_scope_version", home.scope_version),
            ("otel_scope_schema_url", home.schema),
        ];
        for (name, bytes) in fixed {
            pairs.push((name.into(), self.cut(String::from_utf8_lossy(bytes).into_owned())));
        }
        for (key, value) in self.pairs(Origin::Scope, attributes) {
            let name = format!("otel_scope_{key}");
            if !fixed.iter().any(|(fixed, _)| self.same(fixed, &name)) {
                pairs.push((name, value));
            }
        }
    }

    fn is_label(&self, key: &str) -> bool {
        self.translator.label(key).is_ok_and(|label| !label.starts_with("__"))
    }

    fn same(&self, name: &str, key: &str) -> bool {
        self.translator.label(key).is_ok_and(|label| label == name)
    }

    /// Attributes that may be seen, in text. Of equal keys the first counts.
    fn pairs(&self, origin: Origin, attributes: &[Attribute<'_>]) -> Set {
        let seen = attributes.iter().filter_map(|(key, value)| {
            let key = String::from_utf8_lossy(key).into_owned();
            (!self.is_private(origin, &key)).then(|| (key, text(value)))
        });
        seen.collect()
    }

    fn is_private(&self, origin: Origin, key: &str) -> bool {
        let personal = |(only, name): &(Option<Origin>, String)| {
            name == key && only.is_none_or(|only| only == origin)
        };
        self.drop.iter().any(|glob| glob.fits(key)) || self.personal.iter().any(personal)
    }

    fn set(&self, pairs: Set, target: &Target, own: &[&str]) -> Result<Set, TranslateError> {
        let pairs = pairs.iter().map(|(key, value)| (key.as_str(), Cow::Borrowed(value.as_str())));
        let labels = self.translator.labels(pairs, own)?;
        let identity = [(JOB, &target.job), (INSTANCE, &target.instance)];
        let identity = identity.into_iter().filter(|(_, value)| !value.is_empty());
        let mut set: Set = Vec::with_capacity(labels.len() + 2);
        for (name, value) in labels {
            let taken = identity.clone().any(|(own, _)| own == name);
            let name = if taken { format!("{EXPORTED}{name}") } else { name.into_owned() };
            set.push((name, value.into_owned()));
        }
        set.extend(identity.map(|(name, value)| (name.to_owned(), value.to_string())));
        set.sort();
        set.dedup_by(|later, first| later.0 == first.0);
        labels::join(&mut set);
        for (_, value) in &mut set {
            *value = self.cut(std::mem::take(value));
        }
        Ok(set)
    }

    /// A value that is too long is cut at a character, with a mark and a hash that tell it from others that begin the same. The hash
    /// is a fixed one, so that restarts and replicas agree.
    fn cut(&self, mut text: String) -> String {
        if text.len() > self.label_value {
            let hash = Sha256::digest(text.as_bytes());
            let head = hash.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
            let room = self.label_value.saturating_sub(CUT);
            text.truncate(text.floor_char_boundary(room));
            let _ = write!(text, "~{head:08x}"); // a string takes all
        }
        text
    }
}

fn text(value: &Value<'_>) -> String {
    let mut text = String::new();
    value.write_text(&mut text);
    text
}

const _: () = assert!(limits::NAME > EXPORTED.len());
