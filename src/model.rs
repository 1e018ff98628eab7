//! The metric vocabulary, valid by construction.
//!
//! Names are checked once, when they are made; everything above passes them on without a look. `model` knows no telemetry, no
//! config and no format.

mod declaration;
mod family;
pub mod key;
mod name;
mod op;
mod snapshot;

pub use declaration::{Declaration, Dimension, OTHER};
pub use family::{Family, Kind};
pub use name::{LabelName, MetricName, NameError};
pub use op::Op;
pub use snapshot::{
    Exemplar, FamilySnapshot, HistogramRow, Labels, NativeRow, Row, RowValue, SummaryRow,
};
