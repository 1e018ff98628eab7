//! The shape of the telemetry: parents first, tokens twice, about as many spans as the real bot has.

use super::*;
use crate::day;
use crate::model::{Model, Moment};

fn some(count: usize) -> Vec<(Moment, Vec<Trace>)> {
    Model::new(5, day::FIRST_MOMENT)
        .filter(|moment| matches!(moment.what, Happening::Turn(_)))
        .take(count)
        .map(|moment| {
            let traces = tell(&moment.what);
            (moment, traces)
        })
        .collect()
}

fn number(span: &Span, key: &str) -> Option<i64> {
    span.attributes.iter().find(|(k, _)| *k == key).and_then(|(_, value)| match value {
        Value::Int(number) => Some(*number),
        _ => None,
    })
}

#[test]
fn every_span_has_its_parent_before_it_and_takes_its_time() {
    for (moment, traces) in some(2_000) {
        for trace in traces {
            for (at, span) in trace.spans.iter().enumerate() {
                assert_eq!(span.parent.is_none(), at == 0, "{moment:?}");
                assert!(span.parent.is_none_or(|parent| parent < at));
                assert!(span.end >= span.start, "{span:?}");
            }
            assert!(trace.logs.iter().all(|log| log.span < trace.spans.len()));
        }
    }
}

#[test]
fn a_turn_has_about_eighteen_spans() {
    let traces = some(5_000);
    let spans: usize = traces.iter().flat_map(|(_, t)| t).map(|trace| trace.spans.len()).sum();
    let mean = spans as f64 / traces.len() as f64;
    assert!((15.0..22.0).contains(&mean), "{mean}");
}

#[test]
fn tokens_are_on_the_leaf_and_again_on_the_agent_around_it() {
    for (_, traces) in some(500) {
        let trace = &traces[0];
        let sum = |prefix: &str| -> i64 {
            let spans = trace.spans.iter().filter(|span| span.name.starts_with(prefix));
            spans.filter_map(|span| number(span, "gen_ai.usage.input_tokens")).sum()
        };
        assert_eq!(sum("chat "), sum("invoke_agent oscar-"));
    }
}

#[test]
fn ids_have_their_fixed_width() {
    assert_eq!(Value::Person(42).to_string(), "U0000042");
    assert_eq!(Value::Conversation(255).to_string(), "00000000000000ff");
}
