//! The page in the form that a reader or a program wants.

use std::fmt::Write;

use serde_json::json;

use super::{Figure, Page, Table};

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Markdown, for a wiki or an issue.
    Markdown,
    /// One HTML page that needs nothing else, for mail and browsers.
    Html,
    /// The page as JSON.
    Json,
    /// Blocks for Slack's `chat.postMessage` and incoming webhooks.
    Slack,
}

/// The longest text of a Slack section block, in characters (Slack, "Block Kit", section block).
const SLACK_TEXT: usize = 3000;
/// The longest text of a Slack header block.
const SLACK_HEADER: usize = 150;

impl Form {
    /// Writes a page.
    pub fn write(self, page: &Page) -> String {
        match self {
            Self::Markdown => markdown(page),
            Self::Html => html(page),
            Self::Json => format!("{:#}\n", serde_json::to_value(page).unwrap_or_default()),
            Self::Slack => format!("{:#}\n", slack(page)),
        }
    }
}

fn heading(page: &Page) -> String {
    format!("The bot from {} to {}", page.from, page.until)
}

/// What stands beside a figure: how it changed, and what it is founded on.
fn beside(figure: &Figure) -> String {
    let mut parts: Vec<String> = figure.change().into_iter().collect();
    parts.extend(figure.events.map(|events| format!("of {}", super::Unit::Count.told(events))));
    parts.join(", ")
}

fn markdown(page: &Page) -> String {
    let mut out = format!("# {}\n", heading(page));
    if !page.notes.is_empty() {
        out.push_str("\n## What deserves a look\n\n");
        page.notes.iter().for_each(|note| out.push_str(&format!("- {}\n", plain(note))));
    }
    out.push_str("\n## In numbers\n\n| | | change, sample |\n|---|---:|---|\n");
    for figure in &page.figures {
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            plain(&figure.title),
            figure.told(),
            beside(figure)
        ));
    }
    for table in &page.tables {
        out.push_str(&format!("\n## {}\n\n", plain(&table.title)));
        markdown_table(&mut out, table);
    }
    out.push_str("\n## How to read it\n\n");
    for figure in &page.figures {
        out.push_str(&format!("- {}: {}\n", plain(&figure.title), figure.about));
    }
    out.push_str(&closing(page));
    out.push('\n');
    out
}

fn closing(page: &Page) -> String {
    format!(
        "\nEach change is against the {} days before. Shares of fewer than 20 are not shown. Counts are estimates at the edges of \
         the period, rounded to whole ones.",
        (page.days * 10.0).round() / 10.0
    )
}

fn markdown_table(out: &mut String, table: &Table) {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(table.columns.iter().map(|column| plain(column)).collect()));
    let rule = |at: usize| if table.is_number(at) { "---:" } else { "---" }.to_owned();
    out.push_str(&line((0..table.columns.len()).map(rule).collect()));
    for row in &table.rows {
        out.push_str(&line(row.iter().map(|cell| plain(&cell.told())).collect()));
    }
}

/// A text that a table of Markdown and a link in it can't be made of.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '\\' | '[' | ']' | '<' | '*' => {
                out.push('\\');
                out.push(character);
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

fn html(page: &Page) -> String {
    let mut out = String::from(HEAD);
    let title = escaped(&heading(page));
    out.push_str(&format!("<title>{title}</title>\n<h1>{title}</h1>\n"));
    if !page.notes.is_empty() {
        out.push_str("<h2>What deserves a look</h2>\n<ul>\n");
        page.notes.iter().for_each(|note| out.push_str(&format!("<li>{}</li>\n", escaped(note))));
        out.push_str("</ul>\n");
    }
    out.push_str("<div class=\"figures\">\n");
    for figure in &page.figures {
        out.push_str(&format!(
            "<div title=\"{}\"><small>{}</small><b>{}</b><small>{}</small></div>\n",
            escaped(&figure.about),
            escaped(&figure.title),
            escaped(&figure.told()),
            escaped(&beside(figure))
        ));
    }
    out.push_str("</div>\n");
    for table in &page.tables {
        out.push_str(&format!("<h2>{}</h2>\n<table>\n<tr>", escaped(&table.title)));
        for (at, column) in table.columns.iter().enumerate() {
            out.push_str(&format!("<th{}>{}</th>", class(table.is_number(at)), escaped(column)));
        }
        out.push_str("</tr>\n");
        for row in &table.rows {
            out.push_str("<tr>");
            for cell in row {
                let class = class(cell.is_number());
                out.push_str(&format!("<td{class}>{}</td>", escaped(&cell.told())));
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</table>\n");
    }
    out.push_str(&format!("<p><small>{}</small></p>\n", escaped(closing(page).trim())));
    out
}

/// Numbers stand at the right.
fn class(is_number: bool) -> &'static str {
    if is_number { " class=\"n\"" } else { "" }
}

/// Looks like the sidecar's own page, in light and in dark, and prints.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n\
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\n\
h2{margin-top:2rem}.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(12rem,1fr));gap:1rem}\n\
.figures div{border:1px solid #8884;border-radius:.5rem;padding:.75rem 1rem}.figures b{display:block;font-size:1.5rem}\n\
small{opacity:.75}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #8884}\n\
.n{text-align:right;font-variant-numeric:tabular-nums}\n</style>\n";

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(character),
        }
    }
    out
}

fn slack(page: &Page) -> serde_json::Value {
    let section = |text: String| json!({"type": "section", "text": {"type": "mrkdwn", "text": cut(&text, SLACK_TEXT)}});
    let mut blocks = vec![json!({"type": "header",
        "text": {"type": "plain_text", "text": cut(&heading(page), SLACK_HEADER)}})];
    if !page.notes.is_empty() {
        let notes = page.notes.iter().map(|note| format!("\u{2022} {}", slack_text(note)));
        blocks.push(section(format!(
            "*What deserves a look*\n{}",
            notes.collect::<Vec<_>>().join("\n")
        )));
    }
    let mut figures = String::new();
    for figure in &page.figures {
        let beside = beside(figure);
        let beside = if beside.is_empty() { beside } else { format!("  _({beside})_") };
        let _ = writeln!(
            figures,
            "*{}*  {}{beside}",
            slack_text(&figure.title),
            slack_text(&figure.told())
        );
    }
    blocks.push(section(figures));
    for table in page.tables.iter().take(3) {
        let rows = table.rows.iter().take(6).map(|row| {
            let cells = row.iter().map(|cell| slack_text(&cell.told())).collect::<Vec<_>>();
            format!("\u{2022} {}", cells.join("  \u{b7}  "))
        });
        let columns = table.columns.iter().map(|column| slack_text(column)).collect::<Vec<_>>();
        let rows = rows.collect::<Vec<_>>().join("\n");
        blocks.push(section(format!(
            "*{}*  ({})\n{rows}",
            slack_text(&table.title),
            columns.join(" \u{b7} ")
        )));
    }
    json!({"text": heading(page), "blocks": blocks})
}

/// Slack's three special characters (Slack, "Formatting text").
fn slack_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The start of a text that is too long.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['\u{2026}']).collect()
}
