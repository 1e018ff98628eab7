//! Compressed bytes, true and false ones, against decoders without a limit that are driven the other way round.
#![no_main]

use std::io::Write;

use engine::wire::Buffer;
use engine::wire::inflate::{self, InflateError};
use libfuzzer_sys::fuzz_target;

/// Of raw bytes: a zstd block of 4 bytes may claim 128 KiB, and the oracle has no limit.
const RAW: usize = 512;
/// 8 MiB: what a small limit allows, so that both refuse the same windows.
const WINDOW_LOG: u32 = 23;

fuzz_target!(|data: &[u8]| {
    let Some((&[mode, low, high], bytes)) = data.split_first_chunk() else { return };
    let limit = usize::from(u16::from_le_bytes([low, high]));
    match mode % 7 {
        0 => judge(inflate::gzip(raw(bytes), limit), gunzip(raw(bytes)), limit),
        1 => judge(inflate::zstd(raw(bytes), limit), unzstd(raw(bytes)), limit),
        2 => judge(inflate::gzip(&gzip(bytes, mode), limit), Some(bytes.to_vec()), limit),
        3 => judge(inflate::zstd(&zstd(bytes, mode), limit), Some(bytes.to_vec()), limit),
        4 => judge(inflate::deflate(raw(bytes), limit), undeflate(raw(bytes)), limit),
        5 => judge(inflate::deflate(&zlib(bytes, mode), limit), Some(bytes.to_vec()), limit),
        _ => judge(inflate::deflate(&deflate(bytes, mode), limit), Some(bytes.to_vec()), limit),
    }
});

fn raw(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(RAW)]
}

fn judge(ours: Result<Buffer, InflateError>, theirs: Option<Vec<u8>>, limit: usize) {
    if let Ok(ours) = &ours {
        assert!(ours.len() <= limit, "{} of {limit} bytes", ours.len());
    }
    let ours = ours.map(|ours| ours.to_vec());
    match theirs {
        Some(theirs) if theirs.len() <= limit => assert_eq!(ours, Ok(theirs)),
        Some(_) => assert_eq!(ours, Err(InflateError::TooLarge { limit })),
        // What is wrong may come after the limit.
        None => assert!(ours.is_err(), "we alone take it: {ours:?}"),
    }
}

fn gunzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = flate2::write::MultiGzDecoder::new(Vec::new());
    decoder.write_all(bytes).ok()?;
    decoder.finish().ok()
}

/// Byte by byte through a buffer of one byte, where our reader gets everything at once.
fn undeflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let header = bytes.first_chunk().map(|pair| u16::from_be_bytes(*pair));
    let is_zlib = header.is_none_or(|header| header >> 8 & 15 == 8 && header % 31 == 0);
    let mut decoder = flate2::Decompress::new(is_zlib);
    let (mut out, mut rest) = (Vec::new(), bytes);
    loop {
        let mut room = [0];
        let before = (decoder.total_in(), decoder.total_out());
        let next = rest.get(..1).unwrap_or_default();
        let status = decoder.decompress(next, &mut room, flate2::FlushDecompress::None).ok()?;
        rest = &rest[(decoder.total_in() - before.0) as usize..];
        out.extend_from_slice(&room[..(decoder.total_out() - before.1) as usize]);
        match status {
            flate2::Status::StreamEnd => return rest.is_empty().then_some(out),
            _ if rest.is_empty() && before == (decoder.total_in(), decoder.total_out()) => {
                return None;
            }
            _ => {}
        }
    }
}

fn unzstd(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = zstd::stream::raw::Decoder::new().ok()?;
    decoder.set_parameter(zstd::stream::raw::DParameter::WindowLogMax(WINDOW_LOG)).ok()?;
    let mut writer = zstd::stream::zio::Writer::new(Vec::new(), decoder);
    writer.write_all(bytes).ok()?;
    writer.finish().ok()?;
    (!bytes.is_empty()).then(|| writer.into_inner().0)
}

fn gzip(bytes: &[u8], mode: u8) -> Vec<u8> {
    let level = flate2::Compression::new(u32::from(mode) % 10);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zlib(bytes: &[u8], mode: u8) -> Vec<u8> {
    let level = flate2::Compression::new(u32::from(mode) % 10);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn deflate(bytes: &[u8], mode: u8) -> Vec<u8> {
    let level = flate2::Compression::new(u32::from(mode) % 10);
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(bytes: &[u8], mode: u8) -> Vec<u8> {
    zstd::stream::encode_all(bytes, i32::from(mode % 8) + 1).expect("memory takes all")
}
