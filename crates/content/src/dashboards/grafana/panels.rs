//! A panel as Grafana's JSON: the options of each view.

use serde_json::{Value, json};

use super::super::panel::{Board, Colour, ENOUGH, Link, Panel, Query, Unit, Variable, View};
use super::source;

/// Everything of a panel but its place and number.
pub fn panel(panel: &Panel, board: &Board) -> Value {
    let mut value = json!({
        "description": panel.description,
        "fieldConfig": {"defaults": defaults(panel, board), "overrides": overrides(panel)},
        "links": links(panel, board),
        "options": options(panel),
        "title": panel.title,
        "type": kind(&panel.view),
    });
    if !panel.queries.is_empty() {
        value["datasource"] = source();
        value["targets"] = targets(panel);
    }
    if let Some(since) = &panel.since {
        value["timeFrom"] = json!(since);
    }
    if let View::Table(label, heading) = &panel.view {
        value["transformations"] = columns(panel, label, heading);
    }
    value
}

fn kind(view: &View) -> &'static str {
    match view {
        View::Stat => "stat",
        View::Bars | View::Lines => "timeseries",
        View::Ranking => "bargauge",
        View::Table(..) => "table",
        View::Heatmap => "heatmap",
        View::Gauge => "gauge",
        View::Timeline(..) => "state-timeline",
        View::Text(_) => "text",
    }
}

/// `A`, `B` and so on.
fn letter(at: usize) -> String {
    char::from_u32('A' as u32 + at as u32).map(String::from).unwrap_or_default()
}

fn targets(panel: &Panel) -> Value {
    let over_time =
        matches!(panel.view, View::Bars | View::Lines | View::Heatmap | View::Timeline(..));
    let format = match panel.view {
        View::Table(..) => "table",
        View::Heatmap => "heatmap",
        _ => "time_series",
    };
    let target = |(at, query): (usize, &Query)| {
        let mut target = json!({
            "datasource": source(), "editorMode": "code", "expr": query.expr, "format": format, "instant": !over_time,
            "legendFormat": query.legend, "range": over_time, "refId": letter(at),
        });
        if panel.exemplars {
            target["exemplar"] = json!(true);
        }
        // A step as wide as a bar: each event is in exactly one.
        if over_time && query.expr.contains("$__interval") {
            target["interval"] = json!("$step");
        }
        target
    };
    panel.queries.iter().enumerate().map(target).collect()
}

fn unit(unit: Unit) -> (&'static str, Option<u8>) {
    match unit {
        Unit::Count => ("locale", Some(0)),
        Unit::Amount => ("short", None),
        Unit::Share => ("percentunit", Some(1)),
        Unit::Change => ("percentunit", Some(1)),
        Unit::Points => ("suffix: points", Some(1)),
        Unit::Seconds => ("s", Some(1)),
        Unit::Usd => ("currencyUSD", Some(2)),
        Unit::SmallUsd => ("currencyUSD", Some(3)),
        Unit::Bytes => ("decbytes", None),
        Unit::PerSecond => ("ops", None),
        Unit::Ago => ("dateTimeFromNow", None),
        Unit::Number => ("none", None),
        Unit::YesNo => ("none", Some(0)),
    }
}

/// A name that Grafana's themes know.
fn colour(colour: Colour) -> &'static str {
    match colour {
        Colour::Plain => "text",
        Colour::Good => "green",
        Colour::Fair => "light-green",
        Colour::Warning => "orange",
        Colour::Bad => "red",
        Colour::Faint => "#8e8e8e",
    }
}

/// The same colour for several names beside each other, so that a legend tells them apart.
fn shade(one: Colour, nth: usize) -> &'static str {
    let shades: &[&str] = match one {
        Colour::Good => &["green", "dark-green", "semi-dark-green"],
        Colour::Fair => &["light-green", "super-light-green"],
        Colour::Warning => {
            &["orange", "light-orange", "dark-orange", "super-light-orange", "semi-dark-orange"]
        }
        Colour::Bad => &["red", "dark-red", "light-red", "semi-dark-red", "super-light-red"],
        Colour::Faint => &["#8e8e8e", "#6a6a6a", "#b0b0b0", "#545454", "#cccccc"],
        Colour::Plain => &[],
    };
    shades.get(nth % shades.len().max(1)).copied().unwrap_or_else(|| colour(one))
}

fn defaults(panel: &Panel, board: &Board) -> Value {
    let (unit, decimals) = unit(panel.unit);
    let clicked = panel.links.iter().filter(|link| link.label.is_some());
    let mut all = json!({
        "color": {"mode": mode(&panel.view)},
        "custom": custom(panel),
        "links": clicked.map(|link| json!({"targetBlank": false, "title": link.title, "url": url(link, board)})).collect::<Value>(),
        "mappings": mappings(panel),
        "noValue": no_value(panel),
        "thresholds": {"mode": "absolute", "steps": steps(&panel.thresholds)},
        "unit": unit,
    });
    if panel.view == View::Ranking {
        all["color"]["fixedColor"] = json!("blue");
    }
    if let Some(decimals) = decimals {
        all["decimals"] = json!(decimals);
    }
    if matches!(panel.view, View::Bars | View::Gauge | View::Ranking) {
        all["min"] = json!(0);
    }
    if panel.view == View::Gauge {
        all["max"] = json!(1);
    }
    all
}

