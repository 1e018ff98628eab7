//! The metric vocabulary, valid by construction.
//!
//! Names are checked once, when they are made; everything above passes them on without a look. `model` knows no telemetry and
//! no config, and of formats only what becomes of names in them.

pub mod amount;
pub mod claims;
mod declaration;
pub mod escaping;
pub mod estimator;
mod family;
mod hash_key;
pub mod key;
mod name;
mod op;
mod pseudonym;
mod snapshot;
mod zone;

pub use claims::{Claims, Clash};
pub use declaration::{BucketKind, Declaration, Dimension, DistinctPlan, OTHER, Reach, Window};
pub use escaping::Escaping;
pub use family::{Family, Kind};
pub use hash_key::HashKey;
pub use name::{LabelName, MetricName, NameError, OWN_NAMES};
pub use op::{Addition, Op};
pub use pseudonym::Pseudonym;
pub use snapshot::{
    Exemplar, FamilySnapshot, HistogramRow, Labels, NativeRow, Row, RowValue, SummaryRow,
};
pub use zone::Zone;
