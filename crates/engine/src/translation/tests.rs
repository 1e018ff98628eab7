use std::borrow::Cow;

use super::*;

const ESCAPED: Translation = Translation::UnderscoreEscapingWithSuffixes;
const BARE: Translation = Translation::UnderscoreEscapingWithoutSuffixes;
const UTF8: Translation = Translation::NoUtf8EscapingWithSuffixes;
const RAW: Translation = Translation::NoTranslation;

fn full(translation: Translation, name: &str, unit: &str, kind: Kind) -> Translated {
    Translator::new(translation, "").metric(name, unit, kind).unwrap()
}

fn named(name: &str, unit: &str, kind: Kind) -> String {
    full(ESCAPED, name, unit, kind).name
}

#[test]
fn n1_to_n18_names_with_suffixes() {
    for (case, name, unit, kind, expected) in [
        ("N1", "requests", "", Kind::Counter, "requests_total"),
        ("N2", "requests_total", "", Kind::Counter, "requests_total"),
        ("N2", "total.requests", "", Kind::Counter, "requests_total"),
        ("N2", "subtotal", "", Kind::Counter, "subtotal_total"),
        ("N4", "cpu_usage", "1", Kind::Gauge, "cpu_usage_ratio"),
        ("N4", "cpu_ratio_usage", "1", Kind::Gauge, "cpu_usage_ratio"),
        ("N5", "items", "1", Kind::Counter, "items_total"),
        ("N5", "items", "1", Kind::Histogram, "items"),
        (
            "N6",
            "http.request.duration",
            "ms",
            Kind::Histogram,
            "http_request_duration_milliseconds",
        ),
        ("N7", "memory_usage", "By", Kind::Gauge, "memory_usage_bytes"),
        ("N8", "throughput", "By/s", Kind::Gauge, "throughput_bytes_per_second"),
        ("N9", "requests", "1/m", Kind::Gauge, "requests_per_minute"),
        ("N9", "distance", "m", Kind::Gauge, "distance_meters"),
        ("N11", "custom_metric", "{custom}", Kind::Gauge, "custom_metric"),
        ("N11", "other_metric", "By/{custom}", Kind::Gauge, "other_metric_bytes"),
        ("N11", "packets", "{packet}/s", Kind::Gauge, "packets_per_second"),
        ("N11", "other_metric", "By{used}", Kind::Gauge, "other_metric_bytes"),
        ("N13", "a__b", "c__d", Kind::Gauge, "a_b_c_d"),
        ("N14", "c", "unit@with#special/chars", Kind::Gauge, "c_unit_with_special_per_chars"),
        ("N15", "123metric", "", Kind::Gauge, "_123metric"),
        ("N17", "temperature", "Cel", Kind::Gauge, "temperature_celsius"),
        ("N17", "frequency", "Hz", Kind::Gauge, "frequency_hertz"),
        ("N17", "cpu", "%", Kind::Gauge, "cpu_percent"),
        ("N18", "active_connections", "", Kind::Gauge, "active_connections"),
        ("unit before", "cpu_seconds_total", "s", Kind::Counter, "cpu_seconds_total"),
        ("unit inside", "seconds.spent", "s", Kind::Counter, "seconds_spent_total"),
        ("per inside", "requests.per.second", "1/s", Kind::Gauge, "requests_per_second"),
        ("colon", "job:rate", "", Kind::Gauge, "job:rate"),
        ("not classic", "m\u{e9}tric", "", Kind::Gauge, "m_tric"),
        ("odd edges", "@a@", "@b@", Kind::Gauge, "a_b"),
        ("blank unit", "a", " / ", Kind::Gauge, "a"),
        ("only total", "total", "", Kind::Counter, "total"),
    ] {
        assert_eq!(named(name, unit, kind), expected, "{case} {name} {unit}");
    }
}

