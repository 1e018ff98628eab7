//! Where a request to the web port comes from: the host that it names, and whether a page of another site sends it.
//!
//! A browser of the operator reaches the loopback interface, and any page in it can make it send requests there. Such a page can neither
//! forge `Origin` and `Sec-Fetch-Site`, nor a `Host` that is an address: with a name of its own that resolves to this machine (DNS
//! rebinding) the name is in `Host`.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, HeaderName, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Uri};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The host and port that a request names; none: it names none, or not one.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    if let Some(authority) = uri.authority() {
        return Some(authority.clone());
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?.parse().ok();
    if hosts.next().is_some() { None } else { host }
}

/// Whether a host is an address, this machine's own name for itself, or one of `hosts`.
fn is_ours(host: &str, hosts: &[String]) -> bool {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    plain.parse::<IpAddr>().is_ok()
        || host.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
}

/// Whether the host that a request names is served. With no `hosts` every one is.
pub(super) fn is_served(uri: &Uri, headers: &HeaderMap, hosts: &[String]) -> bool {
    hosts.is_empty() || authority(uri, headers).is_some_and(|one| is_ours(one.host(), hosts))
}

/// Whether a page of another site sends it.
fn is_cross_site(uri: &Uri, headers: &HeaderMap) -> bool {
    let foreign_site = headers
        .get_all(SEC_FETCH_SITE)
        .iter()
        .any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    let own = authority(uri, headers);
    let same = |origin: &[u8]| {
        let (_, origin) = std::str::from_utf8(origin).ok()?.split_once("://")?;
        Some(*own.as_ref()? == origin.parse::<Authority>().ok()?)
    };
    let mut origins = headers.get_all(ORIGIN).iter();
    foreign_site || origins.any(|origin| same(origin.as_bytes()) != Some(true))
}

/// Who asks for a reload.
pub(super) struct Asking<'r> {
    pub(super) peer: Option<SocketAddr>,
    /// Whether a password or a certificate was checked, or the operator opens reloads to all.
    pub(super) is_trusted: bool,
    pub(super) hosts: &'r [String],
}

/// Why a reload is refused; none: it is not.
pub(super) fn refuse_reload(
    uri: &Uri,
    headers: &HeaderMap,
    asking: &Asking<'_>,
) -> Option<&'static str> {
    if is_cross_site(uri, headers) {
        return Some("a page of another site may not reload");
    }
    if asking.is_trusted {
        return None;
    }
    if !asking.peer.is_some_and(|peer| peer.ip().is_loopback()) {
        return Some(
            "from another machine a reload needs --web.enable-lifecycle, or a password or client certificate \
             (--web.config.file)",
        );
    }
    let named = authority(uri, headers);
    if named.is_some_and(|one| is_ours(one.host(), asking.hosts)) {
        return None;
    }
    Some("the host of the request is not one of this machine: add it to `server.web.hosts`")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        let mut headers = HeaderMap::new();
        pairs.iter().map(pair).for_each(|(name, value)| {
            let _ = headers.append(name, value);
        });
        headers
    }

    fn reloads(peer: [u8; 4], is_trusted: bool, pairs: &[(HeaderName, &'static str)]) -> bool {
        let hosts = ["oscar.internal".to_owned()];
        let peer = Some((peer, 40_000).into());
        let asking = Asking { peer, is_trusted, hosts: &hosts };
        refuse_reload(&Uri::from_static("/-/reload"), &headers(pairs), &asking).is_none()
    }

    #[test]
    fn reloads_from_loopback_and_no_page_of_another_site() {
        const HERE: [u8; 4] = [127, 0, 0, 1];
        let host = |host| (HOST, host);
        for good in
            ["localhost:9464", "127.0.0.1:9464", "[::1]:9464", "oscar.internal", "OSCAR.Internal:1"]
        {
            assert!(reloads(HERE, false, &[host(good)]), "{good}");
            assert!(!reloads([10, 0, 0, 1], false, &[host(good)]), "{good}");
            assert!(reloads([10, 0, 0, 1], true, &[host(good)]), "{good}");
        }
        assert!(!reloads(HERE, false, &[]));
        assert!(!reloads(HERE, false, &[host("evil.example:9464")]), "DNS rebinding");
        assert!(!reloads(HERE, false, &[host("localhost"), host("evil.example")]));
        let here = host("localhost:9464");
        for foreign in [
            (ORIGIN, "http://evil.example"),
            (ORIGIN, "http://localhost:3000"),
            (ORIGIN, "null"),
            (SEC_FETCH_SITE, "cross-site"),
            (SEC_FETCH_SITE, "same-site"),
        ] {
            assert!(!reloads(HERE, true, &[here.clone(), foreign.clone()]), "{foreign:?}");
        }
        let own = [here, (ORIGIN, "http://localhost:9464"), (SEC_FETCH_SITE, "same-origin")];
        assert!(reloads(HERE, false, &own));
    }

    #[test]
    fn serves_listed_hosts_and_addresses() {
        let served = |host, hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            is_served(&Uri::from_static("/metrics"), &headers(&[(HOST, host)]), &hosts)
        };
        assert!(served("anything.example", &[]));
        assert!(served("10.1.2.3:9464", &["a.example"]) && served("A.example:1", &["a.example"]));
        assert!(
            !served("evil.example", &["a.example"]) && !served("a.example.evil", &["a.example"])
        );
    }
}
