//! One request of data points on its way: the walk's visitor. It collects points and what they belong to, and changes nothing
//! outside itself.

use std::hash::Hasher;
use std::ops::Range;

use crate::dedupe::{Fingerprint, Keys};
use crate::limits;
use crate::rules::definition::Source;
use crate::rules::{Evaluation, Subject, Updates, recycled};
use crate::timestamp::Timestamp;
use crate::view::{Data, Metric, Origin, Point, Temporality, Value, Visitor};

use crate::items::{Attribute, Fate, Home, PointItem, PointRoom, Told};
use crate::runtime::Engine;
use crate::workspace::Workspace;

/// The points of a request.
pub(crate) struct PointBatch<'a> {
    engine: &'a Engine,
    keys: &'a Keys,
    evaluation: Evaluation<'a>,
    work: Workspace,
    /// Points before this are late.
    deadline: Option<Timestamp>,
    /// Of resources, scopes and points, in the order of the walk.
    pub(crate) attributes: Vec<Attribute<'a>>,
    pub(crate) homes: Vec<Home<'a>>,
    pub(crate) metrics: Vec<Told<'a>>,
    pub(crate) items: Vec<PointItem<'a>>,
    home: Home<'a>,
    /// Whether the home at hand is among the homes.
    is_kept: bool,
    /// Where the attributes of the point at hand begin, and their hash so far.
    begin: usize,
    hash: u64,
    /// Attributes that were there when this chunk began: of the home and the point at hand.
    carried: usize,
    /// What it takes, whether it is evaluated whole or in chunks.
    bound: Bound,
}

/// How many points a batch takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// No more than one chunk holds; it leaves out the attributes that are too many.
    Chunk,
    /// All of them, in chunks.
    Chunks,
    /// All of them at once.
    None,
}

impl<'a> PointBatch<'a> {
    /// For a request of one chunk. It is full when there are more.
    pub(crate) fn new(engine: &'a Engine, keys: &'a Keys, now: Timestamp) -> Self {
        let mut work = engine.workspaces.take();
        let (scratch, told) = (std::mem::take(&mut work.scratch), engine.limits.label_value);
        let PointRoom { attributes, homes, metrics, items } = std::mem::take(&mut work.points);
        Self {
            engine,
            keys,
            evaluation: Evaluation::new(&engine.rules, (told, now), scratch),
            work,
            deadline: engine.limits.late.map(|late| now.before(late)),
            attributes: recycled(attributes),
            homes: recycled(homes),
            metrics: recycled(metrics),
            items: recycled(items),
            home: Home::default(),
            is_kept: false,
            begin: 0,
            hash: 0,
            carried: 0,
            bound: Bound::Chunk,
        }
    }

    /// For a request of several chunks, each ended by [`PointBatch::next_chunk`] when it is full.
    pub(crate) fn chunked(engine: &'a Engine, keys: &'a Keys, now: Timestamp) -> Self {
        Self { bound: Bound::Chunks, ..Self::new(engine, keys, now) }
    }

    /// Never full: for who may take as much memory as a request needs.
    pub(crate) fn unbounded(engine: &'a Engine, keys: &'a Keys, now: Timestamp) -> Self {
        Self { bound: Bound::None, ..Self::new(engine, keys, now) }
    }

    /// Forgets the points so far, which were folded. The home at hand stays, and before a point (`is_open`) its metric and attributes.
    pub(crate) fn next_chunk(&mut self, is_open: bool) {
        self.evaluation.restart();
        self.items.clear();
        let metric = self.metrics.pop().filter(|_| is_open);
        self.metrics.clear();
        self.metrics.extend(metric.map(|told| Told { home: 0, ..told }));
        let open = if is_open { self.begin } else { self.attributes.len() };
        let of = |range: Range<usize>| self.attributes.get(range).unwrap_or_default();
        let (resource, scope) = (of(self.home.resource.clone()), of(self.home.scope.clone()));
        let (resource_end, scope_end) = (resource.len(), resource.len() + scope.len());
        let stay = [resource, scope, of(open..self.attributes.len())].concat();
        self.attributes.clear();
        self.attributes.extend(stay);
        (self.home.resource, self.home.scope) = (0..resource_end, resource_end..scope_end);
        (self.begin, self.carried) = (scope_end, self.attributes.len());
        self.homes.clear();
        if self.is_kept {
            self.homes.push(self.home.clone());
        }
    }

    /// Leaves its memory to the next request.
    pub(crate) fn end(self) {
        let scratch = self.evaluation.into_scratch();
        let points = PointRoom {
            attributes: recycled(self.attributes),
            homes: recycled(self.homes),
            metrics: recycled(self.metrics),
            items: recycled(self.items),
        };
        self.engine.workspaces.give(Workspace { scratch, points, ..self.work });
    }

    /// What rules made of the points.
    pub(crate) fn updates(&self) -> &Updates {
        &self.evaluation.updates
    }

