//! The sections about the process: addresses, bounds, state, forwarding, privacy, data points.

use serde_json::{Value, json};

use super::{boolean, closed, count, list, refer, section, some, text, told, words};

pub(super) fn sections() -> Vec<(&'static str, Value)> {
    vec![
        ("server", section(server())),
        ("limits", section(limits())),
        ("state", section(state())),
        ("forward", section(told(list(forward()), "Where the bot's own bytes are passed on to."))),
        ("privacy", section(privacy())),
        ("datapoints", section(datapoints())),
    ]
}

pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    let number = r"[0-9]+(\.[0-9]*)?";
    let quantity = |units: &str, parts: &str, about: &str| {
        let pattern = format!(r"^({number}({units})){parts}$|\$\{{");
        json!({"description": about, "type": "string", "pattern": pattern})
    };
    vec![
        (
            "time",
            quantity("ns|us|ms|s|m|h|d|w", "+", "A time with its unit, such as 45s or 1h30m."),
        ),
        (
            "size",
            quantity("B|kB|MB|GB|TB|KiB|MiB|GiB|TiB", "", "A size with its unit, such as 64MiB."),
        ),
        (
            "automatic_size",
            json!({
                "description": "A size with its unit, or auto: a part of the memory limit.",
                "anyOf": [{"const": "auto"}, refer("size")],
            }),
        ),
        ("share", quantity("%", "", "A share in per cent, such as 99%.")),
        ("address", text("An address and a port, such as 127.0.0.1:4317, [::1]:4317 or :4317.")),
    ]
}

fn server() -> Value {
    let otlp = closed(
        "Where OTLP comes in.",
        &[
            ("grpc", told(some(refer("address")), "Addresses of OTLP/gRPC.")),
            ("http", told(some(refer("address")), "Addresses of OTLP/HTTP.")),
            (
                "max_request",
                told(
                    refer("automatic_size"),
                    "Of one request, before and after it is inflated; auto: 64MiB where memory allows.",
                ),
            ),
            (
                "connections",
                told(
                    json!({"anyOf": [{"const": "auto"}, count("Connections.", 1)]}),
                    "Connections at once on each address; at the limit the longest idle one is closed. auto: 512 where there are descriptors.",
                ),
            ),
            ("cors", told(list(text("An origin, or *.")), "Origins that browsers may send from.")),
        ],
    );
    let web = closed(
        "Where Prometheus and people look.",
        &[
            ("listen", refer("address")),
            (
                "hosts",
                told(
                    list(text("The name of a host, without a port.")),
                    "Names in the Host header that are served, beside addresses and localhost; none: all.",
                ),
            ),
            (
                "zero_first",
                told(
                    refer("time"),
                    "How long a young series is first shown at 0 to a scraper; 0s: never.",
                ),
            ),
            ("created_lines", boolean("Whether OpenMetrics text has _created lines.")),
            (
                "linger",
                told(
                    refer("time"),
                    "How long a stopping process waits until the last increments were scraped.",
                ),
            ),
        ],
    );
    closed("Addresses. Command line flags win.", &[("otlp", otlp), ("web", web)])
}

fn limits() -> Value {
    let late = json!({"anyOf": [{"type": "null"}, refer("time")]});
    let dedupe = [
        ("window", told(refer("time"), "How long a span that comes again is known.")),
        ("entries", count("How many are known; 0: none.", 0)),
    ];
    closed(
        "Bounds.",
        &[
            (
                "memory",
                told(
                    refer("automatic_size"),
                    "Of the whole process; auto: 80 % of the container's limit, 512MiB without one.",
                ),
            ),
            (
                "in_flight",
                told(
                    refer("automatic_size"),
                    "Requests being worked on; over it senders are told to come again. auto: half of memory.",
                ),
            ),
            ("series", count("Label sets of all metrics; a histogram is one.", 1)),
            (
                "series_per_metric",
                count("Label sets of one metric; of OTLP metrics, of one metric and writer.", 1),
            ),
            ("senders_series", count("Label sets of all OTLP metrics that pass through.", 1)),
            (
                "idle",
                told(
                    refer("time"),
                    "After so long without news an undeclared series is forgotten.",
                ),
            ),
            ("late", told(late, "How old a record may be; null: late data counts.")),
            ("dedupe", closed("Spans that come twice.", &dedupe)),
            ("label_value", told(refer("size"), "Longer label values are cut.")),
        ],
    )
}

fn state() -> Value {
    let dir = json!({"type": ["string", "null"], "description": "The directory; null: nothing is kept on disk."});
    closed(
        "What survives a restart.",
        &[("dir", dir), ("interval", told(refer("time"), "How often it is written."))],
    )
}

fn forward() -> Value {
    let signals = words("A signal.", &["traces", "logs", "metrics"]);
    let header = json!({"type": ["string", "number", "boolean"]});
    let tls = [
        ("ca_file", text("CA certificates in PEM; without: those of the system.")),
        ("cert_file", text("Our certificate in PEM.")),
        ("key_file", text("Its key in PEM.")),
    ];
    let mut target = closed(
        "One target.",
        &[
            ("endpoint", text("Such as http://tempo:4317. A path or port 4318 means OTLP/HTTP.")),
            ("protocol", words("How it is spoken to.", &["grpc", "http"])),
            ("signals", told(some(signals), "What goes there; without: everything.")),
            ("queue", told(refer("size"), "What may wait for it; the oldest is dropped first.")),
            ("timeout", told(refer("time"), "For one attempt.")),
            (
                "headers",
                json!({"description": "Never printed, never logged.", "type": "object", "additionalProperties": header}),
            ),
            ("tls", closed("For https://.", &tls)),
        ],
    );
    require(&mut target, &["endpoint"]);
    target
}

fn privacy() -> Value {
    let nullable = |about: &str| json!({"type": ["string", "null"], "description": about});
    closed(
        "What must never be seen.",
        &[
            (
                "hash_key_file",
                nullable("File of the key of the hashes of personal values; null: a random one."),
            ),
            (
                "drop",
                told(
                    list(json!({"type": "string"})),
                    "Attribute keys (globs) that are never seen.",
                ),
            ),
            ("opt_out", nullable("A table whose keys are the people who are never counted.")),
        ],
    )
}

fn datapoints() -> Value {
    let strategies = [
        "UnderscoreEscapingWithSuffixes",
        "UnderscoreEscapingWithoutSuffixes",
        "NoUTF8EscapingWithSuffixes",
        "NoTranslation",
    ];
    let globs = |about: &str| told(list(json!({"type": "string"})), about);
    closed(
        "OTLP metrics that the bot already emits.",
        &[
            ("pass", globs("Globs over their names; []: none.")),
            ("translation", words("How names become Prometheus names.", &strategies)),
            ("namespace", text("Put in front of each name.")),
            ("scope_labels", boolean("Whether the scope becomes labels.")),
            ("instance_label", boolean("false: writers fold into one series.")),
            (
                "resource_labels",
                globs("Resource attributes (globs) that become labels of every series."),
            ),
            (
                "stale",
                told(
                    json!({"anyOf": [{"const": "off"}, refer("time")]}),
                    "Gauges of a writer end when no metrics came from it for so long; off: never.",
                ),
            ),
        ],
    )
}

/// Makes keys of a map required.
pub(super) fn require(map: &mut Value, keys: &[&str]) {
    if let Value::Object(fields) = map {
        fields.insert("required".into(), json!(keys));
    }
}
