//! Attribute keys as label names, and a point's attributes as one sorted label set.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::limits;
use crate::model::Escaping;
use crate::model::escaping::is_classic_label;

use super::{TranslateError, Translator};

/// A label's name and value. The value is not cut to a length: that is the caller's, after values were joined.
pub type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

impl Translator {
    /// The label an attribute key becomes: odd characters and runs of `_` become one `_`, a leading digit gets `key_`,
    /// `__x__` keeps its ends. As sent where the strategy allows UTF-8.
    pub fn label<'a>(&self, key: &'a str) -> Result<Cow<'a, str>, TranslateError> {
        let name = match () {
            () if !self.escapes() => Cow::Borrowed(key),
            () if is_clean(key) => Cow::Borrowed(key),
            () => Cow::Owned(cleaned(key)),
        };
        let nothing =
            if self.escapes() { name.bytes().all(|b| b == b'_') } else { name.is_empty() };
        match () {
            () if nothing => Err(TranslateError::Nothing),
            () if name.len() > limits::NAME => Err(TranslateError::TooLong),
            () => Ok(name),
        }
    }

    /// The label set of a point's attributes, sorted by name. Empty values are no labels. Keys that become one name have
    /// their values joined by `;`, in the order of the keys; of a key that is there twice the first counts. Names that begin
    /// with `__`, and those in `own` (set by the series itself, such as `le`), are refused.
    pub fn labels<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, Cow<'a, str>)>,
        own: &[&str],
    ) -> Result<Vec<Label<'a>>, TranslateError> {
        let mut sent: Vec<(&str, Cow<'a, str>)> =
            pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        sent.sort_by(|one, other| one.0.cmp(other.0));
        sent.dedup_by(|later, first| later.0 == first.0);
        let mut labels: Vec<Label<'a>> = Vec::with_capacity(sent.len());
        for (key, value) in sent {
            let name = self.label(key)?;
            if name.starts_with("__") || own.contains(&&*name) {
                return Err(TranslateError::Reserved(name.into()));
            }
            labels.push((name, value));
        }
        // Stable, so that equal names stay in the order of their keys.
        labels.sort_by(|one, other| one.0.cmp(&other.0));
        labels.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                let joined = first.1.to_mut();
                joined.push(';');
                joined.push_str(&later.1);
            }
            same
        });
        Ok(labels)
    }
}

/// Joins the values of names that some scraper could not tell apart, as those of keys that become one name: by `;`, under the
/// first name. Without a name that is not classic there is nothing to do.
pub(super) fn join(set: &mut Vec<(String, String)>) {
    if set.iter().all(|(name, _)| is_classic_label(name)) {
        return;
    }
    let mut forms: HashMap<(Escaping, String), usize> = HashMap::new();
    let mut joined: Vec<(String, String)> = Vec::with_capacity(set.len());
    for (name, value) in std::mem::take(set) {
        let form = |scheme: Escaping| (scheme, scheme.label(&name).into_owned());
        let same = Escaping::ALL.into_iter().find_map(|scheme| forms.get(&form(scheme)).copied());
        if let Some((_, first)) = same.and_then(|at| joined.get_mut(at)) {
            first.push(';');
            first.push_str(&value);
        } else {
            forms.extend(Escaping::ALL.map(|scheme| (form(scheme), joined.len())));
            joined.push((name, value));
        }
    }
    *set = joined;
}

/// Whether `cleaned` would change nothing: the usual case costs no allocation.
fn is_clean(key: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !key.contains("__") && key.bytes().all(word) && !key.starts_with(|c: char| c.is_ascii_digit())
}

fn cleaned(key: &str) -> String {
    let ends = key.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    if let Some(inner) = ends.filter(|inner| !inner.is_empty()) {
        return format!("__{}__", collapsed(inner).trim_matches('_'));
    }
    let name = collapsed(key);
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("key_{name}") } else { name }
}

fn collapsed(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            clean.push(c);
        } else if !clean.ends_with('_') {
            clean.push('_');
        }
    }
    clean
}