    fn stream(&self, metric: &Metric<'a>) -> Fingerprint {
        let kind = match metric.data {
            Data::Gauge => 0,
            Data::Sum { monotonic: false, .. } => 1,
            Data::Sum { monotonic: true, .. } => 2,
            Data::Histogram { .. } => 3,
            Data::Exponential { .. } => 4,
            Data::Summary => 5,
        };
        let is_delta = matches!(
            metric.data,
            Data::Sum { temporality: Temporality::Delta, .. }
                | Data::Histogram { temporality: Temporality::Delta }
                | Data::Exponential { temporality: Temporality::Delta }
        );
        let home = &self.home;
        let parts: [&[u8]; 9] = [
            &home.resource_hash.to_le_bytes(),
            home.scope_name,
            home.scope_version,
            home.schema,
            &home.scope_hash.to_le_bytes(),
            metric.name,
            metric.unit,
            &[kind, is_delta.into()],
            &self.hash.to_le_bytes(),
        ];
        Fingerprint::of(self.keys, &parts)
    }
}

/// Added up these say what attributes there are, in whatever order.
pub(crate) fn hash(keys: &Keys, key: &[u8], value: Value<'_>) -> u64 {
    let mut hasher = keys.hasher();
    let mut told = |tag: u8, bytes: &[u8]| {
        hasher.write_u8(tag);
        hasher.write_usize(bytes.len());
        hasher.write(bytes);
    };
    told(0, key);
    match value {
        Value::Empty => told(1, b""),
        Value::Text(text) => told(2, text),
        Value::Bool(value) => told(3, &[value.into()]),
        Value::Int(value) => told(4, &value.to_le_bytes()),
        Value::Double(value) => told(5, &value.to_bits().to_le_bytes()),
        Value::Bytes(bytes) => told(6, bytes),
        Value::Nested(nested) => told(7, nested.bytes),
    }
    hasher.finish()
}

impl<'a> Visitor<'a> for PointBatch<'a> {
    fn resource(&mut self) {
        self.evaluation.resource();
        let at = self.attributes.len();
        self.home = Home { resource: at..at, ..Home::default() };
        self.is_kept = false;
    }

    fn scope(&mut self, name: &'a [u8], version: &'a [u8]) {
        self.evaluation.scope(name);
        let at = self.attributes.len();
        let (scope_name, scope_version) = (name, version);
        let Home { resource_hash, resource, .. } = self.home.clone();
        let home = Home { resource_hash, resource, scope_name, scope_version, ..Home::default() };
        self.home = Home { scope: at..at, ..home };
        self.is_kept = false;
    }

    fn schema(&mut self, url: &'a [u8]) {
        self.home.schema = url;
    }

    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        self.evaluation.attribute(origin, key, value);
        let hash = hash(self.keys, key, value);
        if self.bound == Bound::Chunk && self.attributes.len() > limits::CHUNK_ATTRIBUTES {
            return; // it is full
        }
        self.attributes.push((key, value));
        let end = self.attributes.len();
        let (sum, range) = match origin {
            Origin::Resource => (&mut self.home.resource_hash, &mut self.home.resource),
            Origin::Scope => (&mut self.home.scope_hash, &mut self.home.scope),
            _ => {
                self.hash = self.hash.wrapping_add(hash);
                return;
            }
        };
        *sum = sum.wrapping_add(hash);
        range.end = end;
    }

    fn metric(&mut self, metric: &Metric<'a>) {
        if !std::mem::replace(&mut self.is_kept, true) {
            self.homes.push(self.home.clone());
        }
        let name = std::str::from_utf8(metric.name).unwrap_or_default();
        let passes = self.engine.points.pass.iter().any(|glob| glob.fits(name));
        let home = self.homes.len() - 1;
        self.metrics.push(Told { metric: *metric, home, passes });
        self.begin = self.attributes.len();
    }

    fn point(&mut self, metric: &Metric<'a>, point: &Point<'a>) {
        let end = self.attributes.len();
        let stream = self.stream(metric);
        let late = self.deadline.is_some_and(|limit| point.time.0 != 0 && point.time < limit);
        let begin = self.evaluation.updates.list.len();
        let mut fate = if late { Fate::Late } else { Fate::Unmatched };
        if !late && self.evaluation.reads(Source::Datapoint) {
            let item = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
            if self.evaluation.record(Subject::Point(point, metric), item, 1.0) {
                fate = Fate::Matched;
            }
        }
        self.evaluation.forget(Origin::Point);
        self.items.push(PointItem {
            metric: self.metrics.len().saturating_sub(1),
            point: *point,
            attributes: self.begin..end,
            stream,
            updates: begin..self.evaluation.updates.list.len(),
            fate,
        });
        (self.begin, self.hash) = (end, 0);
    }

    #[inline]
    fn is_full(&self) -> bool {
        let attributes = self.attributes.len() - self.carried;
        let has_items = self.items.len().max(self.metrics.len()) > limits::CHUNK_ITEMS;
        let is_full =
            has_items || attributes > limits::CHUNK_ATTRIBUTES || self.evaluation.updates.is_full();
        is_full && self.bound != Bound::None
    }
}
