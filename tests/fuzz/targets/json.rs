//! Any text as an OTLP/JSON request, against the serde forms of `opentelemetry-proto`.
//!
//! Where both accept it they read the same. We accept more, as ProtoJSON says and where a fault must not refuse its neighbours: then
//! the oracle must read back what it writes of our reading. What we transcode the walk and `prost` read alike.
#![no_main]

use std::fmt::Debug;

use engine::view::Signal;
use engine::wire::WireError;
use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use oscar_metrics_fuzz::wire_oracle::judge::{
    agree_on_logs, agree_on_metrics, agree_on_traces, transcode,
};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let Some((signal, json)) = data.split_first() else { return };
    match signal % 3 {
        0 => judge::<ExportTraceServiceRequest>(Signal::Traces, json, agree_on_traces),
        1 => judge::<ExportLogsServiceRequest>(Signal::Logs, json, agree_on_logs),
        _ => judge::<ExportMetricsServiceRequest>(Signal::Metrics, json, agree_on_metrics),
    }
});

fn judge<R>(signal: Signal, json: &[u8], agree: fn(&[u8]))
where
    R: Message + Default + Debug + Serialize + DeserializeOwned,
{
    let ours = match transcode(signal, json) {
        Ok(protobuf) => {
            agree(&protobuf);
            match R::decode(&*protobuf) {
                Ok(request) => Ok(request),
                Err(error) => {
                    assert!(error.to_string().contains("recursion limit"), "no protobuf: {error}");
                    return;
                }
            }
        }
        Err(error) => Err(error),
    };
    let theirs = serde_json::from_slice::<R>(json);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            if !same(&ours, &theirs) && !says_twice(json) {
                let [one, other] = [&ours, &theirs].map(|request| serde_json::to_value(request));
                let lossy = agrees(&one.expect("JSON"), &other.expect("JSON"));
                assert!(lossy, "ours {ours:?}\ntheirs {theirs:?}");
                survives(&ours);
            }
        }
        (Ok(ours), Err(_)) => survives(&ours),
        (Err(error), Ok(theirs)) => {
            assert!(
                may_be_refused(&error, json, &theirs),
                "we alone refuse: {error}\ntheirs {theirs:?}"
            );
        }
        (Err(_), Err(_)) => {}
    }
}

/// By their bytes, because no NaN equals itself.
fn same(one: &impl Message, other: &impl Message) -> bool {
    one.encode_to_vec() == other.encode_to_vec()
}

/// What we read, written by the oracle and read again by both, is what we read.
fn survives<R>(ours: &R)
where
    R: Message + Default + Debug + Serialize + DeserializeOwned,
{
    let text = serde_json::to_string(ours).expect("any request has a JSON form");
    // The oracle writes `null` for a double that JSON has no number for, and can't read it again.
    if text.contains("null") {
        return;
    }
    // `prost` accepts deeper values than serde_json does by default; they are still far from the end of the stack.
    let mut reader = serde_json::Deserializer::from_str(&text);
    reader.disable_recursion_limit();
    let back = R::deserialize(&mut reader).expect("the oracle reads what it writes");
    assert!(same(ours, &back), "ours {ours:?}\nback {back:?}");
}

/// The choices of which a message may hold one.
const CHOICES: [&[&str]; 3] = [
    &["gauge", "sum", "histogram", "exponentialHistogram", "summary"],
    &["asDouble", "asInt"],
    &[
        "stringValue",
        "boolValue",
        "intValue",
        "doubleValue",
        "arrayValue",
        "kvlistValue",
        "bytesValue",
        "stringValueStrindex",
    ],
];

/// Whether they are the same but for choices that the oracle lost: where it can't read what is in one (a name of an enum, say), it takes
/// the choice for absent (serde's `flatten`).
fn agrees(ours: &Value, theirs: &Value) -> bool {
    let lossy = |key: &str| CHOICES[..2].iter().any(|choice| choice.contains(&key));
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            theirs.keys().all(|key| ours.contains_key(key))
                && ours.iter().all(|(key, value)| match theirs.get(key) {
                    Some(other) => agrees(value, other),
                    None => lossy(key),
                })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| agrees(a, b))
        }
        _ => ours == theirs,
    }
}

/// Whether a message holds two of one choice, which no sender may write: for us the last one counts, as in protobuf, for the oracle
/// the first one or the last one.
fn says_twice(json: &[u8]) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::Array(list) => list.iter().any(within),
            Value::Object(map) => {
                let said =
                    |choice: &&[&str]| choice.iter().filter(|key| map.contains_key(**key)).count();
                CHOICES.iter().map(said).any(|said| said > 1) || map.values().any(within)
            }
            _ => false,
        }
    }
    let text = String::from_utf8_lossy(json);
    // What neither of both readers looks at may be no JSON to this one: then nothing is compared.
    serde_json::from_str(&text).map_or(true, |value| within(&value))
}

/// Whether we refuse what the oracle takes for a reason that it does not share: a list where an object belongs (serde takes the
/// fields from it one after the other), and what is wrong in a choice that the oracle loses.
fn may_be_refused(error: &WireError, json: &[u8], theirs: &impl Serialize) -> bool {
    let (text, theirs) = (
        String::from_utf8_lossy(json),
        serde_json::to_string(theirs).expect("any request is JSON"),
    );
    // By the text, because in what nobody asks for both readers take what is no JSON to others.
    let lost = |key: &&str| {
        let key = format!("\"{key}\"");
        text.matches(&key).count() > theirs.matches(&key).count()
    };
    error.to_string().ends_with("expected an object")
        || CHOICES[..2].iter().copied().flatten().any(lost)
}
