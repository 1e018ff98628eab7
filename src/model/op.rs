//! What may be done to a series.

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// A counter rises by this.
    Add(f64),
    /// A gauge becomes this, unless a newer record said otherwise.
    Set(f64),
    /// A histogram sees a value.
    Observe {
        /// What was measured.
        value: f64,
        /// For how many it stands.
        weight: f64,
    },
}
