//! UCUM units in Prometheus' words.

use crate::model::Kind;

/// The words of a unit, not yet held to any characters.
pub struct Words {
    /// `bytes` of `By/s`; may be empty.
    pub main: String,
    /// `per_second` of `By/s`; may be empty.
    pub per: String,
}

/// The unit's words. What nobody knows is used as it is; what stands in braces is a remark and left out.
pub fn words(unit: &str) -> Words {
    let unit = without_remarks(unit);
    let (main, per) = unit.split_once('/').unwrap_or((&unit, ""));
    let per = match per.trim() {
        "" => String::new(),
        per => format!("per_{}", singular(per)),
    };
    Words { main: plural(main.trim()).into(), per }
}

/// The word a kind puts last. A gauge without dimension is a ratio; counters with unit 1 mostly count things.
pub fn suffix(unit: &str, kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Counter => Some("total"),
        Kind::Gauge if unit == "1" => Some("ratio"),
        _ => None,
    }
}

/// What `name` (without its type's word) ends with, for OpenMetrics: a UNIT has to be a suffix of the name.
pub fn shown(name: &str, words: &Words, suffix: Option<&str>) -> String {
    let both = match (&*words.main, &*words.per) {
        (_, _) if suffix == Some("ratio") => return "ratio".into(),
        (main, "") => main.into(),
        ("", per) => per.into(),
        (main, per) => format!("{main}_{per}"),
    };
    let classic = both.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if classic && !both.is_empty() && name.ends_with(&format!("_{both}")) {
        both
    } else {
        String::new()
    }
}

fn without_remarks(unit: &str) -> String {
    let mut inside = false;
    let keep = |c: &char| {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            _ => return !inside,
        }
        false
    };
    unit.chars().filter(keep).collect()
}

fn plural(unit: &str) -> &str {
    match unit {
        "1" => "",
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tebibytes",
        "kBy" | "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        other => other,
    }
}

fn singular(unit: &str) -> &str {
    match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other,
    }
}
