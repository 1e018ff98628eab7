//! Connections by listener: how many are open, and why others were closed.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Closing, Labels, Listener};

/// The families, by listener.
#[derive(Debug, Default)]
pub(super) struct Connections {
    closed: Family<Labels<2>, Counter>,
    open: Family<Labels<1>, Gauge>,
}

impl Connections {
    pub(super) fn register(&self, own: &mut Registry) {
        let help = "Connections closed before their peer ended them, by listener and reason";
        own.register("closed_connections", help, self.closed.clone());
        let help = "Open connections, by listener";
        own.register("open_connections", help, self.open.clone());
    }

    /// The numbers of one listener, all at 0 from now on.
    pub(super) fn meter(&self, listener: Listener) -> ListenerMeter {
        let name = || ("listener", listener.as_str().into());
        let closed = |reason: Closing| {
            let labels: Labels<2> = [name(), ("reason", reason.as_str().into())];
            self.closed.get_or_create_owned(&labels)
        };
        ListenerMeter {
            closed: Closing::ALL.map(closed),
            open: self.open.get_or_create_owned(&[name()]),
        }
    }
}

/// The numbers of one listener. Listeners on several addresses that serve the same share them.
#[derive(Clone, Debug)]
pub struct ListenerMeter {
    closed: [Counter; Closing::COUNT],
    open: Gauge,
}

impl ListenerMeter {
    /// A connection was closed by this process.
    pub fn closed(&self, reason: Closing) {
        if let Some(counter) = self.closed.get(reason.index()) {
            counter.inc();
        }
    }

    /// A connection was accepted.
    pub fn opened(&self) {
        self.open.inc();
    }

    /// An accepted connection ended.
    pub fn ended(&self) {
        self.open.dec();
    }
}
