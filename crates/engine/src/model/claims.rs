//! Which names a family claims: its own, and those of its samples in any format and under any escaping scheme.
//!
//! No name may belong to two families, or readers of some format would lose one of them, or the whole body (OpenMetrics 1.0,
//! "Suffixes"). The table is kept where families are admitted: by `check` for the metrics of a config, and for what senders bring.
//! First come, first served. Exposition asks the same question once more for each body, and finds nothing.

use std::borrow::Cow;
use std::collections::HashMap;

use super::escaping::{Escaping, is_classic_metric};
use super::{Kind, name};

/// Names and their owners.
#[derive(Debug)]
pub struct Claims<O> {
    /// The owner of a name under each scheme of [`Escaping::ALL`].
    held: HashMap<Box<str>, [Option<O>; SCHEMES]>,
}

/// Why a name can't be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clash<O> {
    /// This exporter or Prometheus has this name for itself; the text says for what.
    Reserved(String, &'static str),
    /// Another family claims this name.
    Held(String, O),
}

const SCHEMES: usize = Escaping::ALL.len();

/// One form of a name, and the schemes that give it.
type Form<'n> = (Cow<'n, str>, [bool; SCHEMES]);

impl<O> Default for Claims<O> {
    fn default() -> Self {
        Self { held: HashMap::new() }
    }
}

impl<O: Copy> Claims<O> {
    /// Whether a family of this name and kind could claim all its names.
    ///
    /// # Errors
    /// The first of its names that it can't have.
    pub fn check(&self, name: &str, kind: Kind) -> Result<(), Clash<O>> {
        for (form, schemes) in forms(name) {
            if let Some(owner) = name::owner(&form) {
                return Err(Clash::Reserved(form.into(), owner));
            }
            for claim in claimed(&form, kind) {
                if let Some(owner) = name::family_owner(&claim) {
                    return Err(Clash::Reserved(claim, owner));
                }
                if let Some(owner) = self.holder(&claim, schemes) {
                    return Err(Clash::Held(claim, owner));
                }
            }
        }
        Ok(())
    }

    /// Claims all names of a family, or none.
    ///
    /// # Errors
    /// The first of its names that it can't have.
    pub fn take(&mut self, name: &str, kind: Kind, owner: O) -> Result<(), Clash<O>> {
        self.check(name, kind)?;
        for (form, schemes) in forms(name) {
            for claim in claimed(&form, kind) {
                let held = self.held.entry(claim.into()).or_insert([None; SCHEMES]);
                fill(held, schemes, Some(owner));
            }
        }
        Ok(())
    }

    /// Gives the names of a family back, which has taken them.
    pub fn free(&mut self, name: &str, kind: Kind) {
        for (form, schemes) in forms(name) {
            for claim in claimed(&form, kind) {
                let Some(held) = self.held.get_mut(&*claim) else { continue };
                fill(held, schemes, None);
                if held.iter().all(Option::is_none) {
                    self.held.remove(&*claim);
                }
            }
        }
    }

    fn holder(&self, claim: &str, schemes: [bool; SCHEMES]) -> Option<O> {
        let held = self.held.get(claim)?;
        held.iter().zip(schemes).find_map(|(owner, of)| owner.filter(|_| of))
    }
}

fn fill<O: Copy>(held: &mut [Option<O>; SCHEMES], schemes: [bool; SCHEMES], owner: Option<O>) {
    let slots = held.iter_mut().zip(schemes).filter(|(_, of)| *of);
    slots.for_each(|(slot, _)| *slot = owner);
}

/// What scrapers make of a name. A classic one is the same to all of them.
fn forms(name: &str) -> Vec<Form<'_>> {
    if is_classic_metric(name) {
        return vec![(name.into(), [true; SCHEMES])];
    }
    let form = |scheme: Escaping| (scheme.metric(name), Escaping::ALL.map(|one| one == scheme));
    Escaping::ALL.map(form).into()
}

/// All names of a family that is shown by this one: its name in OpenMetrics, and the names of its samples in any format.
pub fn claimed(name: &str, kind: Kind) -> Vec<String> {
    let with = |base: &str, suffixes: &[&str]| {
        suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect()
    };
    match kind {
        Kind::Counter => match base(name, "_total") {
            Some(base) => with(base, &["", "_total", "_created"]),
            None => with(name, &[""]), // of unknown type in OpenMetrics, which has no other counters
        },
        Kind::Info => match base(name, "_info") {
            Some(base) => with(base, &["", "_info"]),
            None => with(name, &[""]),
        },
        Kind::Gauge | Kind::Unknown => with(name, &[""]),
        Kind::Histogram => with(name, &["", "_bucket", "_sum", "_count", "_created"]),
        Kind::Summary => with(name, &["", "_sum", "_count", "_created"]),
    }
}

