//! Rules and their tests as YAML that people like to read: comments, and long expressions as blocks of lines.

use crate::MARK;

/// A text in double quotes, or plain where nothing can be mistaken.
pub fn text(text: &str) -> String {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:-".contains(&byte);
    let word = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if first && !word && !text.ends_with(':') && text.bytes().all(safe) {
        return text.to_owned();
    }
    quoted(text)
}

/// A text in double quotes. JSON's are YAML's.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A file that grows line by line.
#[derive(Debug, Default)]
pub struct File {
    out: String,
}

impl File {
    /// A file that says what it is.
    pub fn new(what: &str, product: &str) -> Self {
        let mut file = Self::default();
        for line in what.lines() {
            file.line(0, &format!("# {line}"));
        }
        file.line(0, &format!("# Written by `{MARK} {product}` from the config: change that."));
        file
    }

    /// A line, so many levels deep.
    pub fn line(&mut self, depth: usize, text: &str) {
        if !text.is_empty() {
            self.out.push_str(&"  ".repeat(depth));
            self.out.push_str(text);
        }
        self.out.push('\n');
    }

    /// `key: text`.
    pub fn pair(&mut self, depth: usize, key: &str, value: &str) {
        self.line(depth, &format!("{key}: {}", text(value)));
    }

    /// `key: text`, or the lines of the text as a block when there are several.
    pub fn block(&mut self, depth: usize, key: &str, value: &str) {
        if !value.contains('\n') {
            let plain = !value.contains(": ") && !value.contains(" #");
            let first = value.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
            let value = if plain && first { value.to_owned() } else { quoted(value) };
            self.line(depth, &format!("{key}: {value}"));
            return;
        }
        self.line(depth, &format!("{key}: |-"));
        for line in value.lines() {
            self.line(depth + 1, line);
        }
    }

    /// All of it.
    pub fn end(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_mistaken_is_quoted() {
        assert_eq!(text("abc-1.2"), "abc-1.2");
        assert_eq!(text("off"), "\"off\"");
        assert_eq!(text("1"), "\"1\"");
        assert_eq!(text("{{ $x }}"), "\"{{ $x }}\"");
        let mut file = File::default();
        file.block(1, "expr", "a\n  b");
        file.block(1, "expr", "a > 1");
        file.block(1, "expr", "{a=\"b\"}");
        let wanted = "  expr: |-\n    a\n      b\n  expr: a > 1\n  expr: \"{a=\\\"b\\\"}\"\n";
        assert_eq!(file.end(), wanted);
    }
}
