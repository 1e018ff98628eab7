//! Headers and what they get.

use proptest::prelude::*;

use super::*;

const PROTOBUF: &str = "application/vnd.google.protobuf;\
                        proto=io.prometheus.client.MetricFamily;encoding=delimited";
const BINARY: &str = "application/vnd.google.protobuf; \
                      proto=io.prometheus.client.MetricFamily; encoding=delimited; \
                      escaping=underscores";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT_1: &str = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores";
const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const OPEN_UTF8: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";

fn assert_all(rows: &[(&str, &str)]) {
    for (accept, expected) in rows {
        assert_eq!(format(Some(accept)).content_type(), *expected, "{accept}");
    }
}

#[test]
fn prometheus_gets_what_it_likes_best() {
    let usual = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,\
                 text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let native = format!("{PROTOBUF};q=0.7,{usual}");
    let older = "application/openmetrics-text;version=1.0.0,\
                 application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert_all(&[(usual, OPEN_UTF8), (&native, BINARY), (older, OPEN)]);
}

#[test]
fn protobuf_is_for_those_who_ask_for_all_of_it() {
    let utf8 = BINARY.replace("underscores", "allow-utf-8");
    let asked = format!("{PROTOBUF};escaping=allow-utf-8;q=0.6,{OPEN_UTF8};q=0.5,*/*;q=0.1");
    let less = format!("{PROTOBUF};q=0.5,application/openmetrics-text;q=0.6");
    let none = format!("{PROTOBUF};q=0,*/*;q=0.1");
    assert_all(&[
        (&asked, &utf8),
        (PROTOBUF, BINARY),
        (&PROTOBUF.to_uppercase(), BINARY),
        (&less, OPEN),
        (&none, TEXT),
        ("application/vnd.google.protobuf", TEXT),
        ("application/vnd.google.protobuf;encoding=delimited", TEXT),
        (&PROTOBUF.replace("delimited", "text"), TEXT),
        (&PROTOBUF.replace("MetricFamily", "Other"), TEXT),
        ("application/*;q=0.5", OPEN),
        ("*/*,text/plain;q=0,application/openmetrics-text;q=0", TEXT),
    ]);
}

#[test]
fn what_nobody_knows_is_text() {
    assert_eq!(format(None).content_type(), TEXT);
    assert_all(&[
        ("", TEXT),
        ("*/*", TEXT),
        ("text/*", TEXT),
        ("text/plain", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
        ("application/openmetrics-text;version=9.9", TEXT),
        ("application/json", TEXT),
        ("text/plain;version=0.0.3", TEXT),
        ("*/*;q=0", TEXT),
        ("text/plain;q=0", TEXT),
        ("openmetrics", TEXT),
    ]);
}

#[test]
fn versions_and_escapings() {
    assert_all(&[
        ("application/openmetrics-text", OPEN),
        ("Application/OpenMetrics-Text; Version=\"1.0.0\"", OPEN),
        ("application/*", OPEN),
        (
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text; version=0.0.1; charset=utf-8",
        ),
        ("text/plain;version=1.0.0", TEXT_1),
        ("text/plain;version=1.0.0;escaping=nonsense", TEXT_1),
        (
            "text/plain;version=1.0.0;escaping=values;q=0.9,text/plain;version=0.0.4;q=0.8",
            "text/plain; version=1.0.0; charset=utf-8; escaping=values",
        ),
        (
            "text/plain;version=0.0.4;escaping=dots",
            "text/plain; version=0.0.4; charset=utf-8; escaping=dots",
        ),
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", OPEN_UTF8),
        ("application/openmetrics-text;escaping=allow-utf8", OPEN),
    ]);
}

#[test]
fn weights_rule_and_ties_go_to_the_closer_then_the_first() {
    assert_all(&[
        ("text/plain;version=0.0.4;q=0.4,application/openmetrics-text;q=0.5", OPEN),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.4", TEXT),
        ("text/plain,application/openmetrics-text;version=1.0.0", TEXT),
        ("application/openmetrics-text;version=1.0.0,text/plain", OPEN),
        ("*/*,application/openmetrics-text", OPEN),
        ("text/*,application/openmetrics-text", OPEN),
        ("*/*;q=0.9,application/openmetrics-text;q=0.1", TEXT),
        ("*/*,text/plain;q=0", OPEN),
        ("text/plain,text/plain;version=0.0.4;q=0", TEXT_1),
        ("application/openmetrics-text;q=0,*/*;q=0.1", TEXT),
        ("application/openmetrics-text;q=2,text/plain;q=0.1", TEXT),
    ]);
    let all =
        format!("{PROTOBUF};q=0.1,application/json,application/openmetrics-text;version=1.0.0");
    assert_all(&[(&all, OPEN)]);
}

/// Anything printable, near misses, and any character.
const STRANGE: &str = "[ -~\\t]{0,80}|(text|[*]|plain|/|;|,|q=|\"|\\\\|=|0|1|[.]){0,40}|\\PC{0,40}";

proptest! {
    #[test]
    fn no_header_is_too_strange(header in STRANGE) {
        prop_assert!(format(Some(&header)).content_type().contains("charset=utf-8"));
    }
}