fn mode(view: &View) -> &'static str {
    match view {
        View::Bars | View::Lines => "palette-classic-by-name",
        View::Ranking => "fixed",
        _ => "thresholds",
    }
}

/// What is said in place of nothing.
fn no_value(panel: &Panel) -> &'static str {
    let enough = format!(">= {ENOUGH})");
    match panel.view {
        View::Stat if panel.queries.first().is_some_and(|query| query.expr.contains(&enough)) => {
            "too few"
        }
        _ => "nothing",
    }
}

fn steps(thresholds: &[(f64, Colour)]) -> Value {
    let base = match thresholds.first() {
        Some((from, base)) if *from == f64::MIN => *base,
        _ => Colour::Plain,
    };
    let above = thresholds.iter().filter(|(from, _)| *from != f64::MIN);
    let above = above.map(|(from, step)| json!({"color": colour(*step), "value": from}));
    std::iter::once(json!({"color": colour(base), "value": null})).chain(above).collect()
}

/// Words in place of 1 and 0.
fn mappings(panel: &Panel) -> Value {
    let (yes, no) = match (&panel.view, panel.unit) {
        (View::Timeline(yes, no), _) => (&**yes, &**no),
        (_, Unit::YesNo) => ("yes", "no"),
        _ => return json!([]),
    };
    json!([{"type": "value", "options": {
        "0": {"color": "red", "index": 1, "text": no},
        "1": {"color": "green", "index": 0, "text": yes},
    }}])
}

fn custom(panel: &Panel) -> Value {
    let style = if panel.thresholds.is_empty() { "off" } else { "dashed" };
    match panel.view {
        View::Bars => json!({
            "axisSoftMin": 0, "barAlignment": -1, "barWidthFactor": 0.9, "drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0,
            "showPoints": "never", "spanNulls": false, "stacking": {"group": "A", "mode": "normal"},
            "thresholdsStyle": {"mode": style},
        }),
        View::Lines => json!({
            "axisSoftMin": 0, "drawStyle": "line", "fillOpacity": 5, "lineInterpolation": "linear", "lineWidth": 2, "pointSize": 5,
            "showPoints": "auto", "spanNulls": false, "stacking": {"group": "A", "mode": "none"}, "thresholdsStyle": {"mode": style},
        }),
        View::Table(..) => {
            json!({"align": "auto", "cellOptions": {"type": "auto"}, "inspect": false})
        }
        View::Timeline(..) => json!({"fillOpacity": 70, "lineWidth": 0}),
        _ => json!({}),
    }
}

/// Units of single queries, and colours of names.
fn overrides(panel: &Panel) -> Value {
    let by_table = matches!(panel.view, View::Table(..));
    let single = panel.queries.iter().enumerate().filter_map(|(at, query)| {
        let (unit, decimals) = unit(query.unit?);
        let mut properties = vec![json!({"id": "unit", "value": unit})];
        properties.extend(decimals.map(|decimals| json!({"id": "decimals", "value": decimals})));
        if panel.view == View::Stat {
            // What stands beside the number is no alarm.
            properties
                .push(json!({"id": "color", "value": {"fixedColor": "text", "mode": "fixed"}}));
        }
        let matcher = match by_table {
            true => json!({"id": "byName", "options": query.legend}),
            false => json!({"id": "byFrameRefID", "options": letter(at)}),
        };
        Some(json!({"matcher": matcher, "properties": properties}))
    });
    let text = |name: &String| {
        panel.names.iter().find(|(value, _)| value == name && !by_table).map(|(_, text)| text)
    };
    let display = |text: &String| json!({"id": "displayName", "value": text});
    let coloured = |name: &String| panel.colours.iter().any(|(other, _)| other == name);
    let called = match &panel.view {
        View::Table(_, heading) if !panel.names.is_empty() => vec![called_rows(panel, heading)],
        _ => panel
            .names
            .iter()
            .filter(|(value, _)| !coloured(value))
            .map(|(value, text)| {
                json!({"matcher": {"id": "byName", "options": value}, "properties": [display(text)]})
            })
            .collect(),
    };
    let named = panel.colours.iter().enumerate().map(|(at, (name, one))| {
        let before = panel.colours.iter().take(at).filter(|(_, other)| other == one).count();
        let mut properties = vec![
            json!({"id": "color", "value": {"fixedColor": shade(*one, before), "mode": "fixed"}}),
        ];
        properties.extend(text(name).map(display));
        json!({"matcher": {"id": "byName", "options": name}, "properties": properties})
    });
    single.chain(named).chain(called).chain(band(panel)).collect()
}

