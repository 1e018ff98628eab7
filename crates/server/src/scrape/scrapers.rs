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
use tokio::sync::Notify;

/// All scrapers and their open connections.
#[derive(Debug, Default)]
pub struct Scrapers {
    state: Mutex<State>,
    /// When the latest scrape began all of whose values were read, shared with the pipeline.
    latest: Arc<AtomicU64>,
    /// Set by every completed scrape and closed connection.
    news: Notify,
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
    /// The changes that a completed scrape of it has shown, all of them.
    shown: u64,
}

#[derive(Debug, Default)]
struct Address {
    /// When its last completed scrape began; 0: it has completed none.
    last: Timestamp,
    /// What was born until then is shown with its value. It only rises.
    born: Timestamp,
    /// The changes that a completed scrape of it has shown, all of them.
    shown: u64,
}

/// An open connection of the web port; forgotten when it is dropped.
#[derive(Debug)]
pub struct Client {
    scrapers: Arc<Scrapers>,
    number: u64,
    address: IpAddr,
}

impl Scrapers {
    /// No scraper yet. `latest` becomes the time at which the latest scrape began all of whose values were read.
    pub fn new(latest: Arc<AtomicU64>) -> Self {
        Self { latest, ..Self::default() }
    }

    /// A connection from this address is open, until the client is dropped.
    pub fn connect(self: &Arc<Self>, address: IpAddr) -> Client {
        let mut state = self.state();
        let number = state.accepted;
        state.accepted += 1;
        let (last, longest, shown) = Default::default();
        let connection = Connection { address, last, longest, shown };
        state.connections.insert(number, connection);
        Client { scrapers: self.clone(), number, address }
    }

    /// Whether there is a scraper, and every one was shown all of the first `changes` changes to series. A scraper is an open
    /// connection that completed a scrape, or an address without one that did lately.
    pub fn were_shown(&self, changes: u64, now: Timestamp) -> bool {
        let state = self.state();
        let open = state.connections.values().filter(|one| one.last.is_known());
        let gone = now.before(limits::SCRAPER_GONE);
        let closed = state.addresses.iter().filter(|(address, one)| {
            one.last > gone && !open.clone().any(|connection| connection.address == **address)
        });
        let mut shown = open.clone().map(|one| one.shown).chain(closed.map(|(_, one)| one.shown));
        let fewest = shown.next().map(|first| shown.fold(first, u64::min));
        fewest.is_some_and(|fewest| fewest >= changes)
    }

    /// Waits until [`were_shown`](Self::were_shown) may have changed. One caller waits at a time.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// A scrape begins now: what shows the young series at 0, and returns whether one of them holds more. A series that is as old as
    /// `zero_first` is no longer young.
    pub fn zero_first(
        &self,
        zero_first: Duration,
        now: Timestamp,
    ) -> impl Fn(&mut FamilySnapshot) -> bool + Send + use<> {
        let seen = self.scrapers.state().seen(self.address, zero_first, now);
        move |piece: &mut FamilySnapshot| {
            let young = |born: Timestamp| born > seen;
            let young = piece.rows.iter_mut().filter(|row| row.born.is_some_and(young));
            // Each of them is reset, so `any` would stop too early.
            young.map(|row| row.value.reset()).filter(|hides| *hides).count() > 0
        }
    }

    /// All values of a scrape that began then were read, and its last byte was not sent. A snapshot after it must not take its series for
    /// ones that no scraper has seen, so this does not wait until it is [`completed`](Self::completed).
    pub fn completing(&self, began: Timestamp) {
        self.scrapers.latest.fetch_max(began.0, Ordering::Relaxed);
    }

    /// Whether this connection completed a scrape before, and whether any one from its address did.
    pub fn has_completed(&self) -> (bool, bool) {
        let state = self.scrapers.state();
        let connection = state.connections.get(&self.number).map(|one| one.last);
        let address = state.addresses.get(&self.address).map(|one| one.last);
        let known = |last: Option<Timestamp>| last.is_some_and(Timestamp::is_known);
        (known(connection), known(address))
    }

    /// A scrape that began then was read to its end. It showed so many changes; none: it showed a series at 0 that holds more.
    pub fn completed(&self, began: Timestamp, changes: Option<u64>) {
        let changes = changes.unwrap_or_default();
        let mut state = self.scrapers.state();
        if let Some(connection) = state.connections.get_mut(&self.number) {
            if connection.last.is_known() {
                connection.longest = connection.longest.max(began.since(connection.last));
            }
            connection.last = connection.last.max(began);
            connection.shown = connection.shown.max(changes);
        }
        let address = state.address(self.address);
        address.last = address.last.max(began);
        address.shown = address.shown.max(changes);
        drop(state);
        self.scrapers.news.notify_one();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.scrapers.state().connections.remove(&self.number);
        self.scrapers.news.notify_one();
    }
}

impl State {
    /// The latest birth whose value an address is shown.
    fn seen(&mut self, address: IpAddr, zero_first: Duration, now: Timestamp) -> Timestamp {
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
        address.born = address.born.max(seen).max(now.before(zero_first));
        address.born
    }

    /// What is known of an address. For a new one that of another may have to be forgotten.
    fn address(&mut self, address: IpAddr) -> &mut Address {
        if self.addresses.len() >= limits::SCRAPERS && !self.addresses.contains_key(&address) {
            let oldest = self.addresses.iter().min_by_key(|(_, one)| one.last);
            let oldest = oldest.map(|(oldest, _)| *oldest);
            let gone = oldest.and_then(|oldest| self.addresses.remove(&oldest));
            self.forgotten = self.forgotten.max(gone.unwrap_or_default().born);
        }
        let born = self.forgotten;
        self.addresses.entry(address).or_insert(Address { born, ..Address::default() })
    }
}

#[cfg(test)]
mod tests;
