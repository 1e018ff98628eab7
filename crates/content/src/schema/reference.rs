//! The reference of the sections for people, from the table that their reader and the schema use.

use config::content::fields::{Field, SHAPES, Shape, Takes};

use crate::MARK;

const HEAD: &str = "\
The sections `queries`, `dashboards`, `alerts` and `report` of a config or a pack. An entry of a pack is changed by its name: it states
only what differs, and `null` removes a key or an entry. `queries` holds entries of the shape `named_query`, `dashboards` of `board`,
`alerts` of `alert`; `report` is one map.
";

/// The page, in Markdown.
pub fn page() -> String {
    let mut out = format!(
        "# Queries, boards, alerts and reports\n\n<!-- Written by `{MARK} schema`: change crates/config/src/content/fields. -->\n\n{HEAD}"
    );
    SHAPES.iter().for_each(|shape| out.push_str(&section(shape)));
    out
}

fn section(shape: &Shape) -> String {
    let rows: String = shape.fields.iter().map(row).collect();
    format!(
        "\n## {}\n\n{}\n\n| key | value | meaning |\n|---|---|---|\n{rows}",
        shape.name, shape.about
    )
}

fn row(field: &Field) -> String {
    format!("| `{}` | {} | {} |\n", field.key, words(field.takes), field.about.replace('|', "\\|"))
}

fn words(takes: Takes) -> String {
    match takes {
        Takes::Text => "text".to_owned(),
        Takes::Name => "name".to_owned(),
        Takes::Count(least) => format!("whole number, at least {least}"),
        Takes::Number => "number".to_owned(),
        Takes::Quantity => "number, share, time, size or setting".to_owned(),
        Takes::Time => "time".to_owned(),
        Takes::Boolean => "true, false".to_owned(),
        Takes::Scalar => "scalar".to_owned(),
        Takes::Words(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Takes::Of(name) => format!("[{name}](#{name})"),
        Takes::Named(inner) => format!("map of name: {}", words(*inner)),
        Takes::List(inner) => format!("list of {}", words(*inner)),
        Takes::Some(inner) => format!("{}; or a list", words(*inner)),
        Takes::Either(all) => all.iter().map(|one| words(*one)).collect::<Vec<_>>().join(", or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_and_link_is_there() {
        let page = page();
        for shape in SHAPES {
            assert!(page.contains(&format!("\n## {}\n", shape.name)), "{}", shape.name);
        }
        for link in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(SHAPES.iter().any(|shape| shape.name == link), "{link}");
        }
    }
}
