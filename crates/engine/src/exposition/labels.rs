//! A label set as the text formats show it: `a="x",b="y"`.
//!
//! Nearly all sets look the same to every reader. Such a set is checked and written once, and kept with its series.

use crate::model::escaping::is_classic_label;
use crate::model::{Escaping, Labels};

use super::escape::{self, write_name};

/// Names that only some families may have.
const RESERVED: [&str; 3] = ["__name__", "le", "quantile"];

/// The text that is the same in every scheme and sound in every family; none: each body has to look for itself.
pub(super) fn common(labels: &Labels) -> Option<&str> {
    labels.text(|labels| {
        let names = || labels.0.iter().map(|(name, _)| name.as_str());
        let plain = |name: &str| is_classic_label(name) && !RESERVED.contains(&name);
        let first = |(at, name): (usize, &str)| !names().take(at).any(|before| before == name);
        if !names().all(plain) || !names().enumerate().all(first) {
            return None;
        }
        let mut text = Vec::new();
        write(labels, Escaping::AllowUtf8, &mut text);
        String::from_utf8(text).ok().map(String::into_boxed_str)
    })
}

/// The text in this scheme: the common one, or else made in `room`.
pub(super) fn text<'a>(labels: &'a Labels, scheme: Escaping, room: &'a mut Vec<u8>) -> &'a [u8] {
    if let Some(text) = common(labels) {
        return text.as_bytes();
    }
    room.clear();
    write(labels, scheme, room);
    room
}

fn write(labels: &Labels, scheme: Escaping, out: &mut Vec<u8>) {
    for (at, (name, value)) in labels.0.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let label = scheme.label(name.as_str());
        write_name(out, (&label, !is_classic_label(&label)), "");
        out.extend_from_slice(b"=\"");
        escape::quoted(out, value);
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LabelName;

    fn labels(names: &[&str]) -> Labels {
        names.iter().map(|name| (LabelName::foreign(name).unwrap(), "a\"b".into())).collect()
    }

    #[test]
    fn what_all_readers_read_alike_is_kept() {
        assert_eq!(common(&labels(&[])), Some(""));
        let kept = labels(&["a", "b"]);
        assert_eq!(common(&kept), Some("a=\"a\\\"b\",b=\"a\\\"b\""));
        assert!(std::ptr::eq(common(&kept).unwrap(), common(&kept).unwrap()));
        for odd in [&["a.b"][..], &["a", "le"], &["quantile"], &["__name__"], &["a", "b", "a"]] {
            assert_eq!(common(&labels(odd)), None, "{odd:?}");
        }
    }

    #[test]
    fn what_they_do_not_is_made_by_scheme() {
        let (odd, mut room) = (labels(&["a.b", "le"]), b"before".to_vec());
        let found = text(&odd, Escaping::Underscores, &mut room);
        assert_eq!(found, br#"a_b="a\"b",le="a\"b""#);
        let found = text(&odd, Escaping::AllowUtf8, &mut room);
        assert_eq!(found, br#""a.b"="a\"b",le="a\"b""#);
    }
}
