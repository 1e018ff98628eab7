//! A config is read whole: what is good resolves, what is bad is told with its place, and nothing hostile takes long.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Dimension, Loaded, Reading, Settings, Severity, Source, load};
use engine::rules::definition::{
    self, Comparison, Intrinsic, Mapping, Measure, MetricKind, Reference, Row, Scale, Step, Test,
};
use engine::rules::pattern::Pattern;
use engine::view::Origin;
use oscar_metrics::check;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn read(path: &Path) -> Loaded {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let source = Source { name, text: fs::read_to_string(path).unwrap() };
    let beside = path.parent().unwrap();
    let names = |name: &str| {
        let entries = fs::read_dir(beside.join(name))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let reading = Reading {
        environment: &|_| None,
        files: &|file| fs::read_to_string(beside.join(file)),
        folders: Some(&names),
        packs: None,
    };
    config::load_with(Some(source), &reading)
}

#[test]
fn a_pack_by_path_brings_boards_alerts_and_a_report() {
    let loaded = read(&folder("examples").join("support-bot.yaml"));
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.render());
    let content = loaded.settings.unwrap().content;
    assert!(content.omitted.is_empty(), "{:?}", content.omitted);
    let board = content.boards.iter().find(|board| board.name == "support").unwrap();
    assert_eq!(board.rows.iter().map(|row| row.panels.len()).collect::<Vec<_>>(), [4, 4]);
    let alert = content.alerts.iter().find(|alert| alert.name == "SupportRepliesSlow").unwrap();
    assert!(alert.runbook.starts_with("Ten replies or more") && alert.tests.len() == 2);
    assert_eq!((content.report.figures.len(), content.report.tables.len()), (3, 1));
}

#[test]
fn queries_that_build_on_each_other_are_bounded() {
    let query = |at: usize| {
        format!("  q{at}: {{query: q{next}, of: q{next}, minus: q{next}}}\n", next = at + 1)
    };
    let queries: String = (0..15).map(query).collect();
    let config = format!("{}\nqueries:\n{queries}  q15: {{count: a_total}}\n", counter("idle: 1h"));
    let loaded = text(&config);
    assert!(loaded.render().contains("more than 20000 queries"), "{}", loaded.render());
}

#[test]
fn a_pack_leaves_out_what_its_metrics_no_longer_have() {
    let lost = good("use: [oscar]\nmetrics: {bot_feedback_total: null}").content.omitted;
    let found = |what: &str| {
        lost.iter().find(|one| one.what == what).unwrap_or_else(|| panic!("{what}: {lost:?}"))
    };
    assert_eq!(found("alert `BotFeedbackBad`").why, "there is no metric `bot_feedback_total`");
    assert!(found("panel `quality.said.votes`").place.starts_with("pack oscar/boards.yaml:"));
    let table = "use: [oscar]\nmetrics: {bot_feature_users: null}";
    let lost = good(table).content;
    assert!(lost.omitted.iter().any(|one| one.what.starts_with("column `people` of the panel")));
    let panels = lost.boards.iter().flat_map(|board| &board.rows).flat_map(|row| &row.panels);
    let table = panels.clone().find(|panel| panel.title == "Features side by side").unwrap();
    assert_eq!(table.queries.len(), 3, "the other columns stay");
}

#[test]
fn a_file_changes_an_alert_of_a_pack_by_name() {
    let content = good("use: [oscar]\nalerts: {BotTimeouts: {above: 5%}, BotLoops: null, BotSlotsBusy: {at_least: 3}}").content;
    let alert = |name: &str| content.alerts.iter().find(|alert| alert.name == name);
    let changed = alert("BotTimeouts").unwrap();
    assert_eq!(changed.limits, [config::content::Limit::Above(0.05)]);
    assert!(changed.summary.contains("gives up") && changed.runbook.contains("two minutes"));
    assert!(alert("BotLoops").is_none());
    assert!(alert("BotSlotsBusy").unwrap().tests.is_empty(), "they were written for another bound");
}

#[test]
fn the_example_of_the_design_is_good() {
    let loaded = read(&folder("examples").join("design.yaml"));
    let (text, ok) = check::report(&loaded, false);
    assert!(ok, "{text}");
    let row = text.lines().find(|line| line.starts_with("bot_tokens_total ")).unwrap();
    assert!(row.contains(" counter ") && row.contains(" 2+ "), "{row}");
    assert!(row.contains("model (open, limit 40), type (2)"), "{row}");
}

