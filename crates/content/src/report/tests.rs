use std::time::Duration;

use super::*;
use config::catalogue::Catalogue;
use testkit::built_in;

const PERIOD: Period =
    Period { end: Timestamp(1_795_608_000_000_000_000), length: Duration::from_secs(7 * 86_400) };

/// Answers each question by what is in its query: the first of these texts that it has says the number.
fn answer(draft: &Draft, numbers: &[(&str, f64, f64)]) -> Answers {
    let mut answers = Answers::new();
    for question in draft.questions() {
        let Some((_, now, before)) =
            numbers.iter().find(|(part, ..)| question.query.contains(part))
        else {
            continue;
        };
        let value = if question.when == When::Now { *now } else { *before };
        let by = |label: &str| {
            question.query.contains(&format!("sum by ({label})")).then(|| label.to_owned())
        };
        let label = ["feature", "outcome", "model", "tool", "reason"].into_iter().find_map(by);
        let labels = label.into_iter().map(|label| (label, "a|b".to_owned())).collect();
        answers.insert(question, vec![Sample { labels, value }]);
    }
    answers
}

fn page(numbers: &[(&str, f64, f64)]) -> Page {
    let settings = built_in();
    let draft =
        Draft::new(&Catalogue::new(&settings), PERIOD, &["environment=\"prod\"".to_owned()]);
    fill(&draft, &answer(&draft, numbers), PERIOD)
}

const WEEK: [(&str, f64, f64); 6] = [
    ("outcome=~\"answered|confirmation_requested\"", 900.4, 990.0),
    ("outcome!~\"denied|ignored|duplicate\"", 1000.2, 1000.0),
    ("bot_active_users", 42.0, 60.0),
    ("resolution=~", 3.0, 3.0),
    ("bot_sessions_total", 7.0, 7.0),
    ("bot_cost_usd_total", 12.5, 12.5),
];

#[test]
fn numbers_stand_beside_those_before_and_their_sample() {
    let page = page(&WEEK);
    let find = |title: &str| page.figures.iter().find(|figure| figure.title == title).unwrap();
    assert_eq!((page.from.as_str(), page.until.as_str()), ("2026-11-18", "2026-11-25"));
    assert_eq!(find("Messages").told(), "1,000");
    let answered = find("Answered");
    assert_eq!((answered.told().as_str(), answered.events), ("90.0 %", Some(1000.0)));
    assert_eq!(answered.change().as_deref(), Some("-9.0 points"));
    let resolved = find("Conversations resolved");
    assert_eq!((resolved.value, resolved.events), (None, Some(7.0)), "a share of 7 says nothing");
    assert!(
        page.notes.iter().any(|note| note.starts_with("Answered: 90.0 %, after 99.0 %")),
        "{:?}",
        page.notes
    );
    assert!(
        page.notes.iter().any(|note| note.starts_with("People in the last 7d: 42")),
        "{:?}",
        page.notes
    );
}

#[test]
fn a_missed_promise_and_lost_telemetry_are_notes() {
    let page = page(&[
        ("0 * sum(", 80.0, 80.0),
        ("outcome!~\"denied|ignored|duplicate\"", 1000.0, 1000.0),
        ("oscar_metrics_rejected_items_total", 17.0, 0.0),
    ]);
    let notes = page.notes.join("\n");
    assert!(
        notes.contains(
            "The objective \"answers\" was missed: 92.0 % of 1,000, where 93.0 % were promised."
        ),
        "{notes}"
    );
    assert!(notes.contains("17 items of telemetry could not be counted."), "{notes}");
}

#[test]
fn every_question_is_narrowed_by_what_was_asked_for() {
    let settings = built_in();
    let draft =
        Draft::new(&Catalogue::new(&settings), PERIOD, &["environment=\"prod\"".to_owned()]);
    let questions = draft.questions();
    assert!(questions.len() > 30, "{}", questions.len());
    for Question { query, .. } in &questions {
        let selectors = query.matches("bot_").count() + query.matches("oscar_metrics_").count();
        assert_eq!(query.matches("environment=\"prod\"").count(), selectors, "{query}");
    }
}

#[test]
fn a_config_without_these_metrics_asks_for_none_of_them() {
    let settings = testkit::settings("use: [span_metrics]");
    let draft = Draft::new(&Catalogue::new(&settings), PERIOD, &[]);
    assert!(draft.questions().iter().all(|question| question.query.contains("oscar_metrics_")));
}

#[test]
fn each_form_tells_the_same() {
    let page = page(&WEEK);
    let [markdown, html, json, slack] =
        [Form::Markdown, Form::Html, Form::Json, Form::Slack].map(|form| form.write(&page));
    assert!(markdown.contains("| Answered | 90.0 % | -9.0 points, of 1,000 |"), "{markdown}");
    assert!(markdown.contains("| a\\|b | 1,000 |"), "{markdown}");
    assert!(
        html.contains("<b>90.0 %</b>") && html.contains("<td class=\"n\">1,000</td>"),
        "{html}"
    );
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["figures"][0]["title"], "Messages");
    let slack: serde_json::Value = serde_json::from_str(&slack).unwrap();
    assert!(slack["blocks"].as_array().unwrap().len() >= 3);
    for block in slack["blocks"].as_array().unwrap() {
        let text = block["text"]["text"].as_str().unwrap();
        assert!(!text.is_empty() && text.chars().count() <= 3000);
    }
}

#[test]
fn names_from_outside_are_text_in_every_form() {
    let mut page = page(&WEEK);
    page.notes = vec!["<b>&\"</b> [x](y)\nnext".to_owned()];
    assert!(Form::Html.write(&page).contains("<li>&lt;b&gt;&amp;&quot;&lt;/b&gt; [x](y)"));
    assert!(Form::Markdown.write(&page).contains("- \\<b>&\"\\</b> \\[x\\](y) next\n"));
    assert!(Form::Slack.write(&page).contains("&lt;b&gt;&amp;"));
}
