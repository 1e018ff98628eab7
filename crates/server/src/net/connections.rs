//! The open connections of a listener: how many there may be, and which one makes room for a new one.
//!
//! Whoever opens connections and leaves them idle must not lock out a bot that comes later. At the limit the new connection takes the
//! place of the one that has been idle for longest, those that never completed a request first. No peer has a share while there is
//! room; at the limit a peer on another machine that has more than its share gives first.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use engine::limits;

use crate::clock;
use crate::self_metrics::Closing;

use super::closer::Closer;
use super::events::ListenerEvents;

const EVICTED: &str =
    "it was the longest idle one, and a new one had no place: raise `server.otlp.connections`";

/// The connections of one listener.
#[derive(Debug)]
pub(super) struct Connections {
    /// Connections at once, at least 1.
    limit: usize,
    events: Arc<ListenerEvents>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// By the order in which they came.
    all: HashMap<u64, Entry>,
    accepted: u64,
    /// Connections of each peer on another machine.
    peers: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Entry {
    /// None for a peer on this machine, which has no share: all bots of a host come from one address.
    peer: Option<IpAddr>,
    activity: Arc<Activity>,
    closer: Closer,
}

/// When a connection was last of use.
#[derive(Debug)]
pub struct Activity {
    opened: Instant,
    /// Milliseconds from `opened` to the head of its last request, or to that request's answer.
    last: AtomicU64,
    /// Whether a request of it succeeded.
    served: AtomicBool,
}

impl Activity {
    fn new(opened: Instant) -> Self {
        Self { opened, last: AtomicU64::new(0), served: AtomicBool::new(false) }
    }

    /// The head of a request came.
    pub fn requested(&self) {
        let since = clock::monotonic().saturating_duration_since(self.opened);
        self.last.store(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// A request was answered.
    pub fn answered(&self, success: bool) {
        self.requested();
        if success {
            self.served.store(true, Ordering::Relaxed);
        }
    }

    fn idle(&self, now: Instant) -> Duration {
        let last = self.opened + Duration::from_millis(self.last.load(Ordering::Relaxed));
        now.saturating_duration_since(last)
    }

    fn served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(super) activity: Arc<Activity>,
    pub(super) closer: Closer,
    /// Whether another connection makes room for this one.
    pub(super) evicts: bool,
}

impl Connections {
    pub(super) fn new(limit: usize, events: Arc<ListenerEvents>) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(1), events, open: Mutex::default() })
    }

    /// A place for a new connection; none when there is none, and no idle connection to evict.
    pub(super) fn place(self: &Arc<Self>, peer: Option<IpAddr>, now: Instant) -> Option<Place> {
        let peer = peer.filter(|peer| !peer.to_canonical().is_loopback());
        let mut open = self.open();
        let evicts = open.all.len() >= self.limit;
        if evicts {
            let victim = open.victim(peer, self.share(), now)?;
            let entry = open.remove(victim)?;
            entry.closer.close(Closing::Evicted, EVICTED);
        }
        let number = open.accepted;
        open.accepted += 1;
        let (activity, closer) = (Arc::new(Activity::new(now)), Closer::default());
        open.insert(number, Entry { peer, activity: activity.clone(), closer: closer.clone() });
        self.events.opened();
        Some(Place { connections: self.clone(), number, activity, closer, evicts })
    }

