//! What waits for one target: bounded in bytes, and the oldest makes room for the newest.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::self_metrics::{Dropped, TargetMeter};
use engine::limits;
use engine::wire::ExportRequest;

/// The queue. Its bound holds for what waits and what is under way together.
pub(super) struct Queue {
    limit: AtomicUsize,
    state: Mutex<State>,
    arrived: Notify,
    pub(super) meter: TargetMeter,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Item>,
    /// What all items take, those under way included.
    held: usize,
    /// Nothing is taken any more.
    closed: bool,
}

struct Item {
    request: ExportRequest,
    attempts: u32,
}

impl Item {
    fn cost(&self) -> usize {
        self.request.bytes.len().saturating_add(limits::FORWARD_ITEM)
    }
}

/// A request under way. It has its place in the queue's bytes until this is dropped.
pub(super) struct Held {
    item: Option<Item>,
    cost: usize,
    queue: Arc<Queue>,
}

impl Queue {
    pub(super) fn new(limit: usize, meter: TargetMeter) -> Self {
        let limit = AtomicUsize::new(limit);
        Self { limit, state: Mutex::default(), arrived: Notify::new(), meter }
    }

    /// Another bound from the next request on.
    pub(super) fn rebound(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Takes a request in; what has to go for it is dropped and counted.
    pub(super) fn push(&self, request: ExportRequest) {
        let item = Item { request, attempts: 0 };
        let cost = item.cost();
        let mut dropped = Vec::new();
        let limit = self.limit.load(Ordering::Relaxed);
        let mut state = self.lock();
        if state.closed {
            drop(state);
            return self.meter.dropped(Dropped::Shutdown, 1);
        }
        while state.held.saturating_add(cost) > limit
            && let Some(oldest) = state.waiting.pop_front()
        {
            self.release(&mut state, oldest.cost());
            dropped.push(oldest);
        }
        if state.held.saturating_add(cost) > limit {
            dropped.push(item);
        } else {
            state.held += cost;
            self.meter.queued(cost);
            state.waiting.push_back(item);
        }
        drop(state);
        self.meter.dropped(Dropped::QueueFull, dropped.len() as u64);
        // Wakes the task only where it waits for this.
        self.arrived.notify_one();
    }

    /// The oldest request, once there is one.
    pub(super) async fn take(self: &Arc<Self>) -> Held {
        loop {
            if let Some(item) = self.lock().waiting.pop_front() {
                return Held { cost: item.cost(), item: Some(item), queue: self.clone() };
            }
            self.arrived.notified().await;
            // One wake for all that come in a moment: to wake another thread costs a door more than all else it does here.
            sleep(limits::FORWARD_LINGER).await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    /// Nothing more comes in.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// Lets go of everything that waits, and says how many that were.
    pub(super) fn clear(&self) -> u64 {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        waiting.iter().for_each(|item| self.release(&mut state, item.cost()));
        drop(state);
        waiting.len() as u64
    }

    fn release(&self, state: &mut State, cost: usize) {
        state.held = state.held.saturating_sub(cost);
        self.meter.unqueued(cost);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing here panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The request, to be sent.
    pub(super) fn request(&self) -> Option<ExportRequest> {
        self.item.as_ref().map(|item| item.request.clone())
    }

    /// It was tried again to no end: how often it was.
    pub(super) fn attempted(&mut self) -> u32 {
        self.item.as_mut().map_or(u32::MAX, |item| {
            item.attempts = item.attempts.saturating_add(1);
            item.attempts
        })
    }

    /// Back to where it came from: it is still the oldest.
    pub(super) fn put_back(mut self) {
        if let Some(item) = self.item.take() {
            self.queue.lock().waiting.push_front(item);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.item.is_some() {
            self.queue.release(&mut self.queue.lock(), self.cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::self_metrics::Telemetry;
    use engine::timestamp::Timestamp;
    use engine::view::Signal;
    use engine::wire::{Coding, Encoding};

    fn request(name: u8, length: usize) -> ExportRequest {
        ExportRequest {
            signal: Signal::Traces,
            encoding: Encoding::Protobuf,
            coding: Coding::Identity,
            hops: 0,
            bytes: Bytes::from(vec![name; length]),
        }
    }

    fn queue(limit: usize) -> Arc<Queue> {
        let telemetry = Telemetry::new("test", Default::default(), Timestamp(1));
        Arc::new(Queue::new(limit, telemetry.target("t:1", &[Signal::Traces])))
    }

    fn first(held: &Held) -> u8 {
        held.request().unwrap().bytes[0]
    }

    #[tokio::test]
    async fn the_oldest_makes_room_and_what_is_under_way_keeps_its_place() {
        let cost = 1000 + limits::FORWARD_ITEM;
        let queue = queue(3 * cost);
        (1..=3).for_each(|name| queue.push(request(name, 1000)));
        let under_way = queue.take().await;
        assert_eq!(first(&under_way), 1);
        queue.push(request(4, 1000));
        assert_eq!(queue.meter.count(Dropped::QueueFull), 1, "2 went for 4");
        under_way.put_back();
        let mut names = Vec::new();
        for _ in 0..3 {
            names.push(first(&queue.take().await));
        }
        assert_eq!(names, [1, 3, 4]);
        assert_eq!(queue.lock().held, 0);
        assert_eq!(queue.meter.bytes(), 0);
    }

    #[tokio::test]
    async fn nothing_is_free_and_nothing_fits_that_is_larger_than_the_queue() {
        let queue = queue(4 * limits::FORWARD_ITEM);
        (0..10).for_each(|_| queue.push(request(1, 0)));
        assert_eq!((queue.lock().waiting.len(), queue.meter.count(Dropped::QueueFull)), (4, 6));
        queue.push(request(2, 4 * limits::FORWARD_ITEM));
        assert_eq!(queue.meter.count(Dropped::QueueFull), 11, "it and all before it");
        queue.push(request(3, 0));
        queue.close();
        queue.push(request(4, 0));
        assert_eq!(queue.meter.count(Dropped::Shutdown), 1);
        assert_eq!((queue.clear(), queue.meter.bytes()), (1, 0));
    }
}
