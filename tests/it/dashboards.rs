//! The generated dashboards: what Grafana's dashboard linter asks for, and that every query asks for what there is.

mod known;
pub mod queries;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::{Settings, Source, load};
use content::{Catalogue, MARK, Product};
use serde_json::Value;

use known::Known;

/// Units of Grafana that panels may have.
const UNITS: [&str; 9] = [
    "none",
    "short",
    "locale",
    "percentunit",
    "s",
    "currencyUSD",
    "decbytes",
    "ops",
    "dateTimeFromNow",
];
const OWN: &str = "labels: {team: {from: resource.team, default: none}}
metrics:
  jobs_total: {help: Jobs., type: counter, from: span, role: usage, labels: {kind: {from: k, values: [a, b]}}}
  parts_total: {help: Parts., type: counter, from: span, labels: {name: {from: n, limit: 9}}}
  queue: {help: What waits., type: gauge, from: span, value: v, role: cost, labels: {team: null}}
  last_timestamp_seconds: {help: When., type: gauge, unit: seconds, from: span, value: time, role: work}
  took_seconds: {help: Time., type: histogram, from: span, value: duration, buckets: [1s], role: latency, native: only}
  size_bytes: {help: Size., type: histogram, unit: bytes, from: span, value: v, buckets: [1kB], role: quality, labels: {x: k}}
  people: {help: People., type: distinct, from: span, of: user, windows: [1d], registers: 64, role: safety}
attributes: {user: {from: user.id, hash: true}}
objectives: {quick: {metric: took_seconds, under: 1s, target: 95%, window: 7d}}
";

fn settings(text: &str) -> Settings {
    let source = Source { name: "config.yaml".to_owned(), text: text.to_owned() };
    let file = |name: &str| {
        std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples").join(name),
        )
    };
    let loaded = load(Some(source), &|_| None, &file);
    testkit::settings_of(loaded)
}

/// Boards by file name.
fn boards(settings: &Settings) -> BTreeMap<String, Value> {
    let files = Product::Dashboards.artifacts(&Catalogue::new(settings), &[]);
    files
        .iter()
        .map(|file| (file.path.clone(), serde_json::from_str(&file.text).unwrap()))
        .collect()
}

/// All panels, those in closed rows too, but no rows.
fn panels(board: &Value) -> Vec<&Value> {
    let mut all = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        match panel["type"] == "row" {
            true => all.extend(panel["panels"].as_array().unwrap()),
            false => all.push(panel),
        }
    }
    all
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn configs() -> Vec<(&'static str, Settings)> {
    let all = [
        ("oscar", "use: [oscar]"),
        ("genai", "use: [genai]"),
        ("span_metrics", "use: [span_metrics]"),
        ("both", "use: [oscar, span_metrics]"),
        ("design", include_str!("../../config/examples/design.yaml")),
        ("own", OWN),
        ("empty", "{}"),
    ];
    all.map(|(name, text)| (name, settings(text))).into()
}

#[test]
fn boards_keep_the_rules_of_the_linter() {
    for (config, settings) in configs() {
        let boards = boards(&settings);
        let uids: BTreeSet<&str> = boards.values().map(|board| text(&board["uid"])).collect();
        assert_eq!(uids.len(), boards.len(), "{config}: one address each");
        for (file, board) in &boards {
            let at = format!("{config}/{file}");
            head(&at, board);
            places(&at, board);
            let titles: BTreeSet<&str> =
                panels(board).iter().map(|panel| text(&panel["title"])).collect();
            assert_eq!(titles.len(), panels(board).len(), "{at}: one title each");
            panels(board).into_iter().for_each(|one| panel(&at, one, &uids));
        }
    }
}

