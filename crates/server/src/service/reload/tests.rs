use serde_json::{Map, Value, json};

use super::*;

/// Sections about content: what the engine and generators make of them is tested there.
const CONTENT: [&str; 16] = [
    "use",
    "time_zone",
    "labels",
    "tables",
    "attributes",
    "records",
    "metrics",
    "sessions",
    "objectives",
    "alerting",
    "queries",
    "dashboards",
    "alerts",
    "report",
    "forward",
    "usage",
];

/// Values of each kind that settings have; at least one of them is none's default.
fn candidates() -> Vec<Value> {
    let texts = ["7s", "3MiB", "127.0.0.1:1", "some", "NoTranslation", "x"];
    let plain = [
        json!(true),
        json!(false),
        json!(7),
        json!(["127.0.0.1:1"]),
        json!(["x*"]),
        json!(["some"]),
    ];
    texts.into_iter().map(Value::from).chain(plain).collect()
}

/// The settings of a config; none: it has faults.
fn settings(config: &Value) -> Option<Settings> {
    let text = config.to_string();
    let source = config::Source { name: "config.yaml".into(), text };
    let nothing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    config::load(Some(source), &|_| None, &nothing).settings
}

/// All settings below a part of the schema, as paths of keys.
fn leaves(schema: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    let inner = ["anyOf", "allOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
    let maps = inner.chain([schema]).filter_map(|one| one["properties"].as_object());
    let fields: Vec<_> = maps.flatten().collect();
    if fields.is_empty() {
        found.push(path.to_vec());
    }
    for (key, inner) in fields {
        leaves(inner, &[path, std::slice::from_ref(key)].concat(), found);
    }
}

/// A config that sets one thing.
fn config(path: &[String], value: &Value) -> Value {
    let set = path
        .iter()
        .rev()
        .fold(value.clone(), |value, key| Value::Object(Map::from_iter([(key.clone(), value)])));
    let mut config = json!({"tables": {"some": {"a": "b"}}});
    config.as_object_mut().unwrap().extend(set.as_object().unwrap().clone());
    config
}

#[test]
fn applies_every_setting_or_names_it() {
    let begun = settings(&json!({"tables": {"some": {"a": "b"}}})).unwrap();
    let schema = content::schema::config();
    let mut all = Vec::new();
    for (section, schema) in schema["properties"].as_object().unwrap() {
        if !CONTENT.contains(&&**section) {
            leaves(schema, std::slice::from_ref(section), &mut all);
        }
    }
    assert!(all.len() > 25, "{all:?}");
    for path in all {
        let name = path.join(".");
        let loaded = candidates().into_iter().filter_map(|value| settings(&config(&path, &value)));
        let changed = loaded.filter(|settings| *settings != begun).collect::<Vec<_>>();
        assert!(!changed.is_empty(), "{name}: add a value of its kind to the candidates");
        for settings in changed {
            let args = Overrides::default();
            let restart = need_restart(&args, (&begun.server, &begun.state), &settings);
            // The engine and the forwarders get all the rest with every reload.
            let (server, state) = (begun.server.clone(), begun.state.clone());
            let applied = LiveSettings::of(&settings) != LiveSettings::of(&begun)
                || Settings { server, state, ..settings } != begun;
            let named = restart == [&*name];
            assert!(applied != named && restart.len() <= 1, "{name}: {applied}, {restart:?}");
        }
    }
}

#[test]
fn a_flag_wins_over_its_setting() {
    let begun = settings(&json!({})).unwrap();
    let other = settings(&json!({"server": {"web": {"listen": "127.0.0.1:1"}}})).unwrap();
    let args = Overrides { web_listen: vec![":9464".into()], ..Overrides::default() };
    let restart = |args| need_restart(args, (&begun.server, &begun.state), &other);
    assert_eq!(restart(&args), [""; 0]);
    assert_eq!(restart(&Overrides::default()), ["server.web.listen"]);
}

#[test]
fn has_the_defaults_of_the_config() {
    assert_eq!(LiveSettings::of(&settings(&json!({})).unwrap()), LiveSettings::default());
}
