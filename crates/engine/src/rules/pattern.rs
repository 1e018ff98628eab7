//! Text patterns of the config: exact, glob with `*`, and `/regular expression/`, always over the whole value.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use regex::{CaptureLocations, Regex};

use crate::limits;

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The regular expression does not compile, or is too large.
    #[error("not a regular expression: {0}")]
    Regex(String),
    /// A template asks for a capture the pattern has not.
    #[error("`${0}` stands for a part that the pattern does not capture")]
    Capture(usize),
}

/// Fits a whole text or does not.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// This very text.
    Exact(Box<str>),
    /// The literal pieces between the stars, at least two of them.
    Glob(Vec<Box<str>>),
    /// Anchored at both ends.
    Regex(Anchored),
}

/// A regular expression over the whole text.
#[derive(Clone, Debug)]
pub struct Anchored {
    regex: Regex,
    /// Where its parts were found last: memory, so that looking for them needs none.
    places: Arc<Mutex<CaptureLocations>>,
}

impl Anchored {
    /// The expression as it was written, without the anchors.
    pub fn as_written(&self) -> &str {
        let text = self.regex.as_str();
        let inner = text.strip_prefix("^(?s:").and_then(|rest| rest.strip_suffix(")$"));
        inner.unwrap_or(text)
    }
}

impl From<Regex> for Anchored {
    fn from(regex: Regex) -> Self {
        let places = Arc::new(Mutex::new(regex.capture_locations()));
        Self { regex, places }
    }
}

impl Pattern {
    /// Reads `/regex/`, a text with `*`, or an exact text.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let inner = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        match inner {
            Some(expression) if !expression.is_empty() => {
                regex::RegexBuilder::new(&format!("^(?s:{expression})$"))
                    .size_limit(limits::REGEX)
                    .build()
                    .map(|regex| Self::Regex(regex.into()))
                    .map_err(|error| PatternError::Regex(last_line(&error.to_string())))
            }
            _ if text.contains('*') => Ok(Self::Glob(text.split('*').map(Box::from).collect())),
            _ => Ok(Self::exact(text)),
        }
    }

    /// This very text, whatever characters it has.
    pub fn exact(text: &str) -> Self {
        Self::Exact(text.into())
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *text,
            Self::Glob(pieces) => glob(pieces, text, &mut |_| {}),
            Self::Regex(anchored) => anchored.regex.is_match(text),
        }
    }

    /// Whether a sender's value fits, by its first [`limits::MATCHED`] bytes; an exact text has to be all of it.
    pub fn fits_value(&self, value: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *value,
            Self::Glob(_) | Self::Regex(_) => self.fits(head(value)),
        }
    }

    /// The template filled from what the pattern captured of `text`, when it fits.
    pub fn apply<'a>(&self, text: &str, template: &'a Template) -> Option<Cow<'a, str>> {
        if let Some(plain) = template.plain() {
            return self.fits(text).then_some(Cow::Borrowed(plain));
        }
        let mut filled = String::new();
        self.write(text, template, &mut filled).then_some(Cow::Owned(filled))
    }

    /// Appends the template filled from what the pattern captured of `text`, when it fits, and whether it does. As
    /// [`fits_value`](Self::fits_value) it sees the first [`limits::MATCHED`] bytes, unless the text is exact.
    pub fn write(&self, text: &str, template: &Template, out: &mut String) -> bool {
        let text = if matches!(self, Self::Exact(_)) { text } else { head(text) };
        match self {
            Self::Regex(Anchored { regex, places }) => {
                let mut places = places.lock().unwrap_or_else(PoisonError::into_inner);
                if regex.captures_read(&mut places, text).is_none() {
                    return false;
                }
                template.write(out, |part| {
                    places.get(part).and_then(|(start, end)| text.get(start..end)).unwrap_or("")
                });
            }
            _ if !self.fits(text) => return false,
            Self::Exact(_) => template.write(out, |_| text),
            Self::Glob(pieces) => template.write(out, |part| {
                let (mut at, mut wanted) = (0, text);
                glob(pieces, text, &mut |found| {
                    at += 1;
                    if at == part {
                        wanted = found;
                    }
                });
                wanted
            }),
        }
        true
    }

    /// How many parts a template may ask for.
    pub fn captures(&self) -> usize {
        match self {
            Self::Exact(_) => 0,
            Self::Glob(pieces) => pieces.len().saturating_sub(1),
            Self::Regex(anchored) => anchored.regex.captures_len() - 1,
        }
    }
}

/// By what was written: a regular expression has no better equality.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(one), Self::Exact(two)) => one == two,
            (Self::Glob(one), Self::Glob(two)) => one == two,
            (Self::Regex(one), Self::Regex(two)) => one.regex.as_str() == two.regex.as_str(),
            _ => false,
        }
    }
}

/// The part of a value that patterns look at.
fn head(value: &str) -> &str {
    value.get(..value.floor_char_boundary(limits::MATCHED)).unwrap_or(value)
}

