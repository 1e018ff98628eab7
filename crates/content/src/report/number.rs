//! Numbers as people read them.

use serde::Serialize;

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// So many.
    Count,
    /// Part of a whole, 1 is all of it.
    Share,
    /// A length of time.
    Seconds,
    /// US dollars.
    Usd,
}

impl Unit {
    /// A number of this unit.
    pub fn told(self, value: f64) -> String {
        match self {
            Self::Count => grouped(value.round()),
            Self::Share => format!("{:.1} %", value * 100.0),
            Self::Seconds => time(value),
            Self::Usd if value.abs() < 1.0 => format!("${value:.4}"),
            Self::Usd if value.abs() < 1000.0 => format!("${value:.2}"),
            Self::Usd => format!("${}", grouped(value.round())),
        }
    }

    /// How a number changed: points of a share, per cent of anything else. None when there was nothing to compare with.
    pub fn change(self, value: f64, before: f64) -> Option<String> {
        let told = match self {
            Self::Share => format!("{:+.1} points", (value - before) * 100.0),
            _ if before > 0.0 => format!("{:+.0} %", (value / before - 1.0) * 100.0),
            _ => return None,
        };
        let nothing = ["+0 %", "-0 %", "+0.0 points", "-0.0 points"].contains(&&*told);
        Some(if nothing { "unchanged".to_owned() } else { told })
    }
}

/// With a comma for each thousand.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds < 1.0 => format!("{:.0} ms", seconds * 1000.0),
        _ if seconds < 60.0 => format!("{seconds:.1} s"),
        _ if seconds < 3600.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(Unit::Count.told(1_234_567.4), "1,234,567");
        assert_eq!(
            (Unit::Count.told(12.0), Unit::Count.told(-1234.0)),
            ("12".into(), "-1,234".into())
        );
        assert_eq!(Unit::Share.told(0.9731), "97.3 %");
        let times = [0.25, 12.34, 90.0, 5400.0].map(|seconds| Unit::Seconds.told(seconds));
        assert_eq!(times, ["250 ms", "12.3 s", "1.5 min", "1.5 h"]);
        let costs = [0.0123, 12.345, 12_345.0].map(|usd| Unit::Usd.told(usd));
        assert_eq!(costs, ["$0.0123", "$12.35", "$12,345"]);
    }

    #[test]
    fn changes_are_points_of_shares_and_per_cent_of_the_rest() {
        assert_eq!(Unit::Count.change(112.0, 100.0).as_deref(), Some("+12 %"));
        assert_eq!(Unit::Count.change(112.0, 0.0), None);
        assert_eq!(Unit::Share.change(0.9, 0.912).as_deref(), Some("-1.2 points"));
        assert_eq!(Unit::Seconds.change(5.0, 5.001).as_deref(), Some("unchanged"));
    }
}
