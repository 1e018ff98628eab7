//! `/`: the page that says what this is and where everything is. It shows no telemetry.

use content::page;
use http::{Response, StatusCode, header};
use http_body_util::Full;

use super::answer::Answer;
use super::web::Web;

/// The page.
pub fn landing(web: &Web) -> Answer {
    let shown = page::Landing {
        version: env!("CARGO_PKG_VERSION"),
        metrics: &web.telemetry_path,
        addresses: &web.addresses,
    };
    let mut answer = Response::new(Full::new(page::landing(&shown).into()));
    *answer.status_mut() = StatusCode::OK;
    let headers = answer.headers_mut();
    let html = header::HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    // Nothing on the page needs more than its own style, and no other page may show it in a frame.
    let policy = header::HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
}
