//! Who, without saying who: distinct counts through the whole arrow.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::model::{HashKey, RowValue};
use engine::pipeline::Pipeline;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use opentelemetry_proto::tonic::trace::v1::Span;
use testkit::protobuf::{self, text, traces};
use testkit::{SECOND, labels, settings};

mod month;

const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
const BEGAN: u64 = 20_000 * DAY;

const CONFIG: &str = r#"
attributes: {user: {any_of: [user.id], hash: true}}
tables: {gone: {U_OUT: "yes"}}
privacy: {opt_out: gone}
metrics:
  users: {help: People., type: distinct, from: span, of: user, windows: [1d, 7d], registers: 64, labels: {tier: {from: tier, limit: 2}}}
  known: {help: People., type: distinct, from: span, of: user, windows: [24h], registers: 0, labels: {ok: {from: ok, values: [yes, no]}}}
"#;

struct Arrow(Pipeline);

fn arrow(secret: &[u8]) -> Arrow {
    arrow_of(CONFIG, secret)
}

fn arrow_of(config: &str, secret: &[u8]) -> Arrow {
    let (settings, key) = (settings(config), HashKey::from_secret(secret));
    Arrow(Pipeline::new(settings.plan(&key), Arc::default(), Timestamp(BEGAN)))
}

impl Arrow {
    fn visit(&self, user: &str, tier: &str, now: u64) {
        self.span("visit", &[("user.id", user), ("tier", tier)], now);
    }

    /// A span that ends now, ten seconds long.
    fn span(&self, name: &str, attributes: &[(&str, &str)], now: u64) {
        let span = Span {
            name: name.into(),
            attributes: attributes.iter().map(|(key, value)| text(key, *value)).collect(),
            start_time_unix_nano: now - 10 * SECOND,
            end_time_unix_nano: now,
            ..Span::default()
        };
        protobuf::ingest(&self.0, Signal::Traces, &traces(vec![span]), Timestamp(now));
    }

    fn shown(&self, family: &str, now: u64) -> BTreeMap<String, f64> {
        let all: Vec<_> = self.0.gather(Timestamp(now), true, |_| {}).collect();
        let rows = all.iter().filter(|one| one.family.name.as_str() == family);
        let rows = rows.flat_map(|one| &one.rows).map(|row| {
            let value = match &row.value {
                RowValue::Counter(value, _) | RowValue::Gauge(value) => *value,
                RowValue::Histogram(held) => held.sum.total(),
                other => panic!("{other:?}"),
            };
            (labels(&row.labels), value)
        });
        rows.collect()
    }
}

fn expected(rows: &[(&str, f64)]) -> BTreeMap<String, f64> {
    rows.iter().map(|(labels, value)| ((*labels).into(), *value)).collect()
}

#[test]
fn people_are_counted_by_window_label_set_and_first_visit() {
    let arrow = arrow(b"key");
    arrow.visit("ada", "a", BEGAN);
    arrow.visit("bob", "a", BEGAN + 2 * DAY);
    arrow.visit("ada", "b", BEGAN + 2 * DAY);
    arrow.visit("U_OUT", "a", BEGAN + 2 * DAY);
    let now = BEGAN + 2 * DAY + 1;
    let windows = [
        ("tier=a,window=1d", 1.0),
        ("tier=a,window=7d", 2.0),
        ("tier=b,window=1d", 1.0),
        ("tier=b,window=7d", 1.0),
    ];
    assert_eq!(arrow.shown("users", now), expected(&windows));
    let fresh = [("tier=a", 2.0), ("tier=b", 1.0)];
    assert_eq!(arrow.shown("users_new_total", now), expected(&fresh), "who opted out is nobody");
    arrow.visit("cyd", "c", now);
    arrow.visit("dan", "d", now);
    assert_eq!(arrow.shown("users", now)["tier=other,window=1d"], 2.0, "past the limit they fold");
    assert!(
        !format!("{:?}", arrow.0.gather(Timestamp(now), true, |_| {}).collect::<Vec<_>>())
            .contains("ada")
    );
}

#[test]
fn today_begins_at_the_midnight_of_the_configured_place() {
    let config = CONFIG.replace("[24h]", "[today]").replace("ok:", "tier:");
    let config = config.replace("from: ok", "from: tier").replace("[yes, no]", "[a]");
    let day = |zone: &str, now: u64| {
        let arrow = arrow_of(&format!("time_zone: {zone}\n{config}"), b"key");
        arrow.visit("ada", "a", BEGAN + 21 * HOUR);
        arrow.visit("bob", "a", BEGAN + 22 * HOUR);
        arrow.shown("known", BEGAN + now)["tier=a,window=today"]
    };
    assert_eq!((day("UTC", 24 * HOUR - 1), day("UTC", 24 * HOUR)), (2.0, 0.0));
    // It is October and two hours later there.
    assert_eq!((day("Europe/Berlin", 22 * HOUR), day("Europe/Berlin", 46 * HOUR)), (1.0, 0.0));
    assert_eq!(day("America/New_York", 26 * HOUR), 2.0, "their day is not over yet");
}

