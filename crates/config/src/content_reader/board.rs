//! Boards: rows of panels.

use engine::query::{Measure, Query};

use super::super::content::fields::{BOARD, COLUMN, PANEL, ROW, SEE, THRESHOLDS};
use super::super::content::{Board, Panel, Row, See, Show, Thresholds, Titled, Unit};
use super::super::document::{Entry, Node};
use super::super::fields::{self as read, Fields};
use super::query::By;
use super::{Gone, Read, Reader};

const SHOWS: [(&str, Show); 9] = [
    ("stat", Show::Stat),
    ("lines", Show::Lines),
    ("bars", Show::Bars),
    ("ranking", Show::Ranking),
    ("table", Show::Table),
    ("heatmap", Show::Heatmap),
    ("gauge", Show::Gauge),
    ("states", Show::States),
    ("text", Show::Text),
];

/// The words for units.
pub(super) const UNITS: [(&str, Unit); 12] = [
    ("count", Unit::Count),
    ("amount", Unit::Amount),
    ("share", Unit::Share),
    ("seconds", Unit::Seconds),
    ("usd", Unit::Usd),
    ("small_usd", Unit::SmallUsd),
    ("bytes", Unit::Bytes),
    ("per_second", Unit::PerSecond),
    ("ago", Unit::Ago),
    ("number", Unit::Number),
    ("yes_no", Unit::YesNo),
    ("times", Unit::Times),
];

