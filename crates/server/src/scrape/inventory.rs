//! `/api/v1/inventory`: what arrives and what labels cost, as JSON. Its shape is [`engine::inventory::told::Inventory`].
//!
//! Names of records and metrics, attribute keys, label names and counts; never a value. It is worked out when it is asked for,
//! beside this thread, and takes one of the seats of scrapes, of which half are left to them.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use tokio::task::spawn_blocking;

use crate::clock;
use engine::limits;

use super::answer::{Answer, busy, internal, not_allowed};
use super::web::Web;

/// Where it is.
pub(super) const PATH: &str = "/api/v1/inventory";

/// The inventory; none of it for a HEAD.
pub(super) async fn inventory(web: &Web, method: &Method) -> Answer {
    let body = match *method {
        Method::HEAD => Vec::new(),
        Method::GET => {
            let free = web.seats.available_permits() > limits::SCRAPES / 2;
            let seat = web.seats.clone().try_acquire_owned();
            let Some(seat) = seat.ok().filter(|_| free) else {
                return busy("too many of these at once\n");
            };
            let pipeline = web.pipeline.clone();
            let made = spawn_blocking(move || {
                let _seat = seat;
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
