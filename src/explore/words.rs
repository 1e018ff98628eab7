//! Numbers, times and texts as the tables show them.

use content::report::Unit;
use engine::timestamp::Timestamp;

/// With a comma for each thousand.
pub(super) fn count(number: u64) -> String {
    Unit::Count.told(number as f64)
}

/// So many label sets.
pub(super) fn sets(number: u64) -> String {
    if number == 1 { "1 label set".to_owned() } else { format!("{} label sets", count(number)) }
}

/// A number that may be larger.
pub(super) fn at_least(number: u64, more: bool) -> String {
    if more { format!("{}+", count(number)) } else { count(number) }
}

/// A part of a whole: never `0.0 %` of something, nor `100.0 %` of nearly all.
pub(super) fn share(part: u64, whole: u64) -> String {
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    match part {
        0 => "-".to_owned(),
        _ if part >= whole => "100 %".to_owned(),
        _ if percent < 0.1 => "<0.1 %".to_owned(),
        _ if percent >= 99.95 => ">99.9 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// A text with nothing in it that moves a terminal, turns what follows round, or can't be seen.
pub(super) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {
                safe.extend(character.escape_unicode());
            }
            _ if character.is_control() => safe.extend(character.escape_default()),
            _ => safe.push(character),
        }
    }
    safe
}

/// A record's name.
pub(super) fn name(name: &str, other: bool) -> String {
    match name {
        _ if other => "(other names)".to_owned(),
        "" => "(no name)".to_owned(),
        name => safe(name),
    }
}

/// A text of at most so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let short: String = text.chars().take(most.saturating_sub(1)).collect();
    short + "\u{2026}"
}

/// `2026-11-25 23:24:27 UTC`.
pub(super) fn time(seconds: f64) -> String {
    let time = Timestamp((seconds.max(0.0) * 1e9) as u64);
    format!("{} {:.0} UTC", time.utc().date(), time.utc().time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_says_no_more_than_is_true() {
        assert_eq!(share(0, 10), "-");
        assert_eq!(share(10, 10), "100 %");
        assert_eq!(share(1, 100_000), "<0.1 %");
        assert_eq!(share(99_999, 100_000), ">99.9 %");
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!((at_least(256, true), at_least(1_200, false)), ("256+".into(), "1,200".into()));
    }

    #[test]
    fn no_text_moves_a_terminal() {
        assert_eq!(safe("a\u{1b}[31mb\n\u{202e}c"), "a\\u{1b}[31mb\\n\\u{202e}c");
        assert_eq!(
            (cut("caf\u{e9}s", 4), cut("caf\u{e9}", 4)),
            ("caf\u{2026}".into(), "caf\u{e9}".into())
        );
        assert_eq!(time(1_795_608_000.5), "2026-11-25 12:00:00 UTC");
        assert_eq!((name("", false), name("", true)), ("(no name)".into(), "(other names)".into()));
    }
}
