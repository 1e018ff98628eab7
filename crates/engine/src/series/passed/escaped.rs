//! Label sets as scrapers see them that can't read all label names.
//!
//! Different sets may become one. The later one is refused: shown, it would be the same series twice. Where all names are classic
//! sets are what they are to everybody, so nothing is kept until the first that has another name.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::model::escaping::is_classic_label;
use crate::model::{Escaping, Labels};

/// The schemes that change names.
const SCHEMES: [Escaping; 3] = [Escaping::Underscores, Escaping::Dots, Escaping::Values];

/// The escaped forms of a family's label sets.
#[derive(Debug, Default)]
pub(super) struct EscapedSets {
    /// Hashes of 64 bits under a random key, so that two are never equal by accident. Absent while all sets have classic names.
    forms: Option<HashSet<u64, foldhash::fast::RandomState>>,
    hasher: RandomState,
}

impl EscapedSets {
    /// Whether some scraper could not tell this set from one that is there. `all` of them are other sets.
    pub(super) fn meets<'l, L: AsRef<str>>(
        &mut self,
        labels: &[(L, L)],
        all: impl Iterator<Item = &'l Labels>,
    ) -> bool {
        let pairs = || labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        if self.begin(pairs(), all) {
            let forms = self.hashes(pairs());
            return self
                .forms
                .as_ref()
                .is_some_and(|held| forms.iter().any(|one| held.contains(one)));
        }
        false
    }

    /// One more, beside `all` that are there.
    pub(super) fn insert<'l>(&mut self, labels: &Labels, all: impl Iterator<Item = &'l Labels>) {
        if self.begin(pairs(labels), all) {
            let forms = self.hashes(pairs(labels));
            self.forms.iter_mut().for_each(|held| held.extend(forms));
        }
    }

    /// One less.
    pub(super) fn remove(&mut self, labels: &Labels) {
        if self.forms.is_some() {
            let forms = self.hashes(pairs(labels));
            self.forms
                .iter_mut()
                .for_each(|held| forms.iter().for_each(|one| _ = held.remove(one)));
        }
    }

    /// Whether forms are kept, from now on if these labels are the first to need it.
    fn begin<'p, 'l>(
        &mut self,
        mut labels: impl Iterator<Item = (&'p str, &'p str)>,
        all: impl Iterator<Item = &'l Labels>,
    ) -> bool {
        if self.forms.is_none() && labels.any(|(name, _)| !is_classic_label(name)) {
            self.forms = Some(all.flat_map(|labels| self.hashes(pairs(labels))).collect());
        }
        self.forms.is_some()
    }

    fn hashes<'p>(&self, labels: impl Iterator<Item = (&'p str, &'p str)> + Clone) -> [u64; 3] {
        SCHEMES.map(|scheme| {
            let escaped = labels.clone().map(|(name, value)| (scheme.label(name), value));
            let mut escaped: Vec<(Cow<'p, str>, &str)> = escaped.collect();
            escaped.sort_unstable();
            let mut hasher = self.hasher.build_hasher();
            hasher.write(scheme.as_str().as_bytes());
            for text in escaped.iter().flat_map(|(name, value)| [&**name, *value]) {
                hasher.write_u8(0xff); // no UTF-8 text has it
                hasher.write(text.as_bytes());
            }
            hasher.finish()
        })
    }
}

fn pairs(labels: &Labels) -> impl Iterator<Item = (&str, &str)> + Clone {
    labels.0.iter().map(|(name, value)| (name.as_str(), &**value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LabelName;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (LabelName::foreign(name).unwrap(), (*value).into())).collect()
    }

    #[test]
    fn finds_sets_that_some_scheme_makes_equal() {
        for (there, later, meets) in [
            (&[("x.y", "1")][..], &[("x_y", "1")][..], true),
            (&[("x_y", "1")], &[("x.y", "1")], true),
            (&[("x.y", "1")], &[("x-y", "1")], true),
            (&[("x.y", "1")], &[("x_dot_y", "1")], true),
            (&[("x.y", "1")], &[("U__x_2e_y", "1")], true),
            (&[("a", "1"), ("x.y", "2")], &[("a", "1"), ("x_y", "2")], true),
            (&[("a.b", "1"), ("a_a", "2")], &[("a_a", "2"), ("a_b", "1")], true),
            (&[("x.y", "1")], &[("x_y", "2")], false),
            (&[("x.y", "1")], &[("x_y", "1"), ("z", "1")], false),
            (&[("x.y", "1")], &[("x.z", "1")], false),
        ] {
            let (there, mut sets) = (labels(there), EscapedSets::default());
            sets.insert(&there, [].into_iter());
            assert_eq!(sets.meets(later, [&there].into_iter()), meets, "{there:?} {later:?}");
            sets.remove(&there);
            assert!(!sets.meets(later, [].into_iter()));
        }
    }

    #[test]
    fn keeps_nothing_for_classic_names() {
        let (there, mut sets) = (labels(&[("a", "1")]), EscapedSets::default());
        sets.insert(&there, [].into_iter());
        assert!(!sets.meets(&[("b", "1")], [&there].into_iter()) && sets.forms.is_none());
    }
}