#[test]
fn every_unit_has_its_word() {
    for pair in [
        "d days",
        "h hours",
        "min minutes",
        "s seconds",
        "ms milliseconds",
        "us microseconds",
        "ns nanoseconds",
        "By bytes",
        "KiBy kibibytes",
        "MiBy mebibytes",
        "GiBy gibibytes",
        "TiBy tebibytes",
        "kBy kilobytes",
        "KBy kilobytes",
        "MBy megabytes",
        "GBy gigabytes",
        "TBy terabytes",
        "m meters",
        "V volts",
        "A amperes",
        "J joules",
        "W watts",
        "g grams",
        "Cel celsius",
        "Hz hertz",
        "% percent",
        "custom_unit custom_unit",
        "1/s per_second",
        "1/m per_minute",
        "1/h per_hour",
        "1/d per_day",
        "1/w per_week",
        "1/mo per_month",
        "1/y per_year",
        "1/parsec per_parsec",
        "m/s meters_per_second",
    ] {
        let (unit, word) = pair.split_once(' ').unwrap();
        let expected = Translated { name: format!("x_{word}"), unit: word.into() };
        assert_eq!(full(ESCAPED, "x", unit, Kind::Gauge), expected);
        assert_eq!(full(UTF8, "x", unit, Kind::Gauge), expected);
        assert_eq!(named("x", unit, Kind::Counter), format!("x_{word}_total"));
    }
}

#[test]
fn n10_a_namespace_comes_first() {
    let metric = |translation, namespace, name| {
        let translator = Translator::new(translation, namespace);
        translator.metric(name, "1/s", Kind::Counter).unwrap().name
    };
    assert_eq!(metric(ESCAPED, "app", "requests"), "app_requests_per_second_total");
    assert_eq!(metric(ESCAPED, "app", "123"), "app_123_per_second_total");
    assert_eq!(metric(ESCAPED, "te@st!", "a"), "te_st_a_per_second_total");
    assert_eq!(metric(BARE, "te@st!!", "a"), "te_st_a");
    assert_eq!(metric(BARE, "1st", "a"), "_1st_a");
    assert_eq!(metric(UTF8, "te@st", "a.b"), "te@st_a.b_per_second_total");
    assert_eq!(metric(RAW, "te@st", "a.b"), "te@st_a.b");
}

#[test]
fn n16_a_name_without_one_usable_character_is_refused() {
    for name in ["@#$%", "", "___", "\u{e9}"] {
        for translation in [ESCAPED, BARE] {
            for kind in [Kind::Gauge, Kind::Counter] {
                let translator = Translator::new(translation, "app");
                assert_eq!(translator.metric(name, "s", kind), Err(TranslateError::Nothing));
            }
        }
    }
    assert_eq!(
        Translator::new(RAW, "app").metric("", "", Kind::Gauge),
        Err(TranslateError::Nothing)
    );
    assert_eq!(full(RAW, "@#$%", "s", Kind::Counter).name, "@#$%");
    let long = "x".repeat(limits::NAME + 1);
    for translation in [ESCAPED, BARE, UTF8, RAW] {
        let translator = Translator::new(translation, "");
        assert_eq!(translator.metric(&long, "", Kind::Gauge), Err(TranslateError::TooLong));
    }
}

#[test]
fn n20_the_four_strategies() {
    for (translation, expected) in [
        (ESCAPED, "foo_bar_bytes_total"),
        (BARE, "foo_bar"),
        (UTF8, "foo.bar_bytes_total"),
        (RAW, "foo.bar"),
    ] {
        assert_eq!(full(translation, "foo.bar", "By", Kind::Counter).name, expected);
    }
    assert_eq!(full(BARE, "a__b@@c", "By", Kind::Counter).name, "a__b_c");
    assert_eq!(full(BARE, "123metric", "", Kind::Gauge).name, "_123metric");
}

