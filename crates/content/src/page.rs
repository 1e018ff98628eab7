//! `/`: one page that says what this is and where everything is. It shows no telemetry.

use std::fmt::Write;
use std::net::SocketAddr;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<title>oscar-metrics</title>\n<style>\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;\
    color-scheme:light dark}td{padding:.1rem 1.5rem .1rem 0;vertical-align:top}\
    code{font-size:.95em}</style>\n</head>\n<body>\n";

/// What the page shows.
#[derive(Clone, Debug)]
pub struct Landing<'p> {
    /// Of the program.
    pub version: &'p str,
    /// Path of the metrics.
    pub metrics: &'p str,
    /// What listens where.
    pub addresses: &'p [(&'static str, SocketAddr)],
}

/// The page, in HTML.
pub fn landing(page: &Landing<'_>) -> String {
    let mut rows = String::new();
    for (what, address) in page.addresses {
        let (what, address) = (escape(what), escape(&address.to_string()));
        let _ = writeln!(rows, "<tr><td>{what}</td><td><code>{address}</code></td></tr>");
    }
    let version = escape(page.version);
    let path = escape(page.metrics);
    format!(
        "{HEAD}<h1>oscar-metrics</h1>\n<p>Turns what a chat bot emits over OpenTelemetry into \
         Prometheus series. Version {version}.</p>\n\
         <ul>\n<li><a href=\"{path}\">{path}</a>: what Prometheus scrapes</li>\n\
         <li><a href=\"/api/v1/inventory\">/api/v1/inventory</a>: what arrives, and what labels cost; \
         <code>oscar-metrics explore</code> reads it</li>\n\
         <li><a href=\"/-/healthy\">/-/healthy</a>: whether the process lives</li>\n\
         <li><a href=\"/-/ready\">/-/ready</a>: whether it takes telemetry</li>\n\
         <li><code>POST /-/reload</code>: read the config again</li>\n</ul>\n\
         <h2>Listening</h2>\n<table>\n{rows}</table>\n</body>\n</html>\n"
    )
}

/// Text that is no markup, in an element and in a quoted attribute.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_not_become_markup() {
        assert_eq!(escape("/m\"><script>'&"), "/m&quot;&gt;&lt;script&gt;&#39;&amp;");
    }
}