    /// Connections of one peer on another machine, once there are as many as there may be.
    fn share(&self) -> usize {
        (self.limit / limits::PEER_PART).max(1)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The connection that makes room for a new one of this peer.
    fn victim(&self, peer: Option<IpAddr>, share: usize, now: Instant) -> Option<u64> {
        let count = |peer: Option<IpAddr>| peer.and_then(|peer| self.peers.get(&peer)).copied();
        // A peer that has its share makes room for itself.
        let own = count(peer).is_some_and(|count| count >= share);
        let candidates = self.all.iter().filter(|(_, one)| !own || one.peer == peer);
        let rank = |one: &Entry| {
            let over = !own && count(one.peer).is_some_and(|count| count > share);
            (Reverse(over), one.activity.served(), Reverse(one.activity.idle(now)))
        };
        let (number, victim) = candidates.min_by_key(|(_, one)| rank(one))?;
        let (Reverse(over), served, Reverse(idle)) = rank(victim);
        // One that has just done its work is not idle, it is between two requests.
        (over || !served || idle >= limits::EVICTION_IDLE).then_some(*number)
    }

    fn insert(&mut self, number: u64, entry: Entry) {
        if let Some(peer) = entry.peer {
            *self.peers.entry(peer).or_default() += 1;
        }
        self.all.insert(number, entry);
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.all.remove(&number)?;
        if let Some(peer) = entry.peer
            && let Some(count) = self.peers.get_mut(&peer)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.peers.remove(&peer);
            }
        }
        Some(entry)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // An evicted one is out of the table already.
        self.connections.open().remove(self.number);
        self.connections.events.ended();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::self_metrics::{Listener, Telemetry};
    use engine::timestamp::Timestamp;

    fn connections(limit: usize) -> Arc<Connections> {
        let telemetry = Telemetry::new("test", Arc::default(), Timestamp(1));
        let meter = telemetry.listener(Listener::OtlpHttp);
        Connections::new(limit, Arc::new(ListenerEvents::new(Listener::OtlpHttp, meter)))
    }

    fn here() -> Option<IpAddr> {
        Some([127, 0, 0, 1].into())
    }

    fn peer(last: u8) -> Option<IpAddr> {
        Some([10, 0, 0, last].into())
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn evicts_the_longest_idle_connection_and_those_without_a_request_first() {
        let (connections, start) = (connections(3), clock::monotonic());
        let place = |seconds: u32| connections.place(here(), start + seconds * SECOND).unwrap();
        let (served, old, young) = (place(0), place(1), place(2));
        served.activity.answered(true);
        assert!(!served.evicts);
        let fourth = place(3);
        assert!(fourth.evicts && old.closer.is_closed());
        drop(old);
        let _fifth = place(4);
        assert!(young.closer.is_closed() && !served.closer.is_closed());
        fourth.activity.answered(true);
    }

    #[test]
    fn refuses_a_new_connection_when_all_others_work() {
        let (connections, start) = (connections(2), clock::monotonic());
        let places: Vec<_> = (0..2).filter_map(|_| connections.place(here(), start)).collect();
        places.iter().for_each(|place| place.activity.answered(true));
        assert!(connections.place(here(), start).is_none());
        assert!(connections.place(here(), start + 2 * limits::EVICTION_IDLE).is_some());
    }

    #[test]
    fn a_peer_over_its_share_makes_room_for_others_and_for_itself() {
        let (connections, start) = (connections(8), clock::monotonic());
        let place = |last, seconds: u32| connections.place(peer(last), start + seconds * SECOND);
        let other = place(2, 0).unwrap();
        let many: Vec<_> = (1..=7).map(|second| place(1, second).unwrap()).collect();
        many.iter().for_each(|place| place.activity.answered(true));
        let third = place(3, 8).unwrap();
        assert!(third.evicts && !other.closer.is_closed(), "it is the oldest and has no request");
        assert_eq!(many.iter().filter(|place| place.closer.is_closed()).count(), 1);
        let own = place(1, 9).unwrap();
        assert!(own.evicts && !other.closer.is_closed() && !third.closer.is_closed());
    }

    #[test]
    fn places_are_given_back_once() {
        let (connections, start) = (connections(1), clock::monotonic());
        let first = connections.place(peer(1), start).unwrap();
        let second = connections.place(peer(1), start).unwrap();
        drop(first);
        assert_eq!(connections.open().all.len(), 1);
        drop(second);
        let open = connections.open();
        assert!(open.all.is_empty() && open.peers.is_empty());
    }
}
