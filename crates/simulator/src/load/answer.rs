//! What a receiver says to a request, over both protocols and in both encodings.

use http::StatusCode;

use super::Encoding;

/// What became of a request's spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Taken, but for so many.
    Taken {
        /// Spans rejected in a partial success.
        rejected: u64,
    },
    /// Refused as a whole.
    Refused,
    /// No answer, or none that can be read.
    Lost,
}

impl Answer {
    /// An answer over OTLP/HTTP.
    pub(super) fn http(status: StatusCode, body: &[u8], encoding: Encoding) -> Self {
        if !status.is_success() {
            return Self::Refused;
        }
        let rejected = match encoding {
            Encoding::Protobuf => rejected(body),
            Encoding::Json => rejected_in_json(body),
        };
        rejected.map_or(Self::Lost, |rejected| Self::Taken { rejected })
    }

    /// An answer over gRPC: its status code and the framed message.
    pub(super) fn grpc(status: StatusCode, code: Option<u32>, body: &[u8]) -> Self {
        match (status.is_success(), code) {
            (true, Some(0)) => {}
            (true, None) => return Self::Lost,
            _ => return Self::Refused,
        }
        let rejected = match body.split_at_checked(5) {
            Some((_, message)) => rejected(message),
            None => None,
        };
        rejected.map_or(Self::Lost, |rejected| Self::Taken { rejected })
    }
}

/// `ExportTraceServiceResponse.partial_success.rejected_spans`; 0 when absent, none when it is no such message.
fn rejected(mut message: &[u8]) -> Option<u64> {
    let mut rejected = 0;
    while !message.is_empty() {
        let (field, value) = field(&mut message)?;
        if let (1, Field::Data(mut partial)) = (field, value) {
            while !partial.is_empty() {
                if let (1, Field::Number(number)) = self::field(&mut partial)? {
                    rejected = number;
                }
            }
        }
    }
    Some(rejected)
}

enum Field<'a> {
    Number(u64),
    Data(&'a [u8]),
}

fn field<'a>(message: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let key = varint(message)?;
    let value = match key & 7 {
        0 => Field::Number(varint(message)?),
        2 => {
            let length = usize::try_from(varint(message)?).ok()?;
            let (data, rest) = message.split_at_checked(length)?;
            *message = rest;
            Field::Data(data)
        }
        _ => return None,
    };
    Some((key >> 3, value))
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The same in JSON, where 64-bit numbers are text and some write them as numbers.
fn rejected_in_json(body: &[u8]) -> Option<u64> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    match answer.pointer("/partialSuccess/rejectedSpans") {
        None => Some(0),
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    use prost::Message;

    fn partial(rejected_spans: i64) -> Vec<u8> {
        let error_message = "some were late".to_owned();
        let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message });
        ExportTraceServiceResponse { partial_success }.encode_to_vec()
    }

    #[test]
    fn rejections_are_read_in_both_encodings() {
        let taken = |rejected| Answer::Taken { rejected };
        let http = |body: &[u8], encoding| Answer::http(StatusCode::OK, body, encoding);
        assert_eq!(http(b"", Encoding::Protobuf), taken(0));
        assert_eq!(http(&partial(300), Encoding::Protobuf), taken(300));
        assert_eq!(http(b"{}", Encoding::Json), taken(0));
        let json = br#"{"partialSuccess":{"rejectedSpans":"7"}}"#;
        assert_eq!(http(json, Encoding::Json), taken(7));
        let framed = [&[0; 5][..], &partial(2)].concat();
        assert_eq!(Answer::grpc(StatusCode::OK, Some(0), &framed), taken(2));
    }

    #[test]
    fn everything_else_is_no_success() {
        let http = |status, body: &[u8]| Answer::http(status, body, Encoding::Protobuf);
        assert_eq!(http(StatusCode::TOO_MANY_REQUESTS, b""), Answer::Refused);
        assert_eq!(http(StatusCode::OK, b"<html>"), Answer::Lost);
        assert_eq!(http(StatusCode::OK, &[0x0a, 0xff]), Answer::Lost);
        assert_eq!(Answer::grpc(StatusCode::OK, Some(8), b""), Answer::Refused);
        assert_eq!(Answer::grpc(StatusCode::OK, None, &[0; 5]), Answer::Lost);
        assert_eq!(Answer::grpc(StatusCode::OK, Some(0), b""), Answer::Lost);
    }
}
