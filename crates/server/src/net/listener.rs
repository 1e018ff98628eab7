//! Listeners: addresses to sockets, and an accept loop that no peer and no shortage can end.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::clock;
use crate::self_metrics::Closing;
use engine::limits;

use super::closer::Closer;
use super::connections::{Activity, Connections};
use super::events::ListenerEvents;
use super::{Deadlined, Deadlines, Drain, Opening};

/// Connections the kernel may keep for us between two accepts.
const BACKLOG: i32 = 1024;

const NO_PLACE: &str = "the listener has as many connections as it may, and all of them work: raise `server.otlp.connections`";

/// Where to listen, as people write it: `127.0.0.1:4317`, `[::1]:4317`, `localhost:4317`, or `:4317` for every interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    optional: bool,
}

impl Address {
    /// An address the operator asked for: no server without it.
    pub fn asked(text: impl Into<String>) -> Self {
        Self { text: text.into(), optional: false }
    }

    /// Addresses as they were written.
    pub fn texts(all: &[Self]) -> Vec<&str> {
        all.iter().map(|address| &*address.text).collect()
    }

    /// What it means, as far as that can be said without listening; a name may mean several.
    pub fn meant(&self) -> io::Result<Vec<SocketAddr>> {
        match self.text.strip_prefix(':') {
            Some(port) => {
                let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
                Ok(vec![(Ipv6Addr::UNSPECIFIED, port.parse().map_err(invalid)?).into()])
            }
            None => Ok(self.text.to_socket_addrs()?.collect()),
        }
    }

    /// The two loopback addresses of a default port. A machine without IPv6 does without the second.
    pub fn defaults(port: u16) -> Vec<Self> {
        let second = Self { text: format!("[::1]:{port}"), optional: true };
        vec![Self::asked(format!("127.0.0.1:{port}")), second]
    }
}

/// An address nobody can listen on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// As the operator wrote it.
    pub address: String,
    /// What the system said.
    pub source: io::Error,
}

/// A socket that listens, not yet on any runtime.
#[derive(Debug)]
pub struct Bound {
    listener: StdListener,
    /// With the port in use where 0 was asked for.
    pub address: SocketAddr,
}

/// Binds all addresses, or none.
///
/// # Errors
///
/// The first address that is none, is taken, or is not ours. Not an optional one, unless it is taken.
pub fn bind(addresses: &[Address]) -> Result<Vec<Bound>, BindError> {
    let mut bound = Vec::new();
    for address in addresses {
        match bind_one(address) {
            Ok(mut sockets) => bound.append(&mut sockets),
            Err(error) if address.optional && error.kind() != io::ErrorKind::AddrInUse => {
                tracing::info!(address = address.text, %error, "address left out");
            }
            Err(source) => return Err(BindError { address: address.text.clone(), source }),
        }
    }
    Ok(bound)
}

fn bind_one(address: &Address) -> io::Result<Vec<Bound>> {
    let meant = address.meant()?;
    if address.text.starts_with(':') {
        let bound = meant.into_iter().map(listen).collect();
        return match bound {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                let meant = address.meant()?.into_iter();
                meant.map(|v6| listen((Ipv4Addr::UNSPECIFIED, v6.port()).into())).collect()
            }
            result => result,
        };
    }
    meant.into_iter().map(listen).collect()
}

