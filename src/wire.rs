//! Bytes to views: the OTLP reader.
/// x
pub enum Encoding {
    /// x
    Protobuf,
    /// x
    Json,
}
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub enum WireError {
    /// x
    #[error("x")]
    TooLarge {},
    /// x
    #[error("x")]
    X,
}
use crate::view::*;
/// x
pub fn json_to_protobuf(_: Signal, _: &[u8], _: usize, _: &mut Vec<u8>) -> Result<(), WireError> {
    Ok(())
}
/// x
pub fn walk_traces<'a, V: Visitor<'a>>(_: &'a [u8], _: &mut V) -> Result<(), WireError> {
    Ok(())
}
/// x
pub fn walk_logs<'a, V: Visitor<'a>>(_: &'a [u8], _: &mut V) -> Result<(), WireError> {
    Ok(())
}
/// x
pub fn count_points(_: &[u8]) -> Result<u64, WireError> {
    Ok(0)
}