/// What people call the rows of a table.
fn called_rows(panel: &Panel, heading: &str) -> Value {
    let one = |(at, (value, text)): (usize, &(String, String))| {
        (value.clone(), json!({"index": at, "text": text}))
    };
    let options: serde_json::Map<String, Value> = panel.names.iter().enumerate().map(one).collect();
    json!({
        "matcher": {"id": "byName", "options": heading},
        "properties": [{"id": "mappings", "value": [{"type": "value", "options": options}]}],
    })
}

/// What lies between two lines is filled, and the lines themselves are not drawn.
fn band(panel: &Panel) -> Vec<Value> {
    let Some([upper, lower]) = panel.band else { return Vec::new() };
    let thin = json!({"id": "custom.lineWidth", "value": 0});
    let filled = json!({"id": "custom.fillBelowTo", "value": lower});
    let strong = json!({"id": "custom.fillOpacity", "value": 25});
    let of = |name: &str, properties: Vec<Value>| json!({"matcher": {"id": "byName", "options": name}, "properties": properties});
    vec![
        of(upper, vec![thin.clone(), filled, strong]),
        of(lower, vec![thin, json!({"id": "custom.fillOpacity", "value": 0})]),
    ]
}

fn options(panel: &Panel) -> Value {
    let last = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    let legend = |shown: bool| json!({"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": shown});
    let tooltip = json!({"mode": "multi", "sort": "desc"});
    match &panel.view {
        View::Stat => json!({
            "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "vertical",
            "percentChangeColorMode": "standard", "reduceOptions": last, "showPercentChange": false, "textMode": "auto",
            "wideLayout": true,
        }),
        View::Bars | View::Lines => json!({"legend": legend(true), "tooltip": tooltip}),
        View::Ranking => json!({
            "displayMode": "basic", "legend": legend(false), "maxVizHeight": 40, "minVizHeight": 12, "minVizWidth": 8,
            "namePlacement": "left", "orientation": "horizontal", "reduceOptions": last, "showUnfilled": false, "sizing": "auto",
            "valueMode": "text",
        }),
        View::Table(..) => {
            let first = panel.queries.first().map_or("", |query| &query.legend);
            json!({"cellHeight": "sm", "frameIndex": 0, "showHeader": true, "sortBy": [{"desc": true, "displayName": first}]})
        }
        View::Heatmap => json!({
            "calculate": false, "cellGap": 1,
            "color": {"exponent": 0.5, "fill": "dark-blue", "mode": "scheme", "reverse": false, "scale": "exponential",
                      "scheme": "Blues", "steps": 64},
            "exemplars": {"color": "rgba(255,0,255,0.7)"}, "filterValues": {"le": 1e-9}, "legend": {"show": true},
            "rowsFrame": {"layout": "auto"}, "showValue": "never",
            "tooltip": {"mode": "single", "showColorScale": false, "yHistogram": true},
            "yAxis": {"axisPlacement": "left", "reverse": false, "unit": unit(panel.unit).0},
        }),
        View::Gauge => json!({
            "barShape": "flat", "barWidthFactor": 0.5, "effects": {}, "minVizHeight": 75, "minVizWidth": 75, "orientation": "auto",
            "reduceOptions": last, "segmentCount": 1, "segmentSpacing": 0.3, "shape": "gauge", "showThresholdLabels": false,
            "showThresholdMarkers": true, "sizing": "auto",
        }),
        View::Timeline(..) => json!({
            "alignValue": "left", "legend": legend(true), "mergeValues": true, "rowHeight": 0.9, "showValue": "never", "tooltip": tooltip,
        }),
        View::Text(words) => json!({"content": words, "mode": "markdown"}),
    }
}

/// One row for each value of the label, one column for each query.
fn columns(panel: &Panel, label: &str, heading: &str) -> Value {
    let (mut names, mut order) = (json!({label: heading}), json!({label: 0}));
    for (at, query) in panel.queries.iter().enumerate() {
        let field = format!("Value #{}", letter(at));
        names[&field] = json!(query.legend);
        order[&field] = json!(at + 1);
    }
    if let [only] = &*panel.queries {
        names["Value"] = json!(only.legend);
    }
    json!([
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": true}, "indexByName": order, "renameByName": names}},
    ])
}

fn links(panel: &Panel, board: &Board) -> Value {
    let plain = panel.links.iter().filter(|link| link.label.is_none());
    let link = |link: &Link| {
        json!({
            "asDropdown": false, "icon": "dashboard", "includeVars": false, "keepTime": false, "tags": [], "targetBlank": false,
            "title": link.title, "tooltip": "", "type": "link", "url": url(link, board),
        })
    };
    plain.map(link).collect()
}

/// The address of a board with the same time and the same choice.
fn url(link: &Link, board: &Board) -> String {
    let mut url = format!("/d/{}?${{__url_time_range}}&${{datasource:queryparam}}", link.uid);
    for variable in &board.variables {
        if let Variable::Label { label, .. } = variable
            && link.label.as_deref() != Some(label)
        {
            url.push_str(&format!("&${{{label}:queryparam}}"));
        }
    }
    if let Some(label) = &link.label {
        url.push_str(&format!("&var-{label}=${{__field.labels.{label}}}"));
    }
    url
}