fn listen(address: SocketAddr) -> io::Result<Bound> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart finds its port although old connections linger.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` means every interface of either family, as it does for the tools beside us.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = StdListener::from(socket);
    let address = listener.local_addr()?;
    Ok(Bound { listener, address })
}

/// What a listener asks of every connection.
#[derive(Clone)]
pub struct Door {
    /// Connections at once.
    pub connections: usize,
    /// What each has to show first.
    pub opening: Opening,
    /// How long for everything.
    pub deadlines: Deadlines,
    /// When to stop.
    pub drain: Drain,
    /// Where connections are counted and logged.
    pub events: Arc<ListenerEvents>,
}

/// A connection that has a place.
pub struct Accepted {
    /// Its bytes.
    pub stream: Deadlined<TcpStream>,
    /// Who is at the other end; none when it has left already.
    pub peer: Option<SocketAddr>,
    /// Where its requests are noted, so that it is not taken for idle.
    pub activity: Arc<Activity>,
    /// Closes it.
    pub closer: Closer,
    /// Where it is counted and logged when it is closed.
    pub events: Arc<ListenerEvents>,
}

impl Door {
    /// Accepts until the drain begins, then what the kernel had accepted for us. Each connection is served in a task of its
    /// own: what goes wrong there, a panic included, ends there.
    pub async fn accept<F>(self, bound: Bound, serve: impl Fn(Accepted) -> F) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::from_std(bound.listener)?;
        let connections = Connections::new(self.connections, self.events.clone());
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.drain.begun() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    if self.admit(stream, &connections, &serve) {
                        // The evicted connection has its descriptor until its task has run.
                        tokio::task::yield_now().await;
                    }
                }
                Err(error) if is_peers(&error) => {}
                Err(error) => {
                    self.events.accept_failed(&error);
                    tokio::time::sleep(limits::ACCEPT_PAUSE).await;
                }
            }
        }
        let listener = listener.into_std()?;
        for stream in listener.incoming().take(self.connections).map_while(Result::ok) {
            stream.set_nonblocking(true)?;
            self.admit(TcpStream::from_std(stream)?, &connections, &serve);
        }
        Ok(())
    }

    /// Serves a connection in a task of its own. Returns whether another one makes room for it.
    fn admit<F>(
        &self,
        stream: TcpStream,
        connections: &Arc<Connections>,
        serve: &impl Fn(Accepted) -> F,
    ) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let peer = stream.peer_addr().ok();
        let peer = peer.map(|peer| SocketAddr::new(peer.ip().to_canonical(), peer.port()));
        let events = self.events.clone();
        let Some(place) = connections.place(peer.map(|peer| peer.ip()), clock::monotonic()) else {
            events.closed(Closing::ConnectionLimit, peer, NO_PLACE);
            return false;
        };
        let evicts = place.evicts;
        // Answers are whole when they are written: nothing is gained by waiting for more.
        let _ = stream.set_nodelay(true);
        let late = events.clone();
        let late = move |closing: Closing| late.closed(closing, peer, "a deadline has passed");
        let stream = Deadlined::new(stream, self.opening, &self.deadlines, Arc::new(late));
        let (activity, closer) = (place.activity.clone(), place.closer.clone());
        let counted = events.clone();
        let connection = serve(Accepted { stream, peer, activity, closer, events });
        self.drain.spawn(async move {
            tokio::select! {
                () = connection => {}
                (reason, why) = place.closer.closed() => counted.closed(reason, peer, why),
            }
        });
        evicts
    }
}

/// Whether an accept failed because of the peer, who is gone, and not of us.
fn is_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_zero_becomes_a_port_and_a_taken_one_is_named() {
        let bound = bind(&[Address::asked("127.0.0.1:0")]).unwrap();
        let address = bound[0].address;
        assert_ne!(address.port(), 0);
        let error = bind(&[Address::asked(address.to_string())]).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }

    #[test]
    fn an_address_we_lack_is_an_error_only_when_asked_for() {
        // 192.0.2.0/24 is for documentation, so no machine has it (RFC 5737).
        let elsewhere = "192.0.2.1:0";
        assert!(bind(&[Address::asked(elsewhere)]).is_err());
        let optional = Address { text: elsewhere.into(), optional: true };
        assert_eq!(bind(&[optional]).unwrap().len(), 0);
        for bad in ["nonsense", "127.0.0.1", ":x", ":70000", ""] {
            assert!(bind(&[Address::asked(bad)]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_bare_port_listens_everywhere() {
        let bound = bind(&[Address::asked(":0")]).unwrap();
        assert!(bound[0].address.ip().is_unspecified());
        let port = bound[0].address.port();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    }
}
