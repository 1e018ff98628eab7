//! One scrape: negotiate, gather, write, compress.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    RETRY_AFTER, VARY,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use tokio::sync::OwnedSemaphorePermit;

use crate::clock::Timestamp;
use crate::pipeline::Pipeline;
use crate::{clock, exposition, limits};

use super::scrapers::Scrapers;
use super::server::{Answer, Web, text};

/// Prometheus says with it how long it will wait; nobody else does.
const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// A body, and the seat it takes until its last byte has left.
struct Seated {
    body: Vec<u8>,
    _seat: OwnedSemaphorePermit,
    scraper: Option<Scraper>,
}

/// Whose scrape it is, and when it began.
struct Scraper {
    address: IpAddr,
    began: Timestamp,
    all: Arc<Scrapers>,
    pipeline: Arc<Pipeline>,
}

impl Drop for Seated {
    fn drop(&mut self) {
        // hyper lets go of a body when it was written, or when its reader left: the second is rare, and costs that reader
        // one birth.
        if let Some(Scraper { address, began, all, pipeline }) = self.scraper.take() {
            all.completed(address, began);
            pipeline.scraped(began);
        }
    }
}

impl AsRef<[u8]> for Seated {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// All families, in the format and coding the scraper likes best.
pub fn metrics(web: &Web, asked: &HeaderMap, peer: Option<IpAddr>) -> Answer {
    let Ok(seat) = web.seats.clone().try_acquire_owned() else {
        let mut busy = text(StatusCode::SERVICE_UNAVAILABLE, "too many scrapes at once\n");
        busy.headers_mut().insert(RETRY_AFTER, limits::RETRY_AFTER.as_secs().into());
        return busy;
    };
    let format = exposition::format(list(asked, ACCEPT).as_deref());
    let coding = exposition::encoding(list(asked, ACCEPT_ENCODING).as_deref());
    let mut body = Vec::new();
    let began = clock::now();
    let address = peer.filter(|_| asked.contains_key(SCRAPE_TIMEOUT) && !web.zero_first.is_zero());
    let families = web.pipeline.gather(began, |families| {
        if let Some(address) = address {
            web.scrapers.zero_first(address, families, web.zero_first, began);
        }
    });
    let written = exposition::write(&families, format, web.options, &mut body);
    web.pipeline.telemetry().scraped(written.quarantined);
    let (Ok(body), Ok(media_type)) = (coding.compress(body), format.content_type().parse()) else {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "the body could not be written\n");
    };
    let (all, pipeline) = (web.scrapers.clone(), web.pipeline.clone());
    let scraper = address.map(|address| Scraper { address, began, all, pipeline });
    let mut answer =
        Response::new(Full::new(Bytes::from_owner(Seated { body, _seat: seat, scraper })));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Some(coding) = coding.as_str() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    answer
}

/// A list header as one text: lines of the same name are one list (RFC 9110, section 5.3). Bytes that are no text are as good as
/// absent.
fn list(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<&str> =
        headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
