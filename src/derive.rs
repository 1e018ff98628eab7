//! What a record implies beyond its fields: repeats, sampling weights.
