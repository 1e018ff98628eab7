//! Stand-in of this branch for the answers of OTLP; the merge takes the other file.

use super::Encoding;
use crate::view::Signal;

/// `Export*ServiceResponse`.
pub fn success(_signal: Signal, encoding: Encoding, rejected: u64, message: &str) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => Vec::new(),
        Encoding::Json if rejected == 0 => b"{}".to_vec(),
        Encoding::Json => serde_json::json!({"partialSuccess": {"errorMessage": message}})
            .to_string()
            .into_bytes(),
    }
}

/// `google.rpc.Status`.
pub fn status(encoding: Encoding, code: u32, message: &str) -> Vec<u8> {
    match encoding {
        Encoding::Json => {
            serde_json::json!({"code": code, "message": message}).to_string().into_bytes()
        }
        Encoding::Protobuf => {
            let mut out = vec![0x08, code as u8, 0x12, message.len().min(127) as u8];
            out.extend(message.bytes().take(127));
            out
        }
    }
}
