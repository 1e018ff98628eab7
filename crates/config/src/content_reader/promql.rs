//! PromQL that a configuration holds as text, looked at word by word: brackets, placeholders and the names of metrics.
//!
//! It is no parser: what gets through may still be refused by Prometheus, which the generated unit tests show.

/// What is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Slip {
    /// With the text.
    Form(String),
    /// A metric of this name is not in the configuration.
    Metric(String),
}

const PLACEHOLDERS: [&str; 4] = ["window", "step", "by", "where"];
/// Words that are no names of series.
const KEYWORDS: [&str; 18] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "and",
    "or",
    "unless",
    "offset",
    "bool",
    "atan2",
    "start",
    "end",
    "inf",
    "nan",
    "Inf",
    "NaN",
];
/// Words that a list of labels follows.
const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Checks a text; `is_series` tells names of series.
pub(super) fn check(text: &str, is_series: &dyn Fn(&str) -> bool) -> Result<(), Slip> {
    let mut open: Vec<char> = Vec::new();
    let mut rest = text;
    // Whether the next bracket holds labels.
    let mut labels = false;
    while let Some(first) = rest.chars().next() {
        let word = length(rest, first);
        let (token, after) = rest.split_at(word.max(first.len_utf8()));
        let is_word = first.is_ascii_alphabetic() || first == '_' || first == ':';
        match first {
            '"' | '\'' | '`' => {
                rest = skip_text(after, first)?;
                continue;
            }
            '$' => {
                placeholder(token)?;
            }
            '(' | '[' | '{' => {
                open.push(if labels && first == '(' { 'l' } else { first });
                labels = false;
            }
            ')' | ']' | '}' => close(&mut open, first)?,
            _ if is_word => {
                let inside = open.iter().any(|open| matches!(open, '{' | '[' | 'l'));
                let call = is_operator(after);
                labels = LISTS.contains(&token);
                if !inside && !call && !KEYWORDS.contains(&token) && !is_series(token) {
                    return Err(Slip::Metric(token.to_owned()));
                }
            }
            _ => {}
        }
        rest = after;
    }
    match open.pop() {
        Some(_) => Err(Slip::Form("a bracket is not closed".to_owned())),
        None => Ok(()),
    }
}

/// How many bytes belong to the word or number at the start.
fn length(text: &str, first: char) -> usize {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    if part(first) {
        return text.find(|c| !part(c)).unwrap_or(text.len());
    }
    if first == '$' {
        return text.get(1..).map_or(1, |rest| 1 + rest.find(|c| !part(c)).unwrap_or(rest.len()));
    }
    first.len_utf8()
}

/// Whether what follows a word makes it a function or an aggregation.
fn is_operator(after: &str) -> bool {
    let after = after.trim_start();
    let grouped = |word: &str| {
        after.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('('))
    };
    after.starts_with('(') || grouped("by") || grouped("without")
}

fn placeholder(token: &str) -> Result<(), Slip> {
    let name = token.trim_start_matches('$');
    if PLACEHOLDERS.contains(&name) {
        return Ok(());
    }
    let all = PLACEHOLDERS.map(|name| format!("`${name}`")).join(", ");
    Err(Slip::Form(format!("`${name}` is no placeholder: there are {all}")))
}

fn close(open: &mut Vec<char>, bracket: char) -> Result<(), Slip> {
    let wanted = match bracket {
        ')' => ['(', 'l'],
        ']' => ['['; 2],
        _ => ['{'; 2],
    };
    match open.pop() {
        Some(found) if wanted.contains(&found) => Ok(()),
        _ => Err(Slip::Form(format!("`{bracket}` closes nothing"))),
    }
}

/// What follows a quoted text.
fn skip_text(text: &str, quote: char) -> Result<&str, Slip> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            _ if character == quote => return Ok(text.get(at + 1..).unwrap_or_default()),
            _ => {}
        }
    }
    Err(Slip::Form("a quoted text does not end".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        matches!(name, "a_total" | "up")
    }

    #[test]
    fn accepts_known_series_and_placeholders() {
        for good in [
            "sum by ($by) (increase(a_total{$where, x=~\"b c\"}[$window]))",
            "up == 0\nand on (job, instance)\n  last_over_time(a_total[1h] offset 1d)",
            "vector(1) == 1",
            "a_total / on (x) group_left (y) up > 1e3",
        ] {
            assert_eq!(check(good, &known), Ok(()), "{good}");
        }
    }

    #[test]
    fn rejects_open_brackets_other_placeholders_and_unknown_series() {
        for bad in ["sum(a_total", "a_total)", "a_total[1h}", "a_total{x=\"", "a_total[$range]"] {
            assert!(matches!(check(bad, &known), Err(Slip::Form(_))), "{bad}");
        }
        assert_eq!(check("sum(b_total)", &known), Err(Slip::Metric("b_total".to_owned())));
    }
}
