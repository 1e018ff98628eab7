//! The configs that are built in.

use super::diagnostic::Source;

const PACKS: [(&str, &str); 4] = [
    ("oscar", include_str!("../../../config/packs/oscar.yaml")),
    ("genai", include_str!("../../../config/packs/genai.yaml")),
    ("openinference", include_str!("../../../config/packs/openinference.yaml")),
    ("span_metrics", include_str!("../../../config/packs/span_metrics.yaml")),
];

/// The names of all packs.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, _)| *name)
}

/// A pack by its name.
pub(super) fn find(name: &str) -> Option<Source> {
    let (name, text) = PACKS.iter().find(|(pack, _)| *pack == name)?;
    Some(Source { name: format!("pack {name}"), text: (*text).to_owned() })
}

/// What serves when there is no config.
pub(super) fn default_config() -> Source {
    Source { name: "built-in config".to_owned(), text: "use: [oscar]\n".to_owned() }
}
