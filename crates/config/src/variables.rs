//! `${NAME}` and `${NAME:-text}` inside scalars.
//!
//! Replacement happens after parsing, so a variable can fill a scalar but never add a key or a line. What looks like no name, such
//! as a template's `$1` or `${1}`, stays as it is; `$${` is a literal `${`.

/// Looks up a variable.
type Lookup<'a> = &'a mut dyn FnMut(&str) -> Option<String>;

/// Why a text can't be completed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum VariableError {
    /// Not set, and no text to take instead.
    Unset(String),
    /// A name follows `${`, but no `}` or `:-`.
    Open(String),
}

/// The text with its variables replaced; none when there is nothing to replace.
pub(super) fn replace(
    text: &str,
    environment: Lookup<'_>,
) -> Result<Option<String>, VariableError> {
    if !text.contains("${") {
        return Ok(None);
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        rest = after;
        let length = name_length(after);
        let (name, tail) = after.split_at(length);
        if before.ends_with('$') {
            out.push('{');
        } else if length == 0 {
            out.push_str("${");
        } else {
            let (value, after) = value(name, tail, environment)?;
            out.push_str(&value);
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(Some(out))
}

fn value<'t>(
    name: &str,
    tail: &'t str,
    environment: Lookup<'_>,
) -> Result<(String, &'t str), VariableError> {
    let open = || VariableError::Open(name.to_owned());
    if let Some(after) = tail.strip_prefix('}') {
        let unset = || VariableError::Unset(name.to_owned());
        return Ok((environment(name).ok_or_else(unset)?, after));
    }
    let (default, after) =
        tail.strip_prefix(":-").and_then(|all| all.split_once('}')).ok_or_else(open)?;
    let set = environment(name).filter(|value| !value.is_empty());
    Ok((set.unwrap_or_else(|| default.to_owned()), after))
}

/// Bytes of the `[A-Za-z_][A-Za-z0-9_]*` in front.
fn name_length(text: &str) -> usize {
    let fits = |(at, byte): &(usize, u8)| {
        byte.is_ascii_alphabetic() || *byte == b'_' || (*at > 0 && byte.is_ascii_digit())
    };
    text.bytes().enumerate().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Result<Option<String>, VariableError> {
        replace(text, &mut |name| match name {
            "NAME" => Some("bot ${OTHER}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn names_are_replaced_once_and_nothing_else_is() {
        let is = |text: &str, wanted: &str| {
            assert_eq!(replaced(text).unwrap().as_deref().unwrap_or(text), wanted);
        };
        is("a ${NAME}!", "a bot ${OTHER}!");
        is("${NONE:-x y}${EMPTY:-z}${NONE:-}", "x yz");
        is("<${EMPTY}>", "<>");
        is("$1 ${1} ${} $NAME $${NAME} ${-}", "$1 ${1} ${} $NAME ${NAME} ${-}");
        is("$${NONE:-x}", "${NONE:-x}");
        assert_eq!(replaced("${NONE}"), Err(VariableError::Unset("NONE".into())));
        assert_eq!(replaced("${NAME"), Err(VariableError::Open("NAME".into())));
        assert_eq!(replaced("${NAME?x}"), Err(VariableError::Open("NAME".into())));
    }
}
