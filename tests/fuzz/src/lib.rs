//! The oracles that the fuzz targets share with the integration tests: included, not copied.

/// The walk against `prost`.
#[path = "../../it/wire_oracle"]
pub mod wire_oracle {
    pub mod judge;
    pub mod record;
}

/// The exposition's independent readers.
#[allow(unused_imports)] // some are for tests beside the readers
#[path = "../../it/exposition"]
pub mod exposition {
    pub mod protobuf;
    pub mod reader;
}
