//! Attribute values, and what all telemetry of the simulated bot has in common.

use std::borrow::Cow;
use std::fmt;

/// An attribute's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A list of texts.
    Texts(Vec<&'static str>),
    /// A person's id: always 8 characters, so that `load` can patch another in.
    Person(u32),
    /// A conversation's id: always 16 characters, likewise.
    Conversation(u64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Texts(texts) => f.write_str(&texts.join(",")),
            Self::Person(person) => write!(f, "U{person:07}"),
            Self::Conversation(conversation) => write!(f, "{conversation:016x}"),
        }
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// The instrumentation scope.
pub const SCOPE: &str = "oscar.bot";

/// The resource of everything the bot sends in this version.
pub const fn resource(version: &'static str) -> [(&'static str, &'static str); 7] {
    [
        ("service.name", "oscar"),
        ("service.namespace", "opensearch"),
        ("service.version", version),
        ("service.instance.id", "demo-1"),
        ("deployment.environment.name", "demo"),
        ("cloud.region", "us-east-1"),
        ("faas.name", "oscar-supervisor-agent-demo"),
    ]
}
