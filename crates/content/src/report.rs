//! What stakeholders read: a period in numbers, each beside the period before and with what it is founded on.
//!
//! Three steps, all pure: a [`Draft`] says what to ask a Prometheus, the answers fill it into a [`Page`], and a [`Form`] writes
//! that down. What an objective counts is asked as the rules ask
//! it. This room knows no socket: whoever calls asks the questions. It never shows a share of too few.

use std::collections::HashMap;
use std::time::Duration;

use crate::promql::span;
use engine::timestamp::Timestamp;

mod draft;
mod fill;
mod number;
mod page;
mod write;

pub use draft::Draft;
pub use fill::fill;
pub use number::Unit;
pub use page::{Cell, Figure, Page, Table};
pub use write::Form;

/// What is looked at: this long, up to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its end.
    pub end: Timestamp,
    /// Its length, whole seconds.
    pub length: Duration,
}

/// Which period a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum When {
    /// The period itself.
    Now,
    /// The one before it.
    Before,
}

/// An instant query.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// PromQL.
    pub query: String,
    /// At the end of which period.
    pub when: When,
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels, by name.
    pub labels: Vec<(String, String)>,
    /// A finite number.
    pub value: f64,
}

/// What Prometheus said.
pub type Answers = HashMap<Question, Vec<Sample>>;

impl Period {
    /// The end of one of the two periods.
    pub fn end_of(self, when: When) -> Timestamp {
        match when {
            When::Now => self.end,
            When::Before => self.end.before(self.length),
        }
    }

    /// Its length as PromQL writes it.
    pub fn range(self) -> String {
        span(self.length)
    }
}

#[cfg(test)]
mod tests;
