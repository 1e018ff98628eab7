//! OTLP/JSON into OTLP protobuf, in one pass and by a table: the walk then reads both encodings alike.
//!
//! Source: OTLP 1.x "JSON Protobuf Encoding", and where it is silent the tolerance of ProtoJSON. A fault that protobuf would carry
//! unnoticed must not refuse its neighbours, so two things are accepted that ProtoJSON refuses: scalars that are no value of their
//! field, where no rule reads it or it is an attribute value (`schema::Misfit`), and text that is not valid Unicode. Broken structure
//! refuses the request. Errors carry known keys and positions, never content: they go to logs and back to the sender.

mod scalar;
mod schema;
mod slot;
mod unicode;

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits;
use crate::view::Signal;

use super::error::{Place, WireError};
use schema::{Field, Message};
use slot::Slot;

/// Writes the protobuf form of an OTLP/JSON request over `out`, which keeps its room for the next one.
/// After an error `out` holds a torn message.
///
/// # Errors
/// When it is no JSON, not this request, or takes more than `limit` bytes as protobuf, or has more items than such a request may.
pub fn json_to_protobuf(
    signal: Signal,
    json: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    let error = match transcode(signal, json, limit, out) {
        Err(error @ WireError::Malformed { .. }) => error,
        done => return done,
    };
    // Nearly all documents are valid Unicode, so this is looked at only after an error.
    match unicode::repaired(json, limit)? {
        None => Err(error),
        Some(json) => transcode(signal, &json, limit, out),
    }
}

fn transcode(
    signal: Signal,
    json: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    out.clear();
    let (path, depth, charged) = (Vec::new(), 0, 0);
    let mut state = State { out, limit, path, depth, charged, excess: None };
    let mut reader = serde_json::Deserializer::from_slice(json);
    // Recursion follows the schema, where `VALUE_DEPTH` bounds it; unknown values are skipped in a loop.
    reader.disable_recursion_limit();
    let request = Object { message: Message::request(signal), state: &mut state };
    let read = reader.deserialize_any(request).and_then(|()| reader.end());
    read.map_err(|error| state.explain(&error))
}

/// Keys of a path that an error shows: the last ones tell more.
const PATH_SHOWN: usize = 8;

/// What the readers of a request share.
struct State<'o> {
    out: &'o mut Vec<u8>,
    limit: usize,
    /// Keys from the top to here; after an error they say where it happened.
    path: Vec<&'static str>,
    /// Lists and maps of an attribute value around the current position.
    depth: usize,
    /// Bytes that the request is charged for its items so far. The walk charges it again; here it ends the work early.
    charged: usize,
    /// What the error being returned means when a limit was exceeded.
    excess: Option<WireError>,
}

impl State<'_> {
    /// A value takes little more room as protobuf than as JSON, so it is enough to look after each.
    fn check_size<E: Error>(&mut self) -> Result<(), E> {
        if self.out.len() > self.limit {
            self.excess = Some(WireError::TooLarge { limit: self.limit });
            return Err(E::custom(""));
        }
        Ok(())
    }

    /// Charges the request for an item.
    fn charge<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        self.charged = self.charged.saturating_add(bytes);
        let limit = limits::charge(self.limit);
        if self.charged > limit {
            self.excess = Some(WireError::TooManyItems { limit });
            return Err(E::custom(""));
        }
        Ok(())
    }

    fn explain(&self, error: &serde_json::Error) -> WireError {
        if let Some(excess) = &self.excess {
            return excess.clone();
        }
        let far = self.path.len().saturating_sub(PATH_SHOWN);
        let path = self.path.get(far..).unwrap_or_default().join(".");
        let at = Place::Line { line: error.line(), column: error.column(), path };
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        WireError::Malformed { at, what: Cow::Owned(what.to_owned()) }
    }
}