/// Tells each star's part, the leftmost shortest ones; the last star takes what is left.
fn glob<'t>(pieces: &[Box<str>], text: &'t str, tell: &mut dyn FnMut(&'t str)) -> bool {
    let [first, middle @ .., last] = pieces else { return false };
    let Some(rest) = text.strip_prefix(&**first) else { return false };
    let Some(mut rest) = rest.strip_suffix(&**last) else { return false };
    for piece in middle {
        let Some((before, after)) = rest.split_once(&**piece) else { return false };
        tell(before);
        rest = after;
    }
    tell(rest);
    true
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ").to_owned()
}

/// The right side of a map row: text with `$1`, `${1}` for captured parts and `$0` for all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Part(usize),
}

impl Template {
    /// Reads a template for a pattern that captures so many parts.
    pub fn parse(text: &str, captures: usize) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            let (digits, tail) = match after.strip_prefix('{').and_then(|all| all.split_once('}')) {
                Some((inside, tail)) => (inside, tail),
                None => {
                    let end = after.bytes().take_while(u8::is_ascii_digit).count();
                    after.split_at(end)
                }
            };
            let (literal, part) = match digits.parse::<usize>() {
                Ok(part) if part > captures => return Err(PatternError::Capture(part)),
                Ok(part) => (before.to_owned(), Some((part, tail))),
                Err(_) => (format!("{before}$"), None),
            };
            push_text(&mut pieces, &literal);
            rest = match part {
                Some((part, tail)) => {
                    pieces.push(Piece::Part(part));
                    tail
                }
                None => after,
            };
        }
        push_text(&mut pieces, rest);
        Ok(Self(pieces))
    }

    /// The text, when it has no captured parts.
    pub fn plain(&self) -> Option<&str> {
        match &*self.0 {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn write<'t>(&self, out: &mut String, part: impl Fn(usize) -> &'t str) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Part(at) => out.push_str(part(*at)),
            }
        }
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(before)) => *before = format!("{before}{text}").into(),
        _ => pieces.push(Piece::Text(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().fits(text)
    }

    fn mapped(pattern: &str, template: &str, text: &str) -> Option<String> {
        let pattern = Pattern::parse(pattern).unwrap();
        let template = Template::parse(template, pattern.captures()).unwrap();
        pattern.apply(text, &template).map(Cow::into_owned)
    }

    #[test]
    fn three_kinds_by_their_looks() {
        assert!(fits("a.b", "a.b") && !fits("a.b", "axb"));
        assert!(fits("bot.interaction*", "bot.interaction") && fits("*", ""));
        assert!(fits("a*b*c", "a1b2b3c") && !fits("a*b*c", "acb"));
        assert!(!fits("ab*ba", "aba"), "the ends may not overlap");
        assert!(fits("/a|b/", "b") && !fits("/a|b/", "ab"));
        assert!(fits("/^a$/", "a") && fits("/a.b/", "a\nb"));
        assert!(fits("//api/v[0-9]+/.*/", "/api/v1/x"));
        assert!(fits("/", "/") && fits("//", "//"));
        assert!(Pattern::parse("/(/").is_err());
        assert!(Pattern::parse("/(?:a{1000}){1000}/").is_err(), "the compiled size has a bound");
    }

    #[test]
    fn templates_fill_in_what_was_captured() {
        assert_eq!(mapped("us.anthropic.*", "$1", "us.anthropic.claude").unwrap(), "claude");
        assert_eq!(mapped("*-*", "${2}/$1", "a-b-c").unwrap(), "b-c/a");
        assert_eq!(mapped("/(a)(x)?/", "$1$2.", "a").unwrap(), "a.");
        assert_eq!(mapped("a", "5$", "a").unwrap(), "5$");
        assert_eq!(mapped("a", "$0!", "a").unwrap(), "a!");
        assert_eq!(mapped("a*", "x", "b"), None);
        assert_eq!(Template::parse("$2", 1), Err(PatternError::Capture(2)));
    }

    #[test]
    fn values_are_matched_by_their_head_and_exact_texts_whole() {
        let long = format!("chat {}{}end", "x".repeat(limits::MATCHED - 6), "é".repeat(1000));
        let fits = |pattern: &str| Pattern::parse(pattern).unwrap().fits_value(&long);
        assert!(fits("/chat x+/") && fits("chat x*") && fits(&long));
        assert!(
            !fits("/.*end/") && !fits("*end") && !fits(long.get(..limits::MATCHED - 1).unwrap())
        );
        let mut filled = String::new();
        let pattern = Pattern::parse("chat *").unwrap();
        let template = Template::parse("$1", pattern.captures()).unwrap();
        assert!(pattern.write(&long, &template, &mut filled));
        assert_eq!(filled.len(), limits::MATCHED - 6);
        assert!(Pattern::parse("*end").unwrap().fits(&long), "keys that are dropped match whole");
    }
}