#[test]
fn the_config_in_the_readme_is_good() {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|block| block.split("```").next());
    let configs: Vec<&str> = blocks.filter(|block| block.starts_with("use:")).collect();
    assert_eq!(configs.len(), 1);
    let loaded = text(configs[0]);
    assert!(loaded.settings.is_some(), "{}", loaded.render());
    assert!(loaded.print().contains("jenkins_jobs_total"));
}

/// Each file in `config/bad` shows one message; the text beside it is what people see. `REWRITE=1` writes the texts anew.
#[test]
fn every_bad_config_is_told_as_written() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder("bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut messages = std::collections::BTreeSet::new();
    let mut faults = Vec::new();
    for file in files {
        let loaded = read(&file);
        assert!(!loaded.diagnostics.is_empty(), "{} is good", file.display());
        messages.extend(loaded.diagnostics.iter().map(|one| without_names(&one.message)));
        let (text, beside) = (loaded.render(), file.with_extension("txt"));
        if std::env::var_os("REWRITE").is_some() {
            fs::write(&beside, &text).unwrap();
        }
        let wanted = fs::read_to_string(&beside);
        if wanted.as_deref().ok() != Some(&text) {
            faults.push(format!("{}: {wanted:?}, but is\n{text}", beside.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(messages.len() >= 100, "only {} different messages", messages.len());
}

/// A message without what it quotes.
fn without_names(message: &str) -> String {
    message.split('`').step_by(2).collect()
}

fn text(config: &str) -> Loaded {
    let source = Source { name: "config.yaml".to_owned(), text: config.to_owned() };
    let environment = |name: &str| match name {
        "TEAM" => Some("007".to_owned()),
        "MANY" => Some("1234".to_owned()),
        _ => None,
    };
    load(Some(source), &environment, &|_| Ok("a: b\n".to_owned()))
}

fn good(config: &str) -> Settings {
    testkit::settings_of(text(config))
}

/// A counter over spans with more lines of its own.
fn counter(lines: &str) -> String {
    format!("metrics: {{a_total: {{help: A., type: counter, from: span, {lines}}}}}")
}

fn only_part(config: &str) -> definition::Part {
    good(config).definitions.metrics.remove(0).parts.remove(0)
}

#[test]
fn the_default_file_says_the_defaults() {
    let said = read(&folder("").join("oscar-metrics.yaml"));
    assert!(said.diagnostics.iter().all(|one| one.severity == Severity::Warning));
    let said = said.settings.unwrap();
    assert_eq!(said, testkit::built_in());
    assert_eq!(said.limits, engine::limits::Limits::default());
}

#[test]
fn a_file_without_use_has_nothing_built_in() {
    let settings = good("{}");
    assert_eq!(settings.definitions, definition::Definitions::default());
    assert_eq!(good(""), settings);
    assert!(text("[]").settings.is_none());
    assert!(text("metrics").settings.is_none());
}

#[test]
fn what_check_prints_loads_to_the_same_settings() {
    let small = counter("labels: {a: {from: x, map: {'us.*': $1, '3..5': 3-5}, default: 'no'}}");
    let files = [folder("examples").join("design.yaml"), folder("").join("oscar-metrics.yaml")];
    for first in files.iter().map(|file| read(file)).chain([text(&small)]) {
        let printed = first.print();
        let source = Source { name: "printed".to_owned(), text: printed.clone() };
        let beside = folder("examples");
        let second = load(Some(source), &|_| None, &|file| fs::read_to_string(beside.join(file)));
        let series = |loaded: &Loaded| {
            let mut settings = loaded.settings.clone().unwrap();
            settings.content = Default::default();
            settings
        };
        assert_eq!(series(&second), series(&first), "{printed}");
        assert_eq!(second.print(), printed);
    }
}

#[test]
fn json_is_read_too() {
    let json = r#"{"metrics": {"a_total": {"help": "A.", "type": "counter", "from": "span",
        "where": {"span.code": [404, 429.0, true, "5*"]}}}}"#;
    let part = only_part(json);
    let [(reference, test)] = &*part.conditions[0].any[0] else { panic!("{part:?}") };
    assert_eq!(*reference, Reference::Attribute(Some(Origin::Span), "code".to_owned()));
    let exact = |text| Pattern::exact(text);
    let any = vec![exact("404"), exact("429"), exact("true"), Pattern::parse("5*").unwrap()];
    assert_eq!(*test, Test::AnyOf(any));
}

#[test]
fn every_test_of_a_condition_is_understood() {
    let lines = "where: [{name: '/a|b/', duration: {gt: 1500ms, le: 1m}}, \
                 {p: {not: {exists: true}}, q: {is: '*'}, r: {ge: 400kB, not: [x, {is: /}]}}]";
    let part = only_part(&counter(lines));
    let attribute = |key: &str| Reference::Attribute(None, key.to_owned());
    let regex = Test::AnyOf(vec![Pattern::parse("/a|b/").unwrap()]);
    let times =
        Test::All(vec![Test::Number(Comparison::Gt, 1.5), Test::Number(Comparison::Le, 60.0)]);
    let not = |test| Test::Not(Box::new(test));
    let texts = Test::AnyOf(vec![Pattern::exact("x"), Pattern::exact("/")]);
    let wanted = vec![
        vec![
            (Reference::Intrinsic(Intrinsic::Name), regex),
            (Reference::Intrinsic(Intrinsic::Duration), times),
        ],
        vec![
            (attribute("p"), not(Test::Exists(true))),
            (attribute("q"), Test::AnyOf(vec![Pattern::exact("*")])),
            (attribute("r"), Test::All(vec![not(texts), Test::Number(Comparison::Ge, 400e3)])),
        ],
    ];
    assert_eq!(part.conditions, [definition::Condition { any: wanted }]);
}

#[test]
fn words_are_aliases_then_intrinsics_that_the_record_has_then_attributes() {
    let config = "attributes: {service: {any_of: [resource.service.name]}, slow: duration}\n\
        metrics:\n  a_total: {help: A., type: counter, from: span,\n    \
        labels: {a: service, b: status, c: severity, d: span.status, e: point.x, f: team.name}}\n  \
        b_total: {help: B., type: counter, from: log, labels: {c: severity}}\n  \
        c_seconds: {help: C., type: histogram, from: span, value: slow, buckets: [1s, 2500ms]}";
    let settings = good(config);
    let reference = |metric: usize, label: usize| {
        let steps = &settings.definitions.metrics[metric].parts[0].labels[label].value.steps;
        let [Step::From(reference)] = &**steps else { panic!("{steps:?}") };
        reference.clone()
    };
    let attribute = |origin, key: &str| Reference::Attribute(origin, key.to_owned());
    assert_eq!(reference(0, 0), Reference::Alias(0));
    assert_eq!(reference(0, 1), Reference::Intrinsic(Intrinsic::Status));
    assert_eq!(reference(0, 2), attribute(None, "severity"));
    assert_eq!(reference(0, 3), attribute(Some(Origin::Span), "status"));
    assert_eq!(reference(0, 4), attribute(Some(Origin::Point), "x"));
    assert_eq!(reference(0, 5), attribute(None, "team.name"));
    assert_eq!(reference(1, 0), Reference::Intrinsic(Intrinsic::Severity));
    let seconds = &settings.definitions.metrics[2];
    assert_eq!(seconds.unit, "seconds", "an alias of a time is a time");
    let MetricKind::Histogram { bounds, .. } = &seconds.kind else { panic!("{seconds:?}") };
    assert_eq!(*bounds, [1.0, 2.5]);
}

#[test]
fn parts_inherit_and_labels_are_laid_over_each_other() {
    let config = "labels: {service: service, environment: {default: none}}\n\
        metrics:\n  a_total:\n    help: A.\n    type: counter\n    from: span\n    value: x\n    \
        where: {p: 1}\n    labels: {service: null, model: {from: m, limit: 4}}\n    parts:\n    \
        - {value: {from: y, scale: 0.001}, where: {q: 2}, labels: {type: {default: input}}}\n    \
        - {labels: {model: null, environment: span.env}}\n";
    let metric = good(config).definitions.metrics.remove(0);
    let labels = |part: usize| {
        let names = metric.parts[part].labels.iter().map(|label| label.name.as_str().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(labels(0), ["environment", "model", "type"]);
    assert_eq!(labels(1), ["environment"]);
    assert_eq!(metric.parts[0].conditions.len(), 2);
    assert_eq!(metric.parts[1].conditions.len(), 1);
    assert_eq!(metric.parts[0].labels[1].limit, Some(4));
    let scale = |part: usize| match &metric.parts[part].measure {
        Measure::Value(_, Scale::Constant(scale)) => *scale,
        other => panic!("{other:?}"),
    };
    assert_eq!((scale(0), scale(1)), (0.001, 1.0));
}

#[test]
fn map_rows_are_exact_ones_first_and_tables_are_joins() {
    let config = "tables: {t: {file: t.yaml}}\nattributes:\n  a: {from: x, map: t}\n  \
        b: {from: x, map: {'us.*': '$1', 3..5: 3-5, '..2': few, LLM: chat, '/(b)+/': '${1}'}}";
    let definitions = good(config).definitions;
    assert_eq!(definitions.tables[0].rows["a"], "b");
    assert_eq!(definitions.aliases[0].value.map, Some(Mapping::Table(0)));
    let Some(Mapping::Rows(rows)) = &definitions.aliases[1].value.map else { panic!() };
    let kinds: Vec<&Row> = rows.iter().map(|(row, _)| row).collect();
    let text = |text| Row::Text(Pattern::parse(text).unwrap());
    let below = Row::Range(f64::NEG_INFINITY, 2.0);
    let wanted = [text("LLM"), text("us.*"), Row::Range(3.0, 5.0), below, text("/(b)+/")];
    assert_eq!(kinds, wanted.iter().collect::<Vec<_>>());
}

#[test]
fn variables_fill_scalars_and_quotes_keep_texts() {
    let labels = counter("labels: {a: {from: x, values: ['${TEAM}', '${MANY}', '$${TEAM}']}}");
    let limits = "limits:\n  series: ${MANY}\n  series_per_metric: ${NONE:-77}\n";
    let config = format!("{limits}{labels}");
    let settings = good(&config);
    assert_eq!((settings.limits.series, settings.limits.series_per_metric), (1234, 77));
    let values = settings.definitions.metrics[0].parts[0].labels[0].values.clone().unwrap();
    assert_eq!(values, ["007", "1234", "${TEAM}"]);
    assert!(text("limits: {series: '${MANY}'}").settings.is_none(), "quoted, it is a text");
}

#[test]
fn yes_is_a_text_and_true_is_not() {
    let part = only_part(&counter("labels: {a: {from: x, values: [yes, true, 1.0, 1.50, 01]}}"));
    let values = part.labels[0].values.clone().unwrap();
    assert_eq!(values, ["yes", "true", "1", "1.5", "01"]);
}

#[test]
fn data_points_need_no_value_and_no_buckets() {
    let metric = |kind| format!("metrics: {{{kind}, from: datapoint, where: {{name: bot.x}}}}}}");
    let part = only_part(&metric("a_total: {help: A., type: counter"));
    let Measure::Value(value, _) = part.measure else { panic!("{part:?}") };
    assert_eq!(value.steps, [Step::From(Reference::Intrinsic(Intrinsic::Value))]);
    good(&metric("a: {help: A., type: gauge"));
    good(&metric("a: {help: A., type: histogram"));
}

#[test]
fn the_personal_attributes_are_known_through_aliases() {
    let config = "attributes:\n  user: {any_of: [person, span.user.id], hash: true}\n  \
        person: {any_of: [enduser.id, user.id]}\n  plain: team\n";
    let wanted = [
        (None, "enduser.id".to_owned()),
        (None, "user.id".to_owned()),
        (Some(Origin::Span), "user.id".to_owned()),
    ];
    assert_eq!(good(config).privacy.personal, wanted);
    for label in ["user", "person", "enduser.id", "resource.user.id"] {
        let bad = format!("{config}{}", counter(&format!("labels: {{a: {label}}}")));
        assert!(text(&bad).settings.is_none(), "{label}");
    }
    good(&format!("{config}{}", counter("labels: {a: plain}, where: {user: {exists: true}}")));
}

#[test]
fn the_product_of_declared_values_counts_defaults_constants_and_parts() {
    let config = "limits: {series_per_metric: 12}\nmetrics:\n  a_total: {help: A., type: counter, \
        from: span, labels: {o: {from: o, values: [a, b], default: c}, k: {default: k}},\n    \
        parts: [{labels: {t: {default: x}}}, {labels: {t: {from: t, values: [y, z, w]}}}, \
        {labels: {t: {default: x}}}]}";
    let loaded = text(config);
    let budget = &loaded.budget.metrics[0];
    assert_eq!(budget.sets, 3 + 9, "equal parts are counted once");
    assert_eq!(budget.labels[2].1, Dimension::Enumerated(4));
    assert!(loaded.settings.is_some());
    assert!(text(&config.replace("12", "11")).settings.is_none());
}

#[test]
fn a_fault_hides_no_other_one() {
    let metric = |at: usize| match at % 4 {
        0 => format!("  m{at}_total: {{help: H., type: counter, from: spam}}\n"),
        1 => format!("  m{at}_total: {{help: H., type: countr, from: span}}\n"),
        2 => format!("  m{at}: {{help: H., type: counter, from: span}}\n"),
        _ => format!("  m{at}_total: {{type: counter, from: span, labels: {{'a b': c}}}}\n"),
    };
    let config: String = (0..40).map(metric).collect();
    let loaded = text(&format!("metrics:\n{config}objectives: 3\nlimits: {{idle: 5}}\n"));
    assert_eq!(loaded.diagnostics.len(), 40 + 10 + 2, "{}", loaded.render());
    let lines: Vec<usize> = (0..42).map(|line| line + 2).collect();
    let shown = loaded.render();
    for line in lines {
        assert!(shown.contains(&format!("config.yaml:{line}:")), "line {line} is missing");
    }
}

/// Loads a hostile text and tells the faults; it must come back soon, whatever it says.
fn hostile(what: &str, config: &str) -> String {
    let start = server::clock::monotonic();
    let loaded = text(config);
    let shown = loaded.render();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(20), "{what} took {took:?}");
    assert!(shown.len() < 300_000, "{what} is told in {} bytes", shown.len());
    shown
}

#[test]
fn hostile_documents_are_refused_soon() {
    let refused = |what: &str, config: &str, word: &str| {
        let shown = hostile(what, config);
        assert!(shown.contains(word), "{what}: {}", shown.get(..500).unwrap_or(&shown));
    };
    refused("brackets", &"[".repeat(200_000), "recursion");
    refused("brackets under a key", &format!("metrics: {}", "[".repeat(200_000)), "recursion");
    refused("braces", &"{a: ".repeat(50_000), "recursion");
    let deep: String = (0..300).map(|at| format!("{}a:\n", " ".repeat(at))).collect();
    refused("deep maps", &deep, "recursion");
    refused("dashes", &"- ".repeat(100_000), "recursion");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..9 {
        let before = format!("*a{}, ", at - 1).repeat(9);
        bomb.push_str(&format!("a{at}: &a{at} [{}]\n", before.trim_end_matches(", ")));
    }
    refused("alias bomb", &bomb, "more than 300000 values");
    refused("long text", &format!("metrics: {}", "x".repeat(1_000_000)), "expected a map");
    refused("long key", &format!("? {}\n: 1\n", "x".repeat(1_000_000)), "a key of more than");
    refused("too long", &"#".repeat(5_000_000), "the most is");
    refused("NUL", "metrics: {a\0b: 1}", "error");
    refused("escaped NUL", "metrics: {\"a\\0b\": 1}", "expected a map");
    refused("doubled keys", &"a: 1\n".repeat(100_000), "comes twice");
    refused("anchors", &"- &a x\n".repeat(200_000), "more than 300000 values");
    refused("tabs", "metrics:\n\ta: 1\n", "error");
    refused("control characters", "\u{1b}[31m: 1", "error");
}

#[test]
fn hostile_names_cost_little() {
    let many =
        |count: usize, line: &dyn Fn(usize) -> String| -> String { (0..count).map(line).collect() };
    let n = 30_000;
    let chain = many(n, &|at| format!("  a{at}: {{any_of: [a{}, a0]}}\n", at + 1));
    hostile("chain of aliases", &format!("attributes:\n{chain}"));
    let slips = many(n, &|at| format!("  alias{at}: {{any_of: [alia{at}, aliaz{at}]}}\n"));
    hostile("slips", &format!("attributes:\n{slips}"));
    let wide = many(n, &|at| format!("w{at}, "));
    let users = many(n, &|at| format!("  u{at}: {{any_of: [w], hash: true}}\n"));
    hostile("hashed", &format!("attributes:\n  w: {{any_of: [{wide}]}}\n{users}"));
    let labels = many(n, &|at| format!("l{at}: w, "));
    hostile("labels", &counter(&format!("labels: {{{labels}}}")));
    let parts = many(n, &|at| format!("{{labels: {{l{at}: w}}}}, "));
    hostile("parts", &counter(&format!("parts: [{parts}]")));
    let keys = many(n, &|at| format!("key{at}: {at}, "));
    hostile("settings", &format!("limits: {{{keys}}}\nuse: [oscar]\n"));
    let metrics =
        many(n / 3, &|at| format!("  m{at}_total: {{help: A., type: counter, from: r{at}}}\n"));
    hostile("metrics", &format!("metrics:\n{metrics}"));
    let objectives = many(n / 3, &|at| {
        format!("  o{at}: {{metric: m{at}_totl, bad: {{a: b}}, target: 9%, window: 1d}}\n")
    });
    hostile("objectives", &format!("metrics:\n{metrics}objectives:\n{objectives}"));
    let regexes = many(n, &|at| format!("'/(?:a{{900}}){{9}}{at}/': x, "));
    let shown = hostile("regexes", &format!("attributes: {{a: {{from: x, map: {{{regexes}}}}}}}"));
    assert!(shown.contains("more than 256 regular expressions"));
    let files = many(n, &|at| format!("  t{at}: {{file: t{at}}}\n"));
    hostile("table files", &format!("tables:\n{files}"));
}