/// Reads the fields of one message. The request is read by this alone; others are reached through [`Slot`].
struct Object<'s, 'o> {
    message: &'static Message,
    state: &'s mut State<'o>,
}

impl Object<'_, '_> {
    fn fields<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(Key(self.message))? {
            match field {
                Some(field) => {
                    self.state.path.push(field.json);
                    map.next_value_seed(Slot { field, listed: false, state: &mut *self.state })?;
                    self.state.path.pop();
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Makes the visits that are an error short, and free of content.
macro_rules! refuse {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: Error>(self, _: $type) -> Result<Self::Value, E> {
            Err(self.refuse())
        })*
    };
}

impl Object<'_, '_> {
    fn refuse<E: Error>(self) -> E {
        E::custom("expected an object")
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.fields(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.refuse())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(self.refuse())
    }

    refuse!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);
}

/// Finds the field a key names; none for keys nobody knows.
struct Key(&'static Message);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static Field>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.field(key))
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::AnyValue;
    use opentelemetry_proto::tonic::logs::v1::LogRecord;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use prost::Message as _;

    use crate::limits::VALUE_DEPTH;
    use crate::wire::testing::{any, kv, list, map};

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn transcode(signal: Signal, json: &str) -> Result<Vec<u8>, WireError> {
        let mut out = vec![1, 2, 3];
        json_to_protobuf(signal, json.as_bytes(), LIMIT, &mut out).map(|()| out)
    }

    fn span(fields: &str) -> Result<Span, WireError> {
        let json =
            format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{fields}}}]}}]}}]}}"#);
        let request =
            ExportTraceServiceRequest::decode(&*transcode(Signal::Traces, &json)?).unwrap();
        Ok(request.resource_spans[0].scope_spans[0].spans[0].clone())
    }

    fn record(fields: &str) -> Result<LogRecord, WireError> {
        let json =
            format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{fields}}}]}}]}}]}}"#);
        let request = ExportLogsServiceRequest::decode(&*transcode(Signal::Logs, &json)?).unwrap();
        Ok(request.resource_logs[0].scope_logs[0].log_records[0].clone())
    }

    fn body(value: &str) -> Result<Option<AnyValue>, WireError> {
        Ok(record(&format!(r#""body":{value}"#))?.body)
    }

    #[test]
    fn whole_numbers_come_as_numbers_or_text() {
        for time in ["1500000000123456789", r#""1500000000123456789""#] {
            let span = span(&format!(r#""startTimeUnixNano":{time}"#)).unwrap();
            assert_eq!(span.start_time_unix_nano, 1_500_000_000_123_456_789);
        }
        for count in ["1000", "1e3", "1000.0", r#""1000""#, r#""1e3""#] {
            let span = span(&format!(r#""droppedEventsCount":{count}"#)).unwrap();
            assert_eq!(span.dropped_events_count, 1000, "{count}");
        }
        for bad in ["-1", "18446744073709551616", "1.5", "true", r#""""#, r#""x""#, "[1]", "1e99"] {
            assert!(span(&format!(r#""startTimeUnixNano":{bad}"#)).is_err(), "{bad}");
        }
        assert_eq!(span(r#""flags":4294967295"#).unwrap().flags, u32::MAX);
        for value in ["-9223372036854775808", r#""-9223372036854775808""#] {
            let value = body(&format!(r#"{{"intValue":{value}}}"#)).unwrap();
            assert_eq!(value, Some(any(i64::MIN)));
        }
    }

    #[test]
    fn fields_that_no_rule_reads_lose_what_does_not_fit() {
        let misfits = ["-1", "4294967296", "1.5", "true", r#""""#, r#""x""#, "1e99", "null"];
        for field in ["droppedAttributesCount", "droppedEventsCount", "droppedLinksCount", "flags"]
        {
            for misfit in misfits {
                let span = span(&format!(r#""{field}":{misfit},"name":"n""#));
                assert_eq!(span, Ok(Span { name: "n".into(), ..Span::default() }), "{field}");
            }
            for broken in ["[1]", "{}", "1e999", "nil"] {
                assert!(span(&format!(r#""{field}":{broken}"#)).is_err(), "{field}: {broken}");
            }
        }
        let links = span(
            r#""links":[{"traceId":"no hex","spanId":7,"traceState":1,"flags":-1},{"spanId":"01"}],
               "status":{"message":1,"code":2}"#,
        );
        let links = links.unwrap();
        assert_eq!(links.links[0], Default::default(), "nothing of a half-written id is left");
        assert_eq!(links.links[1].span_id, [1]);
        assert_eq!(links.status.unwrap().code, 2);
    }

    #[test]
    fn attribute_values_that_do_not_fit_their_key_are_what_they_are() {
        let double = |value| Ok(Some(any(value)));
        for (value, expected) in [
            (r#"{"intValue":9223372036854775808}"#, double(9_223_372_036_854_775_808.0)),
            (r#"{"intValue":18446744073709552000}"#, double(18_446_744_073_709_552_000.0)),
            (r#"{"intValue":"9223372036854775808"}"#, double(9_223_372_036_854_775_808.0)),
            (r#"{"intValue":"-1e30"}"#, double(-1e30)),
            (r#"{"intValue":1.5}"#, double(1.5)),
            (r#"{"intValue":"ten"}"#, Ok(Some(any("ten")))),
            (r#"{"intValue":true}"#, Ok(Some(any(true)))),
            (r#"{"doubleValue":"nan"}"#, Ok(Some(any("nan")))),
            (r#"{"doubleValue":true}"#, Ok(Some(any(true)))),
            (r#"{"boolValue":"yes"}"#, Ok(Some(any("yes")))),
            (r#"{"boolValue":1}"#, Ok(Some(any(1)))),
            (r#"{"stringValue":5}"#, Ok(Some(any(5)))),
            (r#"{"stringValue":2.5}"#, double(2.5)),
            (r#"{"bytesValue":"*"}"#, Ok(Some(any("*")))),
            (r#"{"stringValueStrindex":"x"}"#, Ok(Some(AnyValue { value: None }))),
        ] {
            assert_eq!(body(value), expected, "{value}");
        }
        for broken in [r#""text""#, "7", "[]", r#"{"intValue":[1]}"#, r#"{"stringValue":{}}"#] {
            assert!(body(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn text_that_is_no_unicode_is_replaced() {
        let cut = body(r#"{"stringValue":"cut \ud83d"}"#);
        assert_eq!(cut, Ok(Some(any("cut \u{fffd}"))));
        let json = b"{\"resourceLogs\":[{\"schemaUrl\":\"\xff\"}]}";
        let mut out = Vec::new();
        assert_eq!(json_to_protobuf(Signal::Logs, json, LIMIT, &mut out), Ok(()));
        let request = ExportLogsServiceRequest::decode(&*out).unwrap();
        assert_eq!(request.resource_logs[0].schema_url, "\u{fffd}");
        assert!(body(r#"{"stringValue":"\ud83d"}]"#).is_err(), "broken all the same");
    }

    #[test]
    fn doubles_keep_every_bit_and_have_three_words() {
        let double = |text: &str| match body(&format!(r#"{{"doubleValue":{text}}}"#)) {
            Ok(Some(AnyValue { value: Some(value) })) => format!("{value:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(double("2"), "DoubleValue(2.0)");
        assert_eq!(double("-2"), "DoubleValue(-2.0)");
        assert_eq!(double("5e-324"), "DoubleValue(5e-324)");
        assert_eq!(double(r#""0.1""#), "DoubleValue(0.1)");
        assert_eq!(double(r#""NaN""#), "DoubleValue(NaN)");
        assert_eq!(double(r#""Infinity""#), "DoubleValue(inf)");
        assert_eq!(double(r#""-Infinity""#), "DoubleValue(-inf)");
        for bad in ["NaN", "1e999", "[]"] {
            assert!(double(bad).starts_with("Err"), "{bad}");
        }
    }

    #[test]
    fn enums_come_as_numbers_or_names() {
        for kind in ["2", r#""SPAN_KIND_SERVER""#, r#""2""#] {
            assert_eq!(span(&format!(r#""kind":{kind}"#)).unwrap().kind, 2, "{kind}");
        }
        assert_eq!(span(r#""kind":99"#).unwrap().kind, 99);
        let failed = span(r#""status":{"code":"STATUS_CODE_ERROR","message":"m"}"#).unwrap();
        assert_eq!(failed.status.map(|status| status.code), Some(2));
        for (name, number) in [("INFO", 9), ("FATAL4", 24), ("TRACE", 1), ("UNSPECIFIED", 0)] {
            let text = format!(r#""severityNumber":"SEVERITY_NUMBER_{name}""#);
            assert_eq!(record(&text).unwrap().severity_number, number);
        }
        for bad in [r#""SERVER""#, r#""span_kind_server""#, r#""""#, "2.5", "true"] {
            assert!(span(&format!(r#""kind":{bad}"#)).is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_are_hex_and_bytes_are_base64() {
        let ids = span(
            r#""traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174","parentSpanId":"""#,
        )
        .unwrap();
        assert_eq!(ids.trace_id[..4], [0x5b, 0x8e, 0xff, 0xf7]);
        assert_eq!((ids.trace_id.len(), ids.span_id.len(), ids.parent_span_id.len()), (16, 8, 0));
        for bad in [r#""5b8""#, r#""zz""#, "7", "[]"] {
            assert!(span(&format!(r#""traceId":{bad}"#)).is_err(), "{bad}");
        }
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            let value = body(&format!(r#"{{"bytesValue":"{text}"}}"#)).unwrap();
            assert_eq!(value, Some(any(vec![0xfb_u8, 0xff])), "{text}");
        }
    }

    #[test]
    fn values_of_every_kind_nest() {
        let value = body(
            r#"{"arrayValue":{"values":[{"stringValue":"é\n"},{"intValue":"1"},{"boolValue":true},
                {"boolValue":"false"},{},{"arrayValue":{}},{"kvlistValue":{"values":[
                {"key":"k","value":{"doubleValue":1.5}}]}}]}}"#,
        );
        let inner = [
            any("é\n"),
            any(1),
            any(true),
            any(false),
            AnyValue { value: None },
            list([]),
            map([kv("k", any(1.5))]),
        ];
        assert_eq!(value, Ok(Some(list(inner))));
        assert_eq!(body("{}"), Ok(Some(AnyValue { value: None })));
        assert_eq!(body(r#"{"intValue":1,"stringValue":"last"}"#), Ok(Some(any("last"))));
    }

    #[test]
    fn null_and_unknown_keys_are_absent() {
        let all_null = span(
            r#""name":null,"kind":null,"attributes":null,"status":null,"traceId":null,"flags":null"#,
        );
        assert_eq!(all_null, Ok(Span::default()));
        assert_eq!(body("null"), Ok(None));
        assert_eq!(body(r#"{"stringValue":null}"#), Ok(Some(AnyValue { value: None })));
        assert_eq!(span(r#""attributes":[null]"#), Ok(Span::default()));
        let known = span(
            r#""span_id":"zz","Name":[{"a":{"b":[1,2,"x"]}}],"name":"n","zzz":{"name":"no"},"😀":1"#,
        );
        assert_eq!(known, Ok(Span { name: "n".into(), ..Span::default() }));
        assert_eq!(transcode(Signal::Logs, r#"{"resourceSpans":[{}]}"#), Ok(vec![]));
        assert_eq!(transcode(Signal::Logs, " {} \n"), Ok(vec![]));
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(span(r#""name":"a","kind":1,"name":"b","kind":3"#).unwrap().name, "b");
        let status = span(r#""status":{"code":2},"status":{"message":"m"}"#).unwrap().status;
        assert_eq!(status.map(|status| (status.code, status.message)), Some((2, "m".into())));
    }

    #[test]
    fn what_is_no_request_is_malformed() {
        for json in [
            "",
            " ",
            "null",
            "[]",
            "1",
            "true",
            r#""x""#,
            "{",
            "{}x",
            "{} {}",
            "{]",
            "\u{feff}{}",
            r#"{"resourceSpans":{}}"#,
            r#"{"resourceSpans":[[]]}"#,
            r#"{"resourceSpans":[1]}"#,
            r#"{"resourceSpans":[{"resource":[]}]}"#,
            r#"{"resourceSpans":[{"schemaUrl":["x"]}]}"#,
            r#"{"resourceSpans":"x"}"#,
            r#"{"resourceSpans":[{},]}"#,
            r#"{'resourceSpans':[]}"#,
            r#"{"resourceSpans":7}"#,
            r#"{"resourceSpans":[{"schemaUrl":"\ug800"}]}"#,
            r#"{"resourceSpans":true}"#,
        ] {
            let result = transcode(Signal::Traces, json);
            assert!(matches!(result, Err(WireError::Malformed { .. })), "{json}: {result:?}");
        }
    }

    #[test]
    fn errors_say_what_and_where_and_nothing_of_the_content() {
        let error = transcode(
            Signal::Traces,
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[\n{\"kind\":\"my secret\"}]}]}]}",
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "line 2 column 19, resourceSpans.scopeSpans.spans.kind: \
             expected a number or name of this enum"
        );
        let error = transcode(Signal::Traces, "{\"resourceSpans\":\n7}").unwrap_err();
        assert_eq!(error.to_string(), "line 2 column 1, resourceSpans: expected a list");
        let error = transcode(Signal::Traces, "[]").unwrap_err();
        assert_eq!(error.to_string(), "line 1 column 2: expected an object");
    }

    #[test]
    fn values_nest_to_the_limit_and_a_level_beyond_is_left_empty() {
        let nested = |depth: usize, (open, close): (&str, &str)| {
            let value = r#"{"intValue":1}"#;
            let value = format!("{}{value}{}", open.repeat(depth), close.repeat(depth));
            let json = format!(
                r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value}}}]}}]}}]}}"#
            );
            transcode(Signal::Logs, &json).unwrap()
        };
        let lists = (r#"{"arrayValue":{"values":["#, "]}}");
        let maps = (r#"{"kvlistValue":{"values":[{"key":"k","value":"#, "}]}}");
        for kind in [lists, maps] {
            let whole = nested(VALUE_DEPTH, kind);
            assert!(whole.ends_with(&[0x18, 1]), "the innermost value is there");
            let beyond = nested(VALUE_DEPTH + 1, kind);
            assert!(!beyond.ends_with(&[0x18, 1]));
            assert_eq!(nested(100_000, kind), beyond, "skipped without a stack");
        }
        let unknown = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(transcode(Signal::Traces, &unknown), Ok(vec![]), "skipped without a stack");
        let halfway = format!(r#"{{"resourceLogs":{}"#, lists.0.repeat(100_000));
        assert!(transcode(Signal::Logs, &halfway).is_err());
    }

    #[test]
    fn size_ends_at_its_limit() {
        let json = format!(r#"{{"resourceSpans":[{}{{}}]}}"#, "{},".repeat(999));
        let mut out = Vec::new();
        let mut limited =
            |limit| json_to_protobuf(Signal::Traces, json.as_bytes(), limit, &mut out);
        assert_eq!(limited(6000), Ok(()));
        assert_eq!(limited(5999), Err(WireError::TooLarge { limit: 5999 }));
    }
}
