//! Slots for scrapes and the inventory: how many are under way at once, and until when.
//!
//! Clients that read slowly must not keep Prometheus out. A part of the slots is for clients that have completed a scrape before, and
//! every scrape has a deadline: the timeout of its scraper, if that says one.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::net::Closer;
use crate::self_metrics::Closing;
use engine::limits;

use super::scrapers::Client;

/// Prometheus says with it how long it will wait; no other client sends it.
pub(super) const SCRAPE_TIMEOUT: HeaderName =
    HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// All slots.
#[derive(Debug)]
pub struct Slots(Arc<Semaphore>);

/// One slot, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    deadline: Option<AbortHandle>,
}

impl From<OwnedSemaphorePermit> for Slot {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit, deadline: None }
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(limits::SCRAPES)))
    }
}

impl Slots {
    /// A slot for a scrape of this client; none: those that it may have are taken.
    pub(super) fn scrape(&self, client: Option<&Client>) -> Option<Slot> {
        let kept = match client.map(|client| client.has_completed()) {
            Some((true, _)) => 0,
            Some((false, true)) => limits::SCRAPES_KEPT.0,
            _ => limits::SCRAPES_KEPT.0 + limits::SCRAPES_KEPT.1,
        };
        self.beside(kept)
    }

    /// A slot for the inventory, which leaves half of them to scrapes.
    pub(super) fn inventory(&self) -> Option<Slot> {
        self.beside(limits::SCRAPES / 2)
    }

    /// A slot when more than `kept` are free.
    fn beside(&self, kept: usize) -> Option<Slot> {
        let free = self.0.available_permits();
        let permit = self.0.clone().try_acquire_owned().ok().filter(|_| free > kept)?;
        Some(permit.into())
    }
}

impl Slot {
    /// Closes the connection when the slot is still held after the time that the client waits.
    pub(super) fn until(mut self, headers: &HeaderMap, closer: &Closer) -> Self {
        let (within, closer) = (within(headers), closer.clone());
        let task = tokio::spawn(async move {
            sleep(within).await;
            closer.close(Closing::Stalled, "a scrape was not read within its timeout");
        });
        self.deadline = Some(task.abort_handle());
        self
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(deadline) = &self.deadline {
            deadline.abort();
        }
    }
}

/// How long a client has for its scrape.
fn within(headers: &HeaderMap) -> Duration {
    let (usual, most) = limits::SCRAPE_TIME;
    let seconds = headers.get(SCRAPE_TIMEOUT).and_then(|value| value.to_str().ok()?.parse().ok());
    let asked = seconds.and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok());
    asked.filter(|asked| !asked.is_zero()).unwrap_or(usual).min(most)
}

#[cfg(test)]
mod tests {
    use super::super::scrapers::Scrapers;
    use super::*;
    use engine::timestamp::Timestamp;

    #[test]
    fn keeps_slots_for_clients_that_have_completed_a_scrape() {
        let (slots, scrapers) = (Slots::default(), Arc::<Scrapers>::default());
        let connect = |last: u8| scrapers.connect([10, 0, 0, last].into());
        let (known, other, new) = (connect(1), connect(1), connect(2));
        known.completed(Timestamp(5), Some(0));
        let take = |client| slots.scrape(client);
        let taken: Vec<_> = std::iter::from_fn(|| take(Some(&new))).collect();
        assert_eq!(taken.len(), 6);
        assert!(take(None).is_none());
        let seventh = take(Some(&other)).unwrap();
        assert!(take(Some(&other)).is_none() && slots.inventory().is_none());
        let eighth = take(Some(&known)).unwrap();
        assert!(take(Some(&known)).is_none());
        drop((seventh, eighth, taken));
        let inventories: Vec<_> = std::iter::from_fn(|| slots.inventory()).collect();
        assert_eq!(inventories.len(), 4);
    }

    #[test]
    fn the_deadline_is_the_timeout_of_the_scraper_within_bounds() {
        let read =
            |text: &str| within(&HeaderMap::from_iter([(SCRAPE_TIMEOUT, text.parse().unwrap())]));
        assert_eq!(read("9.5"), Duration::from_millis(9500));
        assert_eq!((read("86400"), read("inf")), (limits::SCRAPE_TIME.1, limits::SCRAPE_TIME.0));
        for none in ["", "0", "-1", "nan", "10s"] {
            assert_eq!(read(none), limits::SCRAPE_TIME.0, "{none}");
        }
    }
}
