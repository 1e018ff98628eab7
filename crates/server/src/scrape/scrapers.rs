//! Zero first: which scraper has completed what, so that a young series is first shown at 0.
//!
//! `increase()` needs two samples, so a counter whose first sample is 1 has lost its first event. A scraper is a client that sends
//! Prometheus' scrape timeout header. Several may share an address (a NAT, a proxy), and then only their connections tell them apart.
//! Which connection of a pool comes next is not known, so what is shown is decided for each address: it sees 0 until every scraper
//! behind it had the chance to see it, and the value from then on, because a 0 after a value would count it twice.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::limits;
use engine::model::FamilySnapshot;
use engine::timestamp::Timestamp;

/// All scrapers and their open connections.
#[derive(Debug, Default)]
pub struct Scrapers {
    state: Mutex<State>,
    /// When the latest completed scrape began, shared with the pipeline.
    latest: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct State {
    /// The open connections by their number, at most [`limits::CONNECTIONS`] of each listener.
    connections: HashMap<u64, Connection>,
    /// Connections accepted so far.
    accepted: u64,
    /// At most [`limits::SCRAPERS`].
    addresses: HashMap<IpAddr, Address>,
    /// The latest birth that a forgotten address may have seen the value of.
    forgotten: Timestamp,
}

#[derive(Debug)]
struct Connection {
    address: IpAddr,
    /// When its last completed scrape began; 0: it has completed none.
    last: Timestamp,
    /// The longest time from the begin of one completed scrape to that of the next; zero: there were no two.
    longest: Duration,
}

#[derive(Debug, Default)]
struct Address {
    /// When its last completed scrape began; 0: it has completed none.
    last: Timestamp,
    /// What was born until then is shown with its value. It only rises.
    shown: Timestamp,
}

/// An open connection of the web port; forgotten when it is dropped.
#[derive(Debug)]
pub struct Client {
    scrapers: Arc<Scrapers>,
    number: u64,
    address: IpAddr,
}

impl Scrapers {
    /// No scraper yet. `latest` becomes the time at which the latest completed scrape began.
    pub fn new(latest: Arc<AtomicU64>) -> Self {
        Self { latest, ..Self::default() }
    }

    /// A connection from this address is open, until the client is dropped.
    pub fn connect(self: &Arc<Self>, address: IpAddr) -> Client {
        let mut state = self.state();
        let number = state.accepted;
        state.accepted += 1;
        let connection =
            Connection { address, last: Timestamp::default(), longest: Duration::ZERO };
        state.connections.insert(number, connection);
        Client { scrapers: self.clone(), number, address }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// A scrape begins now: what shows the young series at 0. A series that is as old as `zero_first` is no longer young.
    pub fn zero_first(
        &self,
        zero_first: Duration,
        now: Timestamp,
    ) -> impl Fn(&mut FamilySnapshot) + Send + use<> {
        let shown = self.scrapers.state().shown(self.address, zero_first, now);
        move |piece: &mut FamilySnapshot| {
            let young = |born: Timestamp| born > shown;
            for row in piece.rows.iter_mut().filter(|row| row.born.is_some_and(young)) {
                row.value.reset();
            }
        }
    }

    /// A scrape that began then was read to its end.
    pub fn completed(&self, began: Timestamp) {
        self.scrapers.latest.fetch_max(began.0, Ordering::Relaxed);
        let mut state = self.scrapers.state();
        if let Some(connection) = state.connections.get_mut(&self.number) {
            if connection.last.is_known() {
                connection.longest = connection.longest.max(began.since(connection.last));
            }
            connection.last = connection.last.max(began);
        }
        let address = state.address(self.address);
        address.last = address.last.max(began);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.scrapers.state().connections.remove(&self.number);
    }
}

impl State {
    /// The latest birth whose value an address is shown.
    fn shown(&mut self, address: IpAddr, zero_first: Duration, now: Timestamp) -> Timestamp {
        let waiting =
            self.connections.values().filter(|one| one.address == address && one.last.is_known());
        let (mut slowest, mut longest) = (None, Duration::ZERO);
        for connection in waiting {
            slowest = slowest.into_iter().chain([connection.last]).min();
            longest = longest.max(connection.longest);
        }
        let address = self.address(address);
        let all = slowest.unwrap_or(address.last);
        // A connection that lies idle in a pool is not waited for longer than a scraper is late.
        let late = longest.saturating_mul(limits::LATE_SCRAPE.0) / limits::LATE_SCRAPE.1;
        let all = if longest.is_zero() { all } else { all.max(now.before(late)) };
        let seen = all.min(address.last);
        address.shown = address.shown.max(seen).max(now.before(zero_first));
        address.shown
    }

    /// What is known of an address. For a new one that of another may have to be forgotten.
    fn address(&mut self, address: IpAddr) -> &mut Address {
        if self.addresses.len() >= limits::SCRAPERS && !self.addresses.contains_key(&address) {
            let oldest = self.addresses.iter().min_by_key(|(_, one)| one.last);
            let oldest = oldest.map(|(oldest, _)| *oldest);
            let gone = oldest.and_then(|oldest| self.addresses.remove(&oldest));
            self.forgotten = self.forgotten.max(gone.unwrap_or_default().shown);
        }
        let shown = self.forgotten;
        self.addresses.entry(address).or_insert(Address { last: Timestamp::default(), shown })
    }
}

#[cfg(test)]
mod tests;