/// What a board says of itself.
fn head(at: &str, board: &Value) {
    let uid = text(&board["uid"]);
    let plain = uid.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    assert!(plain && uid.len() <= 40, "{at}: {uid}");
    assert_eq!(board["schemaVersion"], 42, "{at}");
    assert_eq!(board["editable"], false, "{at}");
    assert!(text(&board["description"]).contains(MARK), "{at}");
    assert!(board.get("id").is_none() && board.get("version").is_none(), "{at}: drifts");
    let variables = board["templating"]["list"].as_array().unwrap();
    let sources: Vec<&Value> = variables.iter().filter(|one| one["type"] == "datasource").collect();
    assert_eq!(sources.len(), 1, "{at}");
    assert_eq!(
        (&sources[0]["name"], &sources[0]["label"]),
        (&"datasource".into(), &"Data source".into())
    );
    for name in ["job", "instance"] {
        if let Some(one) = variables.iter().find(|one| one["name"] == name) {
            let all = (&one["multi"], &one["includeAll"], &one["allValue"], &one["refresh"]);
            assert_eq!(all, (&true.into(), &true.into(), &".+".into(), &2.into()), "{at}: {name}");
        }
    }
    assert!(variables.iter().any(|one| one["name"] == "job"), "{at}");
    for one in variables.iter().filter(|one| one["type"] == "query") {
        assert_eq!(one["datasource"]["uid"], "${datasource}", "{at}");
        assert!(!text(&one["query"]).contains("_bucket"), "{at}: looks in buckets");
    }
}

/// Where panels lie and how they are numbered.
fn places(at: &str, board: &Value) {
    let (mut taken, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let rows = board["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] == "row");
    for panel in panels(board).into_iter().chain(rows) {
        assert!(numbers.insert(panel["id"].as_u64().unwrap()), "{at}: {} twice", panel["id"]);
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        let (x, y, w, h) = (side("x"), side("y"), side("w"), side("h"));
        assert!(w > 0 && h > 0 && x + w <= 24, "{at}: {}", panel["title"]);
        for field in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(field), "{at}: {} lies on another", panel["title"]);
        }
    }
}

/// What a panel must have for somebody who has never seen a query.
fn panel(at: &str, panel: &Value, uids: &BTreeSet<&str>) {
    let title = text(&panel["title"]);
    let at = format!("{at}: {title}");
    assert!(!title.is_empty() && !title.contains('_'), "{at}: not plain words");
    let about = text(&panel["description"]);
    assert!(about.ends_with('.') && about.len() >= 20, "{at}: {about}");
    let defaults = &panel["fieldConfig"]["defaults"];
    let units = units(panel);
    assert!(
        units.iter().all(|unit| UNITS.contains(unit) || unit.starts_with("suffix:")),
        "{at}: {units:?}"
    );
    assert!(defaults["thresholds"]["steps"][0]["value"].is_null(), "{at}");
    assert!(!text(&defaults["noValue"]).is_empty(), "{at}");
    let data = defaults["links"].as_array().unwrap();
    for link in panel["links"].as_array().unwrap().iter().chain(data) {
        let board = text(&link["url"]).strip_prefix("/d/").unwrap().split('?').next().unwrap();
        assert!(uids.contains(board), "{at}: leads to {board}, which there is not");
    }
    let colours: Vec<&str> = named_colours(panel).collect();
    let told_apart: BTreeSet<&&str> = colours.iter().collect();
    assert_eq!(told_apart.len(), colours.len(), "{at}: two names of one colour: {colours:?}");
    let Some(targets) = panel.get("targets").and_then(Value::as_array) else {
        assert_eq!(panel["type"], "text", "{at}");
        return;
    };
    let letters: BTreeSet<&str> = targets.iter().map(|target| text(&target["refId"])).collect();
    assert_eq!(letters.len(), targets.len(), "{at}");
    for target in targets {
        assert_eq!(target["datasource"]["uid"], "${datasource}", "{at}");
        assert!(!text(&target["legendFormat"]).is_empty(), "{at}: a number without a name");
    }
}

/// The colours that belong to names.
fn named_colours(panel: &Value) -> impl Iterator<Item = &str> {
    let named = panel["fieldConfig"]["overrides"].as_array().unwrap().iter();
    let named = named.filter(|one| one["matcher"]["id"] == "byName");
    let all = named.flat_map(|one| one["properties"].as_array().unwrap());
    all.filter(|one| one["id"] == "color").map(|one| text(&one["value"]["fixedColor"]))
}

/// The units of a panel and of its single numbers.
fn units(panel: &Value) -> Vec<&str> {
    let single = panel["fieldConfig"]["overrides"].as_array().unwrap().iter();
    let single = single.flat_map(|one| one["properties"].as_array().unwrap());
    let single =
        single.filter(|property| property["id"] == "unit").map(|unit| text(&unit["value"]));
    single.chain([text(&panel["fieldConfig"]["defaults"]["unit"])]).collect()
}

