//! Observations in classic buckets: with the family's edges, or with edges of the series' own as its senders chose them.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::model::amount::{Histogram as Sent, Sum};
use crate::model::{Exemplar, HistogramRow};

/// Counts for each bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Histogram {
    /// Edges of its own; none: the family's.
    own: Option<Arc<[f64]>>,
    counts: Box<[f64]>,
    sum: Sum,
    /// Empty until the first one.
    exemplars: Box<[Option<Exemplar>]>,
}

impl Histogram {
    /// Nothing, in buckets with so many edges of the family's.
    pub fn new(edges: usize) -> Self {
        Self {
            own: None,
            counts: vec![0.0; edges + 1].into(),
            sum: Sum::default(),
            exemplars: Box::default(),
        }
    }

    /// Nothing, in a sender's buckets.
    pub fn shaped(sent: &Sent) -> Self {
        Self { own: Some(sent.shape()), ..Self::new(sent.bounds().len()) }
    }

    /// Whether it has as many buckets, and whole: edges of its own are as many as it has counts for.
    pub fn is_like(&self, other: &Self) -> bool {
        let whole =
            |one: &Self| one.own.as_ref().is_none_or(|own| own.len() + 1 == one.counts.len());
        let own = self.own.is_some() || other.own.is_some();
        whole(self) && whole(other) && (own || self.counts.len() == other.counts.len())
    }

    /// Whether these are its own bounds.
    pub fn has_bounds(&self, bounds: &[f64]) -> bool {
        self.own.as_deref() == Some(bounds)
    }

    /// Whether nothing was counted.
    pub fn is_untouched(&self) -> bool {
        self.counts.iter().all(|count| *count == 0.0)
    }

    /// Counts one value. A bucket's upper edge belongs to it.
    pub fn observe(&mut self, value: f64, weight: f64, edges: &[f64], exemplar: Option<Exemplar>) {
        let at = edges.partition_point(|edge| *edge < value);
        if let Some(count) = self.counts.get_mut(at) {
            *count += weight;
        }
        self.sum.add(Some(value * weight));
        exemplar.into_iter().for_each(|one| self.remember(at, one));
    }

    /// Adds a sender's buckets. The family's edges are kept, if the sender has them all; else senders that chose different edges
    /// share those that both have: coarser, and still exact. False: the sender lacks an edge of the family's.
    pub fn merge(&mut self, sent: &Sent, edges: &[f64], exemplars: &[Exemplar]) -> bool {
        if edges.is_empty() {
            match &self.own {
                _ if self.is_untouched() => *self = Self::shaped(sent),
                Some(own) if **own != *sent.bounds() => self.share(sent.bounds()),
                _ => {}
            }
        }
        let own = self.own.clone();
        let edges = own.as_deref().unwrap_or(edges);
        if !edges.iter().all(|edge| sent.bounds().contains(edge)) {
            return false;
        }
        let uppers = sent.bounds().iter().copied().chain([f64::INFINITY]);
        for (upper, count) in uppers.zip(sent.counts()) {
            let at = edges.partition_point(|edge| *edge < upper);
            if let Some(slot) = self.counts.get_mut(at) {
                *slot += *count as f64;
            }
        }
        self.sum.add(sent.sum().known());
        if sent.has_negative() {
            self.sum.note_negative();
        }
        for one in exemplars {
            self.remember(edges.partition_point(|edge| *edge < one.value), *one);
        }
        true
    }

    /// Keeps only the edges that are among `others`.
    fn share(&mut self, others: &[f64]) {
        let Some(own) = &self.own else { return };
        let common: Arc<[f64]> = own.iter().copied().filter(|edge| others.contains(edge)).collect();
        let mut counts = vec![0.0; common.len() + 1];
        for (upper, count) in own.iter().copied().chain([f64::INFINITY]).zip(&self.counts) {
            let at = common.partition_point(|edge| *edge < upper);
            if let Some(slot) = counts.get_mut(at) {
                *slot += count;
            }
        }
        (self.counts, self.exemplars) = (counts.into(), Box::default());
        self.own = Some(common);
    }

    fn remember(&mut self, at: usize, exemplar: Exemplar) {
        if self.exemplars.is_empty() {
            self.exemplars = vec![None; self.counts.len()].into();
        }
        if let Some(slot) = self.exemplars.get_mut(at) {
            *slot = Some(exemplar);
        }
    }

    pub fn row(&self, exemplars: bool) -> HistogramRow {
        HistogramRow {
            bounds: self.own.clone(),
            counts: self.counts.clone(),
            sum: self.sum,
            exemplars: if exemplars { self.exemplars.clone() } else { Box::default() },
        }
    }
}
