//! Where a process is to be found: counters go on only where whoever scrapes them takes them for the same.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::net::Address;
use engine::limits;

use super::super::options::ServeOptions;

/// Addresses for documentation (RFC 5737, RFC 3849): nobody has them, and the way there is the way out.
const ELSEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// The machine's name and the addresses that are listened on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    host: String,
    addresses: Vec<SocketAddr>,
    /// Of a machine that is listened on as a whole: an instance is called by these.
    outward: Vec<IpAddr>,
}

impl Home {
    /// Of a server with these options.
    pub fn of(options: &ServeOptions) -> Self {
        let asked = options.grpc.iter().chain(&options.http).chain(&options.web);
        let meant = asked.map(Address::meant).filter_map(Result::ok).flatten();
        let mut addresses: Vec<SocketAddr> = meant.collect();
        addresses.sort();
        let whole = addresses.iter().any(|address| address.ip().is_unspecified());
        let outward = ELSEWHERE.into_iter().filter_map(outward).collect();
        Self {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            outward: if whole { outward } else { Vec::new() },
            addresses,
        }
    }

    /// Whether a process here is taken for one there. Port 0 is another port each time.
    pub fn is(&self, other: &Self) -> bool {
        self == other && self.addresses.iter().all(|address| address.port() != 0)
    }
}

/// A boot of the machine: what was written and not synced before is lost at the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot(Option<String>);

impl Boot {
    /// This one.
    pub fn current() -> Self {
        let id = super::dir::read(Path::new("/proc/sys/kernel/random/boot_id"), limits::KIB);
        Self(id.ok().flatten().and_then(|id| String::from_utf8(id).ok()))
    }

    /// Whether both are known and the same.
    pub fn is(&self, other: &Self) -> bool {
        self.0.is_some() && self == other
    }
}

/// Our own address on the way to another. Nothing is sent.
fn outward(to: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(host: &str, address: &str) -> Home {
        let addresses = vec![address.parse().unwrap()];
        Home { host: host.into(), addresses, outward: Vec::new() }
    }

    #[test]
    fn a_boot_that_is_not_known_is_no_other() {
        assert!(Boot::current().is(&Boot::current()));
        assert!(!Boot(None).is(&Boot(None)) && !Boot(Some("a".into())).is(&Boot::current()));
    }

    #[test]
    fn another_name_address_or_any_port_is_another_home() {
        let one = home("a", "127.0.0.1:9464");
        assert!(one.is(&home("a", "127.0.0.1:9464")));
        assert!(!one.is(&home("b", "127.0.0.1:9464")));
        assert!(!one.is(&home("a", "127.0.0.1:9465")));
        assert!(!home("a", "127.0.0.1:0").is(&home("a", "127.0.0.1:0")));
    }
}
