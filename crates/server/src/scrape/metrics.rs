//! One scrape: negotiate, and begin the body.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    VARY,
};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;

use crate::clock;
use crate::self_metrics::WebRefusal;
use engine::exposition;
use engine::exposition::{Coder, Format, Options, Writer};

use super::answer::{Body, busy, text};
use super::body::{Scrape, Scraper, Streamed};
use super::scrapers::Client;
use super::slots::{SCRAPE_TIMEOUT, Slot};
use super::web::{Connection, Web};

/// All families, in the format and coding the scraper likes best; none of it for a HEAD.
pub fn metrics(web: &Web, asked: &Request<Incoming>, connection: &Connection) -> Response<Body> {
    let (is_head, asked) = (asked.method() == Method::HEAD, asked.headers());
    let client = connection.client.as_ref();
    let Some(slot) = web.slots.scrape(client.map(Arc::as_ref)) else {
        let why = "too many scrapes at once";
        web.refusals.refused(WebRefusal::Busy, connection.peer, why);
        return busy(why).map(Either::Left);
    };
    let seat = slot.until(asked, &connection.closer);
    let format = exposition::format(list(asked, ACCEPT).as_deref());
    let coding = exposition::encoding(list(asked, ACCEPT_ENCODING).as_deref());
    let (Ok(coder), Ok(media_type)) = (coding.coder(), format.content_type().parse()) else {
        let sorry = "the body could not be written\n";
        return text(StatusCode::INTERNAL_SERVER_ERROR, sorry).map(Either::Left);
    };
    let mut answer = Response::new(if is_head {
        Either::Left(Full::default())
    } else {
        Either::Right(begin(web, (format, coder), scraper(asked, client), seat))
    });
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if let Some(coding) = coding.as_str() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    answer
}

/// The client when it is a scraper.
fn scraper<'c>(asked: &HeaderMap, client: Option<&'c Arc<Client>>) -> Option<&'c Arc<Client>> {
    client.filter(|_| asked.contains_key(SCRAPE_TIMEOUT))
}

fn begin(
    web: &Web,
    (format, coder): (Format, Coder),
    scraper: Option<&Arc<Client>>,
    seat: Slot,
) -> Streamed {
    let (began, live) = (clock::now(), web.live.get());
    let scraper = scraper.map(|client| Scraper {
        client: client.clone(),
        began,
        // Read before any series is.
        changes: web.pipeline.changes(),
        hides: Arc::default(),
    });
    let zero_first = scraper.as_ref().map(|scraper| {
        let (show, hides) = (scraper.client.zero_first(live.zero_first, began), &scraper.hides);
        (show, hides.clone())
    });
    let show = move |piece: &mut _| {
        if let Some((show, hides)) = &zero_first {
            hides.fetch_or(show(piece), Ordering::Relaxed);
        }
    };
    let own = web.telemetry.families_of(&web.pipeline, began);
    let families = web.pipeline.gather(began, format.has_exemplars(), show).chain(own);
    Streamed::new(Scrape {
        families: Box::new(families.fuse()),
        writer: Writer::new(format, Options { created_lines: live.created_lines }),
        coder,
        plain: Vec::new(),
        telemetry: web.telemetry.clone(),
        seat,
        scraper,
        mark: web.mark_scrape.clone(),
    })
}

/// A list header as one text: lines of the same name are one list (RFC 9110, section 5.3). Bytes that are no text are as good as
/// absent.
fn list(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<&str> =
        headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
