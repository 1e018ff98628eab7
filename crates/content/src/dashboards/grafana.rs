//! A board as Grafana's classic JSON (`schemaVersion` 42, which Grafana 10 to 13 load by every route).
//!
//! Source: "Dashboard JSON model" of Grafana's documentation; the shapes are those of `@grafana/schema`, against which a test
//! checks what is written here. Keys are sorted, so that what changes in a file is what changed in the config.

mod panels;

use serde_json::{Value, json};

use super::layout::{self, COLUMNS, Numbers, Place};
use super::panel::{Board, Panel, Row, Variable};
use crate::MARK;

/// The row of panels that nobody asked for, closed at first.
pub const MORE: &str = "More";

/// A board as JSON, indented.
pub fn write(board: &Board) -> String {
    let description = format!(
        "{} Made by `{MARK} dashboards` from the config: change that, not this.",
        board.description
    );
    let all = json!({
        "annotations": {"list": annotations()},
        "description": description,
        "editable": false,
        "graphTooltip": 1,
        "links": [{
            "asDropdown": true, "icon": "external link", "includeVars": true, "keepTime": true, "tags": ["oscar-metrics"],
            "targetBlank": false, "title": "Other boards", "tooltip": "The same time, the same choice", "type": "dashboards", "url": "",
        }],
        "panels": rows(board),
        "refresh": board.refresh,
        "schemaVersion": 42,
        "tags": ["oscar-metrics", "generated"],
        "templating": {"list": variables(board)},
        "time": {"from": format!("now-{}", board.range), "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "title": format!("Bot · {}", board.title),
        "uid": board.uid,
    });
    // Strings and numbers: nothing that could fail.
    let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
    text.push('\n');
    text
}

/// The data source that is chosen at the head of the board.
fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// What happened: alerts, deploys, and what people wrote down.
fn annotations() -> Value {
    let grafana = json!({"type": "grafana", "uid": "-- Grafana --"});
    let started = "max by (version) (process_start_time_seconds{job=~\"$job\"} * on (job, \
                   instance) group_left (version) oscar_metrics_build_info{job=~\"$job\"}) * 1000";
    json!([
        {
            "builtIn": 1, "datasource": grafana, "enable": true, "hide": true, "iconColor": "rgba(0, 211, 255, 1)",
            "name": "Annotations & Alerts", "type": "dashboard",
        },
        {
            "datasource": grafana, "enable": true, "iconColor": "purple", "name": "Release phases",
            "target": {"limit": 100, "matchAny": false, "refId": "Anno", "tags": ["release-phase"], "type": "tags"},
        },
        {
            "datasource": source(), "enable": true, "expr": started, "iconColor": "blue", "name": "Deploys and restarts",
            "tagKeys": "version", "textFormat": "oscar-metrics {{version}}", "titleFormat": "Started", "useValueForTime": "on",
        },
        {
            "datasource": source(), "enable": true, "expr": "ALERTS{alertstate=\"firing\", job=~\"$job\"}", "iconColor": "red",
            "name": "Alerts", "tagKeys": "severity", "textFormat": "", "titleFormat": "{{alertname}}",
        },
    ])
}

fn variables(board: &Board) -> Vec<Value> {
    let mut all = vec![json!({
        "current": {}, "hide": 0, "includeAll": false, "label": "Data source", "multi": false, "name": "datasource", "options": [],
        "query": "prometheus", "refresh": 1, "regex": "", "type": "datasource",
    })];
    all.extend(board.variables.iter().map(variable));
    all
}

fn variable(variable: &Variable) -> Value {
    match variable {
        Variable::Label { label, lookup } => {
            let first = label == "job";
            let matcher = if first { "" } else { "{job=~\"$job\"}" };
            // A series may lack a label of the config, but never those that Prometheus gives.
            let any = if first || label == "instance" { ".+" } else { ".*" };
            json!({
                "allValue": any, "current": {"text": ["All"], "value": ["$__all"]}, "datasource": source(), "hide": 0,
                "includeAll": true, "label": title(label), "multi": true, "name": label, "options": [],
                "query": format!("label_values({lookup}{matcher}, {label})"), "refresh": 2, "regex": "", "sort": 1, "type": "query",
            })
        }
        Variable::Step => json!({
            "auto": true, "auto_count": 24, "auto_min": "1h", "current": {"text": "auto", "value": "$__auto_interval_step"}, "hide": 0,
            "label": "Bar width", "name": "step", "options": [], "query": "1h,6h,1d,7d", "refresh": 2, "type": "interval",
        }),
        Variable::OneOf(name, values) => {
            let first = values.first().map_or("", String::as_str);
            json!({
                "current": {"text": first, "value": first}, "hide": 0, "includeAll": false, "label": title(name), "multi": false,
                "name": name, "options": [], "query": values.join(","), "type": "custom",
            })
        }
        Variable::LabelNames => json!({
            "current": {}, "datasource": source(), "hide": 0, "includeAll": false, "label": "Label", "multi": false, "name": "label",
            "options": [], "query": "label_names($metric)", "refresh": 2, "regex": "/^(?!__|le$).*/", "sort": 1,
            "type": "query",
        }),
    }
}

/// A label's name as a heading.
pub fn title(label: &str) -> String {
    let mut letters = label.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect::<String>().replace('_', " ")
}

fn rows(board: &Board) -> Vec<Value> {
    let (mut all, mut y, mut numbers) = (Vec::new(), 0, Numbers::default());
    for row in &board.rows {
        y = self::row(&mut all, board, row, (y, &mut numbers));
    }
    all
}

/// Adds a row with its panels, and says where the next may begin.
fn row(all: &mut Vec<Value>, board: &Board, row: &Row, (y, numbers): (u32, &mut Numbers)) -> u32 {
    let closed = row.title == MORE;
    let id = numbers.of(&format!("row {}", row.title));
    let (places, below) = layout::row(&row.panels, y + 1);
    let mut panel = |(panel, place): (&Panel, &Place)| {
        let mut value = panels::panel(panel, board);
        value["gridPos"] = grid(*place);
        value["id"] = json!(numbers.of(&panel.title));
        value
    };
    let inside: Vec<Value> = row.panels.iter().zip(&places).map(&mut panel).collect();
    let head = Place { x: 0, y, w: COLUMNS, h: 1 };
    let (nested, beside) = if closed { (inside, Vec::new()) } else { (Vec::new(), inside) };
    all.push(json!({
        "collapsed": closed, "gridPos": grid(head), "id": id, "panels": nested, "title": row.title, "type": "row",
    }));
    all.extend(beside);
    if closed { y + 1 } else { below }
}

fn grid(place: Place) -> Value {
    json!({"h": place.h, "w": place.w, "x": place.x, "y": place.y})
}
