//! The metric vocabulary, valid by construction.
//!
//! Names are checked once, when they are made; everything above passes them on without a look. `model` knows no telemetry, no
//! config and no format.

pub mod amount;
mod declaration;
pub mod estimator;
mod family;
mod hash_key;
pub mod key;
mod name;
mod op;
mod pseudonym;
mod snapshot;
mod zone;

pub use declaration::{BucketKind, Declaration, Dimension, DistinctPlan, OTHER, Reach, Window};
pub use family::{Family, Kind};
pub use hash_key::HashKey;
pub use name::{LabelName, MetricName, NameError};
pub use op::{Addition, Op};
pub use pseudonym::Pseudonym;
pub use snapshot::{
    Exemplar, FamilySnapshot, HistogramRow, Labels, NativeRow, Row, RowValue, SummaryRow,
};
pub use zone::Zone;