impl<'n> Reader<'n, '_, '_, '_> {
    pub(super) fn boards(&mut self) -> Vec<Board> {
        let entries = self.section("dashboards");
        entries.iter().filter_map(|entry| self.board(entry)).collect()
    }

    fn board(&mut self, entry: &'n Entry) -> Option<Board> {
        let what = format!("the board `{}`", entry.key);
        let fields = self.fields(&entry.value, &what, &BOARD);
        if !entry.key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
            let fault =
                self.report.error(entry.at, "a board's name has small letters and `-` only");
            fault.help("it is the last part of the board's address");
        }
        let rows = fields.get("rows").map_or(&[][..], Node::entries);
        let rows = rows.iter().map(|row| self.row(row, &entry.key)).collect();
        let mut or = |key, without: &str| {
            let found = self.optional(&fields, key).unwrap_or_default();
            found.unwrap_or_else(|| without.to_owned())
        };
        Some(Board {
            name: entry.key.clone(),
            title: or("title", &entry.key),
            about: or("about", ""),
            range: or("range", "7d"),
            refresh: or("refresh", "5m"),
            filters: self.names(&fields, "filters"),
            roles: self.names(&fields, "roles"),
            rows,
        })
    }

    fn names(&mut self, fields: &Fields<'n>, key: &str) -> Vec<String> {
        let nodes = fields.get(key).and_then(|node| read::list(node, self.report));
        let text = |node| read::text(node, self.report).map(str::to_owned);
        nodes.unwrap_or_default().iter().filter_map(text).collect()
    }

    fn row(&mut self, entry: &'n Entry, board: &str) -> Row {
        let path = format!("{board}.{}", entry.key);
        let fields = self.fields(&entry.value, &format!("the row `{path}`"), &ROW);
        let title = self.optional(&fields, "title").unwrap_or_default();
        let objectives = self.flag(&fields, "objectives").unwrap_or_default();
        let mut panels = Vec::new();
        for panel in fields.get("panels").map_or(&[][..], Node::entries) {
            let found = self.panel(panel, &path);
            panels.extend(self.kept(found, panel.at, || format!("panel `{path}.{}`", panel.key)));
        }
        Row { title: title.unwrap_or_else(|| entry.key.clone()), objectives, panels }
    }

    fn panel(&mut self, entry: &'n Entry, row: &str) -> Read<Panel> {
        let what = format!("the panel `{row}.{}`", entry.key);
        let fields = self.fields(&entry.value, &what, &PANEL);
        let Some(show) = self.word(&fields, "show", &SHOWS)? else {
            return Err(self.missing(entry.at, &what, "show"));
        };
        for node in fields.get("needs").map_or(&[][..], read::one_or_more) {
            self.query(node, By::Required)?;
        }
        let queries = self.panel_queries(&fields, show, (entry, &what))?;
        self.fits_kind(entry, &what, show, &queries)?;
        let rows = match (show, fields.get("by")) {
            (Show::Table, Some(by)) => {
                let by = read::text(by, self.report).ok_or(Gone::Fault)?.to_owned();
                let heading = self.optional(&fields, "heading")?;
                Some((by.clone(), heading.unwrap_or(by)))
            }
            (Show::Table, None) => return Err(self.missing(entry.at, &what, "by")),
            _ => None,
        };
        let title = self.text(&fields, "title", &what)?;
        let about = self.text(&fields, "about", &what)?;
        let fill = |text: &str| filled(text, &queries);
        Ok(Panel {
            title: fill(&title),
            about: fill(&about),
            show,
            unit: self.word(&fields, "unit", &UNITS)?,
            rows,
            thresholds: self.thresholds(&fields)?,
            see: self.see(&fields)?,
            size: self.size(&fields)?,
            since: self.optional(&fields, "since")?,
            often_empty: self.flag(&fields, "often_empty")?,
            words: self.state_words(&fields)?,
            queries,
        })
    }

    /// Whether a kind of panel can show a query.
    fn fits_kind(
        &mut self,
        entry: &'n Entry,
        what: &str,
        show: Show,
        queries: &[Titled],
    ) -> Read<()> {
        let Some(query) = queries.first().map(|first| &first.query) else { return Ok(()) };
        let kind = query.metric().and_then(|name| self.catalogue.find(name)).map(|one| one.kind());
        let wanted = match show {
            Show::Ranking if query.by.is_none() => "a query with `by`",
            Show::Heatmap if kind != Some("histogram") => "a histogram",
            _ => return Ok(()),
        };
        let place = Node { at: entry.at, ..Node::default() };
        Err(self.unknown(&place, format!("{what} needs {wanted}"), None))
    }

    fn panel_queries(
        &mut self,
        fields: &Fields<'n>,
        show: Show,
        (entry, what): (&'n Entry, &str),
    ) -> Read<Vec<Titled>> {
        let by = if show == Show::Bars { By::Optional } else { By::Required };
        match (fields.get("query"), fields.get("queries"), fields.get("columns")) {
            _ if show == Show::Text => Ok(Vec::new()),
            (None, None, Some(columns)) if show == Show::Table => {
                self.columns(columns, fields.get("by"), what)
            }
            (Some(node), None, None) if show != Show::Table => {
                Ok(vec![Titled { title: None, query: self.query(node, by)?, unit: None }])
            }
            (None, Some(node), None) if show != Show::Table => self.lines(node, by, what),
            _ => {
                let wanted =
                    if show == Show::Table { "`columns`" } else { "either `query` or `queries`" };
                self.report.error(entry.at, format!("{what} needs {wanted}"));
                Err(Gone::Fault)
            }
        }
    }

    /// Several lines by their names; those on missing names are left out.
    fn lines(&mut self, node: &'n Node, by: By, what: &str) -> Read<Vec<Titled>> {
        let entries = read::map(node, "lines by their names", self.report).ok_or(Gone::Fault)?;
        let mut lines = Vec::new();
        let mut why = "it has no line".to_owned();
        for line in entries {
            match self.query(&line.value, by) {
                Err(Gone::Absent(missing)) => {
                    why.clone_from(&missing);
                    let what = || format!("line `{}` of {what}", line.key);
                    self.kept(Err::<(), _>(Gone::Absent(missing)), line.at, what);
                }
                found => {
                    let title = Some(line.key.clone());
                    lines.push(Titled { title, query: found?, unit: None });
                }
            }
        }
        if lines.is_empty() { Err(Gone::Absent(why)) } else { Ok(lines) }
    }

    /// The columns of a table by a label; without the first there is no table.
    pub(super) fn columns(
        &mut self,
        node: &'n Node,
        by: Option<&'n Node>,
        what: &str,
    ) -> Read<Vec<Titled>> {
        let entries = read::map(node, "columns by name", self.report).ok_or(Gone::Fault)?;
        let mut columns: Vec<Titled> = Vec::new();
        for column in entries {
            match self.column(column, by, what) {
                Err(Gone::Absent(missing)) if !columns.is_empty() => {
                    let what = || format!("column `{}` of {what}", column.key);
                    self.kept(Err::<(), _>(Gone::Absent(missing)), column.at, what);
                }
                found => columns.push(found?),
            }
        }
        if columns.is_empty() {
            self.report.error(node.at, "a table needs a column");
            return Err(Gone::Fault);
        }
        Ok(columns)
    }

    fn column(&mut self, entry: &'n Entry, by: Option<&'n Node>, table: &str) -> Read<Titled> {
        let what = format!("the column `{}` of {table}", entry.key);
        let fields = self.fields(&entry.value, &what, &COLUMN);
        let title = self.optional(&fields, "title")?.unwrap_or_else(|| entry.key.clone());
        let Some(node) = fields.get("query") else {
            return Err(self.missing(entry.at, &what, "query"));
        };
        let mut query = self.query(node, By::Required)?;
        if let Some(by) = by {
            query.by = Some(self.label(by, query.metric())?);
        }
        Ok(Titled { title: Some(title), query, unit: self.word(&fields, "unit", &UNITS)? })
    }

    fn thresholds(&mut self, fields: &Fields<'n>) -> Read<Thresholds> {
        let Some(node) = fields.get("thresholds") else { return Ok(Thresholds::default()) };
        let fields = self.fields(node, "`thresholds`", &THRESHOLDS);
        let objective = self.flag(&fields, "objective")?;
        let mut level = |key| fields.get(key).map(|node| self.quantity(node)).transpose();
        Ok(Thresholds {
            objective,
            good: level("good")?,
            warning: level("warning")?,
            bad: level("bad")?,
        })
    }

    fn see(&mut self, fields: &Fields<'n>) -> Read<Vec<See>> {
        let nodes = fields.get("see").map_or(&[][..], read::one_or_more);
        let mut all = Vec::new();
        for node in nodes {
            let fields = self.fields(node, "a link to a board", &SEE);
            let title = self.text(&fields, "title", "a link to a board")?;
            let board = self.text(&fields, "board", "a link to a board")?;
            all.push(See { title, board, label: self.optional(&fields, "label")? });
        }
        Ok(all)
    }

    fn size(&mut self, fields: &Fields<'n>) -> Read<Option<(u8, u8)>> {
        const COLUMNS: usize = 24;
        const HIGHEST: usize = 60;
        let Some(node) = fields.get("size") else { return Ok(None) };
        let sides = read::list(node, self.report).ok_or(Gone::Fault)?;
        let sides: Vec<usize> =
            sides.iter().filter_map(|side| read::count(side, 1, self.report)).collect();
        match *sides {
            [width, height] if width <= COLUMNS && height <= HIGHEST => {
                Ok(Some((width as u8, height as u8)))
            }
            _ => {
                let fault =
                    self.report.error(node.at, "expected a width up to 24 and a height up to 60");
                fault.help("such as `[12, 8]`");
                Err(Gone::Fault)
            }
        }
    }

    /// Words for the values 1 and 0.
    fn state_words(&mut self, fields: &Fields<'n>) -> Read<Option<[String; 2]>> {
        let Some(node) = fields.get("values") else { return Ok(None) };
        match (node.get("1"), node.get("0"), node.entries().len()) {
            (Some(one), Some(zero), 2) => {
                let mut text =
                    |node| read::text(node, self.report).map(str::to_owned).ok_or(Gone::Fault);
                Ok(Some([text(one)?, text(zero)?]))
            }
            _ => {
                let fault = read::expected("words for 1 and 0", node, self.report);
                fault.help("such as `values: {1: up, 0: down}`");
                Err(Gone::Fault)
            }
        }
    }
}

/// A text with `{bound}` filled in: the bound of the panel's first query that has one.
fn filled(text: &str, queries: &[Titled]) -> String {
    let bound = queries.iter().find_map(|one| bound(&one.query));
    bound.map_or_else(|| text.to_owned(), |bound| text.replace("{bound}", &bound.to_string()))
}

fn bound(query: &Query) -> Option<f64> {
    match query.measure {
        Measure::Under(_, bound) => Some(bound),
        _ => query.minus.as_deref().and_then(bound),
    }
}
