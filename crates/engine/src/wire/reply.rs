//! What an OTLP sender gets back, in the encoding it came in.

use std::time::Duration;

use crate::view::Signal;

use super::Encoding;
use super::cursor::{Cursor, Fields, delimited, varint};
use super::error::Fault;
use super::nested::write_text;
use super::writer;

/// `Export*ServiceResponse` (collector/*/v1): without `partial_success` when there is nothing to say.
pub fn success(signal: Signal, encoding: Encoding, rejected: u64, message: &str) -> Vec<u8> {
    // The field is an int64.
    let rejected = rejected.min(i64::MAX.cast_unsigned());
    let is_full = rejected == 0 && message.is_empty();
    match encoding {
        Encoding::Protobuf if is_full => Vec::new(),
        Encoding::Json if is_full => b"{}".to_vec(),
        Encoding::Protobuf => {
            let mut out = Vec::new();
            let start = writer::open(1, &mut out);
            numbered(rejected, message, &mut out);
            writer::close(start, &mut out);
            out
        }
        Encoding::Json => {
            let key = match signal {
                Signal::Traces => "rejectedSpans",
                Signal::Metrics => "rejectedDataPoints",
                Signal::Logs => "rejectedLogRecords",
            };
            // ProtoJSON writes 64-bit integers as text.
            let mut out = format!(r#"{{"partialSuccess":{{"{key}":"{rejected}""#);
            if !message.is_empty() {
                out.push_str(r#","errorMessage":"#);
                write_text(message.as_bytes(), &mut out);
            }
            out.push_str("}}");
            out.into_bytes()
        }
    }
}

/// `google.rpc.Status`: the body of an OTLP/HTTP error. `code` is a gRPC code.
pub fn status(encoding: Encoding, code: u32, message: &str) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => {
            let mut out = Vec::new();
            numbered(code.into(), message, &mut out);
            out
        }
        Encoding::Json => {
            let mut out = format!(r#"{{"code":{code},"message":"#);
            write_text(message.as_bytes(), &mut out);
            out.push('}');
            out.into_bytes()
        }
    }
}

/// When to come again, from the `google.rpc.Status` of a gRPC answer's details: the delay of the first `google.rpc.RetryInfo` among
/// them. What can't be read says nothing.
pub fn retry_delay(status: &[u8]) -> Option<Duration> {
    let details = Fields::new(Cursor::new(status), delimited(3));
    let infos = details.filter_map(|any| {
        let field = |number| Fields::new(Cursor::new(any), delimited(number)).last();
        field(1).filter(|url| url.ends_with(b"/google.rpc.RetryInfo"))?;
        field(2)
    });
    let delay = infos.filter_map(|info| Fields::new(Cursor::new(info), delimited(1)).last());
    delay.map(duration).find_map(Result::ok)
}

/// `google.protobuf.Duration`; less than nothing is nothing.
fn duration(bytes: &[u8]) -> Result<Duration, Fault> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            _ if key == varint(1) => seconds = cursor.varint()?,
            _ if key == varint(2) => nanos = cursor.varint()?,
            _ => cursor.other(key, 0)?,
        }
    }
    let seconds = u64::try_from(seconds.cast_signed()).unwrap_or(0);
    let nanos = u64::try_from(nanos.cast_signed()).unwrap_or(0).min(999_999_999);
    Ok(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos)))
}

/// A number in field 1 and text in field 2: so both messages are made. Defaults are left out.
fn numbered(number: u64, text: &str, out: &mut Vec<u8>) {
    if number > 0 {
        writer::varint(1 << 3, out);
        writer::varint(number, out);
    }
    if !text.is_empty() {
        writer::delimited(2, text.as_bytes(), out);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
    use prost::Message;

    use super::*;

    fn json(bytes: &[u8]) -> serde_json::Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn full_success_says_nothing() {
        for signal in Signal::ALL {
            assert_eq!(success(signal, Encoding::Protobuf, 0, ""), b"");
            assert_eq!(success(signal, Encoding::Json, 0, ""), b"{}");
        }
    }

    #[test]
    fn partial_success_is_the_message_of_its_signal() {
        let body = |signal| success(signal, Encoding::Protobuf, 3, "no \"room\"");
        let traces = ExportTraceServiceResponse::decode(&*body(Signal::Traces)).unwrap();
        let partial = traces.partial_success.unwrap();
        assert_eq!((partial.rejected_spans, &*partial.error_message), (3, "no \"room\""));
        let logs = ExportLogsServiceResponse::decode(&*body(Signal::Logs)).unwrap();
        assert_eq!(logs.partial_success.unwrap().rejected_log_records, 3);
        let metrics = ExportMetricsServiceResponse::decode(&*body(Signal::Metrics)).unwrap();
        assert_eq!(metrics.partial_success.unwrap().rejected_data_points, 3);

        for (signal, key) in [
            (Signal::Traces, "rejectedSpans"),
            (Signal::Logs, "rejectedLogRecords"),
            (Signal::Metrics, "rejectedDataPoints"),
        ] {
            assert_eq!(
                json(&success(signal, Encoding::Json, 3, "no \"room\"")),
                serde_json::json!({"partialSuccess": {key: "3", "errorMessage": "no \"room\""}})
            );
        }
    }

    #[test]
    fn a_warning_is_partial_success_too() {
        let body = success(Signal::Traces, Encoding::Protobuf, 0, "slow down");
        let partial = ExportTraceServiceResponse::decode(&*body).unwrap().partial_success.unwrap();
        assert_eq!((partial.rejected_spans, &*partial.error_message), (0, "slow down"));
        let body = success(Signal::Traces, Encoding::Protobuf, u64::MAX, "");
        let partial = ExportTraceServiceResponse::decode(&*body).unwrap().partial_success.unwrap();
        assert_eq!(partial.rejected_spans, i64::MAX);
    }

    #[test]
    fn a_status_is_a_code_and_a_message() {
        // google.rpc.Status has the first two fields of this shape.
        #[derive(PartialEq, prost::Message)]
        struct Status {
            #[prost(int32, tag = "1")]
            code: i32,
            #[prost(string, tag = "2")]
            message: String,
        }
        let body = status(Encoding::Protobuf, 14, "later\n");
        let decoded = Status::decode(&*body).unwrap();
        assert_eq!(decoded, Status { code: 14, message: "later\n".into() });
        assert_eq!(
            json(&status(Encoding::Json, 14, "later\n")),
            serde_json::json!({"code": 14, "message": "later\n"})
        );
    }
}
