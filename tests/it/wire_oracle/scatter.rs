//! Metrics requests as no encoder writes them and protobuf allows: fields in any order, messages in pieces, kinds of data that
//! change, numbers one by one.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::build::metrics::metric;

/// A number, and the whole field.
type Field = (u32, Vec<u8>);

/// The fields of a message; metrics.proto has no numbers of four bytes.
fn split(mut message: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let start = message;
        let (number, wire_type) = decode_key(&mut message).unwrap();
        let length = match wire_type {
            WireType::LengthDelimited => decode_varint(&mut message).unwrap(),
            WireType::SixtyFourBit => 8,
            _ => decode_varint(&mut message).map(|_| 0).unwrap(),
        };
        message = &message[length as usize..];
        fields.push((number, start[..start.len() - message.len()].to_vec()));
    }
    fields
}

/// What a field with a length holds.
fn inside(field: &[u8]) -> &[u8] {
    let mut rest = field;
    decode_key(&mut rest).unwrap();
    decode_varint(&mut rest).unwrap();
    rest
}

fn field(number: u32, bytes: &[u8]) -> Field {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    (number, out)
}

fn shuffled(mut fields: Vec<Field>, random: &mut StdRng) -> Vec<u8> {
    fields.shuffle(random);
    fields.into_iter().flat_map(|(_, bytes)| bytes).collect()
}

/// Some of a run of numbers as fields of their own.
fn unpacked(number: u32, run: &[u8], wire_type: WireType, random: &mut StdRng) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut rest = run;
    while !rest.is_empty() {
        let start = rest;
        match wire_type {
            WireType::SixtyFourBit => rest = &rest[8..],
            _ => {
                decode_varint(&mut rest).unwrap();
            }
        }
        let value = &start[..start.len() - rest.len()];
        if random.random() {
            let mut single = Vec::new();
            encode_key(number, wire_type, &mut single);
            single.extend_from_slice(value);
            fields.push((number, single));
        } else {
            fields.push(field(number, value));
        }
    }
    fields
}

fn buckets(number: u32, message: &[u8], random: &mut StdRng) -> Vec<Field> {
    let parts = split(message).into_iter().flat_map(|(inner, bytes)| match inner {
        2 if random.random() => unpacked(2, inside(&bytes), WireType::Varint, random),
        _ => vec![(inner, bytes)],
    });
    parts.map(|(_, bytes)| field(number, &bytes)).collect()
}

fn point(kind: u32, message: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut fields = Vec::new();
    for (number, bytes) in split(message) {
        match (kind, number) {
            (9, 6 | 7) if random.random() => {
                fields.extend(unpacked(number, inside(&bytes), WireType::SixtyFourBit, random));
            }
            (10, 8 | 9) if random.random() => {
                fields.extend(buckets(number, inside(&bytes), random));
            }
            _ => fields.push((number, bytes)),
        }
    }
    shuffled(fields, random)
}

/// Each point keeps the fields of one, or takes those of the next one too.
fn data(kind: u32, message: &[u8], random: &mut StdRng) -> Vec<u8> {
    let (mut fields, mut held) = (Vec::new(), Vec::new());
    for (number, bytes) in split(message) {
        if number != 1 {
            fields.push((number, bytes));
            continue;
        }
        held.extend_from_slice(inside(&bytes));
        if random.random() {
            fields.push(field(1, &point(kind, &held, random)));
            held.clear();
        }
    }
    fields.push(field(1, &point(kind, &held, random)));
    shuffled(fields, random)
}

/// A request of one metric that is made of several ones.
pub fn requests(double: BoxedStrategy<f64>) -> impl Strategy<Value = Vec<u8>> {
    (vec(metric(&double), 1..5), any::<u64>()).prop_map(|(metrics, seed)| {
        let random = &mut StdRng::seed_from_u64(seed);
        let all: Vec<u8> = metrics.iter().flat_map(Message::encode_to_vec).collect();
        let fields = split(&all).into_iter().map(|(number, bytes)| match number {
            5 | 7 | 9 | 10 | 11 => field(number, &data(number, inside(&bytes), random)),
            _ => (number, bytes),
        });
        let fields: Vec<Field> = fields.collect();
        let metric = field(2, &shuffled(fields, random)).1;
        field(1, &field(2, &metric).1).1
    })
}