/// A share of few cases says nothing: what divides counts of events stands beside them.
#[test]
fn a_share_has_its_number_beside_it() {
    let boards = boards(&settings("use: [oscar]"));
    let mut seen = 0;
    for panel in boards.values().flat_map(panels) {
        let Some(targets) = panel["targets"].as_array() else { continue };
        let gated = |target: &&Value| text(&target["expr"]).contains(">= 20)");
        if targets.iter().any(|target| gated(&target)) && panel["type"] == "stat" {
            seen += 1;
            let beside = targets.iter().any(|target| target["legendFormat"] == "Out of");
            let itself = targets[0]["expr"].as_str().unwrap();
            assert!(beside || !itself.contains(">= 20)"), "{}", panel["title"]);
        }
    }
    assert!(seen > 20, "only {seen}");
}

/// The variables that a part of a query follows.
fn choices(query: &str) -> BTreeSet<&str> {
    query.split("=~\"$").skip(1).map(|after| after.split('"').next().unwrap()).collect()
}

/// What knows no tiers is no share of one tier: who chooses one would read a number that nothing has.
#[test]
fn what_divides_follows_no_choice_that_the_divided_does_not() {
    let mut seen = 0;
    for (file, board) in boards(&settings("use: [oscar]")) {
        for panel in panels(&board) {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let Some((part, rest)) = text(&target["expr"]).split_once(" / (") else { continue };
                let whole = rest.split(" >= ").next().unwrap();
                seen += 1;
                let more: Vec<_> = choices(whole).difference(&choices(part)).copied().collect();
                assert!(more.is_empty(), "{file}: {}: {more:?}", panel["title"]);
            }
        }
    }
    assert!(seen > 50, "only {seen}");
}

#[test]
fn who_chooses_is_told_which_numbers_do_not_follow() {
    let board = &boards(&settings("use: [oscar]"))["cost.json"];
    let about = |title: &str| {
        let all = panels(board);
        let panel = all.iter().find(|panel| panel["title"] == title).unwrap();
        text(&panel["description"]).to_owned()
    };
    assert!(about("Saved by caching").ends_with(" Not narrowed by: Agent."));
    assert!(about("Tokens a message").ends_with(" Not narrowed by Model, Agent: `Out of`."));
    assert!(!about("Tokens").contains("narrowed"));
}

#[test]
fn every_query_asks_for_what_there_is() {
    for (config, settings) in configs() {
        let catalogue = Catalogue::new(&settings);
        let known = Known::new(&catalogue);
        let mut asked = BTreeSet::new();
        for (file, board) in boards(&settings) {
            for panel in panels(&board) {
                let at = format!("{config}/{file}: {}", panel["title"]);
                for target in panel["targets"].as_array().into_iter().flatten() {
                    let labels = queries::check(&at, text(&target["expr"]), &known, &mut asked);
                    queries::legend(&at, target, &labels);
                }
            }
            for annotation in board["annotations"]["list"].as_array().unwrap() {
                if let Some(expr) = annotation["expr"].as_str() {
                    queries::check(
                        &format!("{config}/{file}: annotations"),
                        expr,
                        &known,
                        &mut BTreeSet::new(),
                    );
                }
            }
            variables(&format!("{config}/{file}"), &board, &known);
        }
        let unasked: Vec<&str> = catalogue
            .metrics
            .iter()
            .map(|entry| entry.name())
            .filter(|name| !asked.contains(*name))
            .collect();
        assert!(unasked.is_empty(), "{config}: on no panel: {unasked:?}");
    }
}

/// What is chosen at the head is looked up where it is, and every query's variable is there.
fn variables(at: &str, board: &Value, known: &Known) {
    let list = board["templating"]["list"].as_array().unwrap();
    let names: BTreeSet<&str> = list.iter().map(|one| text(&one["name"])).collect();
    for target in
        panels(board).iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
    {
        let used = text(&target["expr"]).split('$').skip(1).map(|after| {
            after.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap()
        });
        for name in used.filter(|name| !name.starts_with("__")) {
            assert!(names.contains(name), "{at}: no variable {name}");
        }
    }
    for one in list {
        let Some(lookup) =
            one["query"].as_str().and_then(|query| query.strip_prefix("label_values("))
        else {
            continue;
        };
        let (series, label) = lookup.trim_end_matches(')').rsplit_once(", ").unwrap();
        let metric = series.split('{').next().unwrap();
        assert!(
            known.labels(metric).unwrap_or_else(|| panic!("{at}: {metric}")).contains(label),
            "{at}: {lookup}"
        );
    }
}

