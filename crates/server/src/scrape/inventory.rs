//! `/api/v1/inventory`: what arrives and what labels cost, as JSON. Its shape is [`engine::inventory::told::Inventory`].
//!
//! Names of records and metrics, attribute keys, label names and counts; never a value. It is worked out when it is asked for,
//! beside this thread, and takes one of the slots of scrapes, of which half are left to them.

use std::net::SocketAddr;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use tokio::task::spawn_blocking;

use super::answer::{Answer, busy, internal, not_allowed};
use super::web::Web;
use crate::clock;
use crate::self_metrics::WebRefusal;

/// Where it is.
pub(super) const PATH: &str = "/api/v1/inventory";

/// The inventory; none of it for a HEAD.
pub(super) async fn inventory(web: &Web, method: &Method, peer: Option<SocketAddr>) -> Answer {
    let body = match *method {
        Method::HEAD => Vec::new(),
        Method::GET => {
            let Some(slot) = web.slots.inventory() else {
                let why = "too many of these at once";
                web.refusals.refused(WebRefusal::Busy, peer, why);
                return busy(why);
            };
            let pipeline = web.pipeline.clone();
            let made = spawn_blocking(move || {
                let _slot = slot;
                serde_json::to_vec(&pipeline.inventory(clock::now()))
            });
            let Ok(Ok(body)) = made.await else { return internal() };
            body
        }
        _ => return not_allowed("GET, HEAD"),
    };
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = StatusCode::OK;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