/// The name without a suffix, if it ends with it and is more than that.
pub fn base<'n>(name: &'n str, suffix: &str) -> Option<&'n str> {
    name.strip_suffix(suffix).filter(|base| !base.is_empty())
}

/// The families that a distinct count is shown by: windows, first visits, registers.
pub fn distinct(name: &str) -> [(String, Kind); 3] {
    let suffixes = [("", Kind::Gauge), ("_new_total", Kind::Counter), ("_register", Kind::Gauge)];
    suffixes.map(|(suffix, kind)| (format!("{name}{suffix}"), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 6] =
        [Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Summary, Kind::Unknown, Kind::Info];

    fn meet(one: (&str, Kind), other: (&str, Kind)) -> bool {
        let meet = |first: (&str, Kind), later: (&str, Kind)| {
            let mut claims = Claims::default();
            claims.take(first.0, first.1, ()).unwrap();
            claims.check(later.0, later.1).is_err()
        };
        assert_eq!(meet(one, other), meet(other, one), "{one:?} {other:?}");
        meet(one, other)
    }

    #[test]
    fn rejects_families_that_share_a_sample_name() {
        let (counter, gauge, histogram) = (Kind::Counter, Kind::Gauge, Kind::Histogram);
        for (one, other) in [
            (("x_total", counter), ("x", gauge)),
            (("x_total", counter), ("x", counter)),
            (("x_total", counter), ("x_created", gauge)),
            (("x_total", counter), ("x", histogram)),
            (("x", histogram), ("x_count_total", counter)),
            (("x", histogram), ("x_created", gauge)),
            (("x", histogram), ("x_bucket", gauge)),
            (("x", Kind::Summary), ("x_sum", counter)),
            (("x_info", Kind::Info), ("x", gauge)),
        ] {
            assert!(meet(one, other), "{one:?} {other:?}");
        }
        for (one, other) in [
            (("x", counter), ("x_total", gauge)),
            (("x", counter), ("x_created", gauge)),
            (("x", gauge), ("x_count", gauge)),
            (("x", Kind::Summary), ("x_bucket", gauge)),
        ] {
            assert!(!meet(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn rejects_names_that_some_scheme_makes_equal() {
        let gauges = |one, other| meet((one, Kind::Gauge), (other, Kind::Gauge));
        assert!(gauges("a.b", "a_b") && gauges("a.b", "a-b"), "underscores");
        assert!(gauges("a.b", "a_dot_b"), "dots");
        assert!(gauges("a.b", "U__a_2e_b"), "values");
        assert!(!gauges("a_b", "a_dot_b") && !gauges("a.b", "a.c"));
        assert!(!gauges("a.b", "a__b") && gauges("a-b", "a__b"));
        assert!(meet(("a.b", Kind::Histogram), ("a_b_count", Kind::Gauge)));
        assert!(meet(("a.total", Kind::Counter), ("a", Kind::Gauge)), "a counter to some");
    }

    #[test]
    fn frees_the_names_of_one_family_only() {
        for kind in KINDS {
            let mut claims = Claims::default();
            claims.take("a.b_total", kind, 1).unwrap();
            claims.take("c", Kind::Gauge, 2).unwrap();
            claims.free("a.b_total", kind);
            assert_eq!(claims.held.len(), 1);
            assert_eq!(claims.take("a_b_total", kind, 3), Ok(()));
            assert_eq!(claims.check("c", kind), Err(Clash::Held("c".into(), 2)));
        }
    }

    #[test]
    fn rejects_reserved_names_under_every_scheme() {
        let claims = Claims::<()>::default();
        let is_reserved =
            |name: &str, kind| matches!(claims.check(name, kind), Err(Clash::Reserved(..)));
        for name in ["target", "target_info", "up", "scrape.duration", "ALERTS", "oscar.metrics.x"]
        {
            assert!(is_reserved(name, Kind::Gauge), "{name}");
        }
        for name in ["target_total", "target.total", "process.cpu.seconds_total", "\u{e9}total"] {
            assert!(is_reserved(name, Kind::Counter), "{name}");
        }
        assert!(is_reserved("oscar_metrics", Kind::Histogram));
        for name in ["up_total", "process_cpu_time_seconds_total", "targets_total"] {
            assert!(!is_reserved(name, Kind::Counter), "{name}");
        }
    }
}