#[test]
fn what_a_config_removes_leaves_the_rest_as_it_is() {
    let whole = boards(&settings("use: [oscar]"));
    let less = settings(
        "use: [oscar]
metrics:
  bot_feedback_total: null
  bot_interactions_total: {help: Messages., type: counter, from: interaction, role: usage, labels: {outcome: outcome}}
",
    );
    let less = boards(&less);
    let titles = |boards: &BTreeMap<String, Value>, file: &str| -> BTreeMap<String, u64> {
        panels(&boards[file])
            .iter()
            .map(|panel| (text(&panel["title"]).to_owned(), panel["id"].as_u64().unwrap()))
            .collect()
    };
    let (before, after) = (titles(&whole, "adoption.json"), titles(&less, "adoption.json"));
    assert!(before.contains_key("Liked") && !after.contains_key("Liked"));
    assert!(
        !after.contains_key("Features side by side") && after.contains_key("Messages by feature")
    );
    assert!(after.iter().all(|(title, id)| before.get(title) == Some(id)), "numbers stay");
    let lost = less["adoption.json"].to_string();
    assert!(
        !lost.contains("bot_feedback_total")
            && !lost.contains("sum by (feature) (increase(bot_interactions_total")
    );
}

#[test]
fn a_metric_that_is_added_gets_its_panel_on_the_board_of_its_role() {
    let all = boards(&settings(
        &format!("use: [oscar]\n{OWN}")
            .replace("labels: {team: {from: resource.team, default: none}}\n", ""),
    ));
    let find = |file: &str, title: &str| -> Value {
        panels(&all[file])
            .into_iter()
            .find(|panel| panel["title"] == title)
            .unwrap_or_else(|| panic!("{file} lacks {title}"))
            .clone()
    };
    assert_eq!(find("adoption.json", "Jobs")["type"], "timeseries");
    assert_eq!(find("reliability.json", "Parts")["type"], "bargauge");
    assert_eq!(find("reliability.json", "Took")["fieldConfig"]["defaults"]["unit"], "s");
    assert_eq!(find("quality.json", "Size")["fieldConfig"]["defaults"]["unit"], "decbytes");
    assert_eq!(find("cost.json", "Queue")["type"], "timeseries");
    assert_eq!(find("safety.json", "People")["type"], "timeseries");
    let small = boards(&settings(OWN));
    assert!(small.keys().all(|file| !small[file].to_string().contains("bot_")));
    assert_eq!(boards(&settings("{}")).keys().collect::<Vec<_>>(), ["series.json", "sidecar.json"]);
}

#[test]
fn histograms_that_may_lack_a_count_are_counted_by_their_last_bucket() {
    let config = r#"
records: {waits: {from: datapoint, where: {name: wait}}}
metrics:
  wait_seconds: {help: Waits., type: histogram, from: waits, unit: seconds, buckets: [1s, 2s], role: latency}
  score: {help: Scores., type: histogram, from: span, value: span.score, buckets: [-1, 1], role: quality}
  took_seconds: {help: Time., type: histogram, from: span, value: duration, buckets: [1s], role: latency}
objectives: {quick: {metric: wait_seconds, under: 1s, target: 95%, window: 7d}}
"#;
    let settings = settings(config);
    let catalogue = Catalogue::new(&settings);
    let products = [Product::Dashboards, Product::Rules];
    let files = products.map(|product| product.artifacts(&catalogue, &[])).concat();
    let all: String = files.into_iter().map(|file| file.text).collect();
    for (name, counted) in [("wait_seconds", false), ("score", false), ("took_seconds", true)] {
        let is_in = |series: &str| all.contains(&format!("{name}{series}"));
        assert_eq!(is_in("_count"), counted, "{name}");
        assert!(is_in("_bucket"), "{name}");
    }
    assert!(all.contains(r#"wait_seconds_bucket{le="+Inf"}"#), "rules");
    assert!(all.contains(r#"job=~\"$job\", le=\"+Inf\"}"#), "boards");
}

#[test]
fn the_same_config_makes_the_same_bytes() {
    let settings = settings("use: [oscar]");
    let make = || Product::Dashboards.artifacts(&Catalogue::new(&settings), &[]);
    assert_eq!(make(), make());
}
