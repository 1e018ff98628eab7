//! Bytes to views: the OTLP reader.