#[test]
fn suffixes_beside_any_character() {
    for (name, unit, kind, expected) in [
        ("foo.total", "", Kind::Counter, "foo_total"),
        ("subtotal", "", Kind::Counter, "subtotal_total"),
        ("cpu_seconds_total", "s", Kind::Counter, "cpu_seconds_total"),
        ("a.per_second", "By/s", Kind::Gauge, "a_bytes_per_second"),
        ("us\u{e9}_ratio", "1", Kind::Gauge, "us\u{e9}_ratio"),
        ("\u{e9}total", "", Kind::Counter, "\u{e9}total_total"),
        ("\u{b7}total", "", Kind::Counter, "\u{b7}total_total"),
        ("total", "", Kind::Counter, "total_total"),
        ("a\u{2192}total", "", Kind::Counter, "a_total"),
        ("@#$%", "", Kind::Counter, "@#$%_total"),
    ] {
        assert_eq!(full(UTF8, name, unit, kind).name, expected);
    }
}

#[test]
fn a_unit_is_told_only_where_the_name_ends_with_it() {
    assert_eq!(full(ESCAPED, "cpu_seconds_total", "s", Kind::Counter).unit, "seconds");
    assert_eq!(full(ESCAPED, "seconds.spent", "s", Kind::Counter).unit, "");
    assert_eq!(full(ESCAPED, "x", "1", Kind::Gauge).unit, "ratio");
    assert_eq!(full(ESCAPED, "x", "a@b", Kind::Gauge).unit, "");
    assert_eq!(full(BARE, "x", "s", Kind::Gauge).unit, "");
}

#[test]
fn l1_to_l4_label_names() {
    let translator = Translator::default();
    for (case, key, expected) in [
        ("L1", "http.method", "http_method"),
        ("L2", "123label", "key_123label"),
        ("L3", "label.name__with&&special##chars", "label_name_with_special_chars"),
        ("L3", "a__b", "a_b"),
        ("L4", "__x__", "__x__"),
        ("L4", "__a.b__", "__a_b__"),
        ("L4", "__x", "_x"),
        ("one", "_x", "_x"),
        ("edge", "@x@", "_x_"),
        ("plain", "plain_1", "plain_1"),
        ("colon", "a:b", "a_b"),
    ] {
        assert_eq!(translator.label(key).unwrap(), expected, "{case} {key}");
    }
    for key in ["", "_", "@#", "____", "__@__"] {
        assert_eq!(translator.label(key), Err(TranslateError::Nothing), "{key}");
    }
    let raw = Translator::new(UTF8, "");
    assert_eq!(raw.label("1 h\u{e9}").unwrap(), "1 h\u{e9}");
    assert_eq!(raw.label(""), Err(TranslateError::Nothing));
    assert_eq!(raw.label(&"x".repeat(2000)), Err(TranslateError::TooLong));
    assert!(matches!(translator.label("plain"), Ok(Cow::Borrowed(_))));
}

#[test]
fn labels_are_sorted_joined_and_without_empty_ones() {
    let translator = Translator::default();
    let set = |pairs: &[(&'static str, &'static str)]| {
        let pairs = pairs.iter().map(|(key, value)| (*key, Cow::Borrowed(*value)));
        translator.labels(pairs, &["le"]).map(|labels| {
            labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
        })
    };
    assert_eq!(set(&[("b", "2"), ("a", "1")]).unwrap(), "a=1 b=2");
    assert_eq!(
        set(&[("x_y", "late"), ("b", "2"), ("x.y", "early")]).unwrap(),
        "b=2 x_y=early;late"
    );
    assert_eq!(set(&[("a", "1"), ("x", "")]).unwrap(), "a=1", "L7");
    assert_eq!(set(&[("a.b", ""), ("a_b", "1")]).unwrap(), "a_b=1");
    assert_eq!(set(&[("a", "first"), ("a", "second")]).unwrap(), "a=first");
    assert_eq!(set(&[]).unwrap(), "");
    for reserved in ["__name__", "le", "__x__"] {
        assert_eq!(set(&[(reserved, "1")]), Err(TranslateError::Reserved(reserved.into())));
    }
    assert_eq!(set(&[("le", "")]).unwrap(), "");
    assert_eq!(set(&[("@", "1")]), Err(TranslateError::Nothing));
}
