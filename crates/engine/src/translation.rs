//! Senders' names in Prometheus' words: metric names with unit and type suffixes, attribute keys as labels.
//!
//! Sources: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility"; the four strategies are those of
//! Prometheus' `otlp.translation_strategy`. Names a config declares never come here. This room knows no series and no point;
//! whether a name belongs to somebody else already is the caller's to check.

mod attributes;
mod labels;
mod units;

use crate::limits;
use crate::model::Kind;

pub use crate::plan::Translation;

pub(crate) use attributes::{Passing, Print, Set, Target};
pub use labels::Label;

/// Why a name can't be had. Rejects the point as `name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    /// Nothing is left to call it.
    #[error("a name without one usable character")]
    Nothing,
    /// More than [`limits::NAME`] bytes.
    #[error("a name longer than {} bytes", limits::NAME)]
    TooLong,
    /// A label that Prometheus, or the series itself, sets.
    #[error("label `{0}` is reserved")]
    Reserved(String),
}

/// A metric's name here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// The whole name, the `_total` of counters included.
    pub name: String,
    /// What the name ends with before `_total`, as OpenMetrics wants its UNIT; empty: none.
    pub unit: String,
}

/// A strategy and the prefix of every metric name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translator {
    translation: Translation,
    namespace: String,
}

impl Translator {
    /// A namespace may be empty.
    pub fn new(translation: Translation, namespace: &str) -> Self {
        Self { translation, namespace: namespace.into() }
    }

    /// The name of a metric that is shown as `kind`. A non-monotonic sum is a gauge; a summary is named as a histogram is.
    pub fn metric(&self, name: &str, unit: &str, kind: Kind) -> Result<Translated, TranslateError> {
        let translated = match self.translation {
            Translation::UnderscoreEscapingWithSuffixes => self.tokens(name, unit, kind)?,
            Translation::UnderscoreEscapingWithoutSuffixes => self.escaped(name)?,
            Translation::NoUtf8EscapingWithSuffixes => suffixed(self.prefixed(name)?, unit, kind),
            Translation::NoTranslation => {
                Translated { name: self.prefixed(name)?, unit: String::new() }
            }
        };
        if translated.name.len() > limits::NAME {
            Err(TranslateError::TooLong)
        } else {
            Ok(translated)
        }
    }

    /// Whether names are held to the classic characters.
    fn escapes(&self) -> bool {
        matches!(
            self.translation,
            Translation::UnderscoreEscapingWithSuffixes
                | Translation::UnderscoreEscapingWithoutSuffixes
        )
    }

    /// The name as a list of words; a unit is added where its words stand nowhere in the name.
    fn tokens(&self, name: &str, unit: &str, kind: Kind) -> Result<Translated, TranslateError> {
        let mut words: Vec<&str> = split(name).collect();
        if words.is_empty() {
            return Err(TranslateError::Nothing);
        }
        let unit_words = units::words(unit);
        let (main, per) = (split(&unit_words.main), split(&unit_words.per));
        for part in [main.collect::<Vec<_>>(), per.collect()] {
            if !part.is_empty() && !words.windows(part.len()).any(|window| window == part) {
                words.extend(part);
            }
        }
        let suffix = units::suffix(unit, kind);
        words.retain(|word| Some(*word) != suffix);
        let shown = units::shown(&words.join("_"), &unit_words, suffix);
        words.extend(suffix);
        let named: Vec<&str> = split(&self.namespace).chain(words).collect();
        Ok(Translated { name: no_leading_digit(named.join("_")), unit: shown })
    }

    fn escaped(&self, name: &str) -> Result<Translated, TranslateError> {
        if !name.bytes().any(is_word) {
            return Err(TranslateError::Nothing);
        }
        let odd = |c: char| !(c.is_ascii_alphanumeric() || c == ':' || c == '_');
        let parts = |text: &str| {
            text.split(odd).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
        };
        let (prefix, mut name) = (parts(&self.namespace), parts(name));
        if !prefix.is_empty() {
            name = format!("{prefix}_{name}");
        }
        Ok(Translated { name: no_leading_digit(name), unit: String::new() })
    }

    fn prefixed(&self, name: &str) -> Result<String, TranslateError> {
        match (name.is_empty(), self.namespace.is_empty()) {
            (true, _) => Err(TranslateError::Nothing),
            (false, true) => Ok(name.into()),
            (false, false) => Ok(format!("{}_{name}", self.namespace)),
        }
    }
}

/// A name in any characters, with unit and type suffixes where it doesn't end with them yet.
fn suffixed(name: String, unit: &str, kind: Kind) -> Translated {
    let words = units::words(unit);
    let suffix = units::suffix(unit, kind);
    let mut name = suffix.map_or(&*name, |suffix| without(&name, suffix)).to_owned();
    if !words.per.is_empty() {
        name = without(&name, &words.per).into();
    }
    if !words.main.is_empty() && !ends_with(&name, &words.main) {
        name = format!("{name}_{}", words.main);
    }
    if !words.per.is_empty() {
        name = format!("{name}_{}", words.per);
    }
    let unit = units::shown(&name, &words, suffix);
    if let Some(suffix) = suffix {
        name = format!("{name}_{suffix}");
    }
    Translated { name, unit }
}

/// `name` without a last word `suffix` and what stands before it; the whole when nothing else is there.
fn without<'a>(name: &'a str, suffix: &str) -> &'a str {
    let rest = name.strip_suffix(suffix).map(|rest| (rest, rest.chars().next_back()));
    match rest {
        Some((rest, Some(last))) if !last.is_alphanumeric() => {
            let short = rest.strip_suffix(last).unwrap_or(rest);
            if short.is_empty() { name } else { short }
        }
        _ => name,
    }
}

fn ends_with(name: &str, word: &str) -> bool {
    name == word || without(name, word) != name
}

/// The runs of classic characters, `_` left out.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':')).filter(|word| !word.is_empty())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b':'
}

fn no_leading_digit(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests;
