//! An alert: its rule, what people read of it, and the proof that it fires when it should and not else.

use super::case::Case;

/// How much it matters. Critical pages somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody has to act now.
    Critical,
    /// Somebody has to act today.
    Warning,
    /// Worth a look.
    Info,
}

impl Severity {
    /// The label's value.
    pub fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What it speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A promise is being broken.
    Objective,
    /// Something does not work.
    Health,
    /// Something is not as it used to be.
    Trend,
}

impl Kind {
    /// The label's value.
    pub fn word(self) -> &'static str {
        match self {
            Self::Objective => "objective",
            Self::Health => "health",
            Self::Trend => "trend",
        }
    }
}

/// How the value of an expression is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A number of things.
    Count,
    /// A share of 1, as a percentage.
    Share,
    /// US dollars.
    Usd,
    /// A factor.
    Times,
}

impl Shown {
    /// The template that Prometheus fills.
    fn template(self) -> &'static str {
        match self {
            Self::Count => "{{ $value | printf \"%.0f\" }}",
            Self::Share => "{{ $value | humanizePercentage }}",
            Self::Usd => "{{ $value | printf \"%.2f\" }} USD",
            Self::Times => "{{ $value | printf \"%.1f\" }}",
        }
    }

    /// What comes of the template, for numbers with up to four digits.
    fn filled(self, value: f64) -> String {
        match self {
            Self::Count => format!("{value:.0}"),
            Self::Share => format!("{}%", four_digits(value * 100.0)),
            Self::Usd => format!("{value:.2} USD"),
            Self::Times => format!("{value:.1}"),
        }
    }
}

/// A runbook: what an alert means, the first three things to look at, and when to silence it.
pub fn runbook(meaning: &str, look: [&str; 3], silence: &str) -> String {
    let look = look.iter().enumerate();
    let look: String = look.map(|(at, look)| format!("{}. {look}\n", at + 1)).collect();
    format!("{meaning}\n\nLook at:\n\n{look}\nSilence it when {silence}")
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// What it speaks of.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// When it is true.
    pub expr: String,
    /// For how long it has to be true; empty: at once.
    pub hold: String,
    /// For how long it goes on when it is no more true; empty: not at all.
    pub keep: String,
    /// How its value is told.
    pub shown: Shown,
    /// One sentence. `{value}` and `{LABEL}` are filled in here and in the description.
    pub summary: String,
    /// More of it.
    pub description: String,
    /// The address of the board to look at.
    pub board: String,
    /// What to do, in Markdown.
    pub runbook: String,
    /// The proof.
    pub cases: Vec<Case>,
}

impl Alert {
    /// A text of it as Prometheus fills it in.
    pub fn template(&self, text: &str) -> String {
        fill(text, |name| match name {
            "value" => self.shown.template().to_owned(),
            label => format!("{{{{ $labels.{label} }}}}"),
        })
    }

    /// A text of it once it is filled in.
    pub fn filled(&self, text: &str, labels: &[(String, String)], value: f64) -> String {
        fill(text, |name| match name {
            "value" => self.shown.filled(value),
            label => {
                let found = labels.iter().find(|(name, _)| name == label);
                found.map(|(_, value)| value.clone()).unwrap_or_default()
            }
        })
    }
}

/// `%.4g` of a number of at least a thousandth: four digits, no zeros at the end, and an exponent where four are not enough.
fn four_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let exponent = value.abs().log10().floor();
    if exponent >= 4.0 {
        return format!("{}e+{exponent:02}", four_digits(value / 10_f64.powf(exponent)));
    }
    let decimals = (3.0 - exponent).clamp(0.0, 8.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Fills what stands in braces.
fn fill(text: &str, with: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&with(name));
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_as_prometheus_fills_them() {
        let with = |name: &str| format!("<{name}>");
        assert_eq!(fill("a {x} b {y}", with), "a <x> b <y>");
        assert_eq!(fill("a {x", with), "a {x");
        assert_eq!(Shown::Share.filled(0.16), "16%");
        assert_eq!(Shown::Share.filled(-3.266_666_7), "-326.7%");
        assert_eq!(Shown::Share.filled(1.0), "100%");
        assert_eq!(Shown::Share.filled(500.0), "5e+04%");
        assert_eq!(Shown::Usd.filled(1.005e2), "100.50 USD");
        assert_eq!(Shown::Count.filled(5.0), "5");
    }
}