#[test]
fn declared_sets_are_there_at_0_and_say_the_window_as_it_was_written() {
    let declared = [("ok=no,window=24h", 0.0), ("ok=yes,window=24h", 0.0)];
    assert_eq!(arrow(b"key").shown("known", BEGAN), expected(&declared));
}

#[test]
fn registers_merge_only_under_the_same_key() {
    let (one, two, other) = (arrow(b"key"), arrow(b"key"), arrow(b"another"));
    for (arrow, first) in [(&one, 0), (&two, 5), (&other, 0)] {
        (first..first + 10).for_each(|user| arrow.visit(&format!("U{user}"), "a", BEGAN));
    }
    let shown = |arrow: &Arrow| arrow.shown("users_register", BEGAN + SECOND);
    let mut merged = shown(&one);
    for (labels, rank) in shown(&two) {
        let register = merged.entry(labels).or_default();
        *register = register.max(rank);
    }
    let all = arrow(b"key");
    (0..15).for_each(|user| all.visit(&format!("U{user}"), "a", BEGAN));
    assert_eq!(merged, shown(&all), "fifteen people over two replicas");
    assert!(shown(&other).keys().all(|labels| !merged.contains_key(labels)));
    assert!(merged.keys().all(|labels| labels.starts_with("tier=a,key=")));
}

const TALKS: &str = r#"
attributes:
  conversation: {any_of: [talk], hash: true}
  outcome: {any_of: [bot.outcome], default: answered}
labels: {service: {from: tier, default: none}}
records:
  turn: {from: span, where: {name: turn}}
  bye: {from: span, where: {name: bye}}
  up: {from: span, where: {name: thumb, thumb: up}}
sessions: {from: turn, key: conversation, idle: 30m, max: 3, end: bye, liked: up}
metrics:
  talks_total: {help: T., type: counter, from: session, labels: {resolution: resolution, ended_by: ended_by, last: {from: outcome}}}
  long_total: {help: T., type: counter, from: session, where: {turns: {ge: 2}}}
  talk_seconds: {help: T., type: histogram, from: session, value: duration, buckets: [1m]}
  talk_turns_total: {help: T., type: counter, from: session, value: turns}
"#;

#[test]
fn a_conversation_that_ended_is_a_record_with_what_its_turns_had() {
    let arrow = arrow_of(TALKS, b"key");
    let minute = |minute: u64| BEGAN + minute * 60 * SECOND;
    let turn = |talk, outcome, at| {
        arrow.span(
            "turn",
            &[("talk", talk), ("bot.outcome", outcome), ("tier", "gold")],
            minute(at),
        );
    };
    turn("A", "error", 1);
    turn("A", "answered", 3);
    turn("B", "timeout", 2);
    assert!(arrow.shown("talks_total", minute(20)).is_empty(), "nobody was quiet for long");
    arrow.span("thumb", &[("talk", "B"), ("thumb", "up")], minute(21));
    arrow.span("bye", &[("talk", "B")], minute(22));
    turn("C", "fallback", 40);
    let talks = [
        ("service=gold,resolution=confirmed,ended_by=event,last=timeout", 1.0),
        ("service=gold,resolution=implied,ended_by=idle,last=answered", 1.0),
    ];
    assert_eq!(arrow.shown("talks_total", minute(41)), expected(&talks));
    assert_eq!(arrow.shown("long_total", minute(41)), expected(&[("service=gold", 1.0)]));
    assert_eq!(arrow.shown("talk_seconds", minute(41)), expected(&[("service=gold", 140.0)]));
    assert_eq!(arrow.shown("talk_turns_total", minute(41)), expected(&[("service=gold", 3.0)]));
    for talk in ["D", "E", "F"] {
        turn(talk, "answered", 42);
    }
    let series = "service=gold,resolution=unresolved,ended_by=limit,last=fallback";
    assert_eq!(arrow.shown("talks_total", minute(43))[series], 1.0, "the quietest made room");
    arrow.0.end_conversations(Timestamp(minute(44)));
    let series = "service=gold,resolution=implied,ended_by=shutdown,last=answered";
    assert_eq!(arrow.shown("talks_total", minute(44))[series], 3.0);
}
