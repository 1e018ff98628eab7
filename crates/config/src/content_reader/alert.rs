//! Alerts: a query, when it fires, and what people need to know then.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::query::{Compare, Query};

use super::super::content::fields::{ALERT, ALERT_TEST, FIRES, INTERVALS, LIMIT};
use super::super::content::{Alert, AlertGroup, AlertTest, Limit, Severity};
use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self as read, Fields};
use super::board::UNITS;
use super::query::By;
use super::{Gone, Read, Reader};

const SEVERITIES: [(&str, Severity); 3] =
    [("critical", Severity::Critical), ("warning", Severity::Warning), ("info", Severity::Info)];
const GROUPS: [(&str, AlertGroup); 3] =
    [("bot", AlertGroup::Bot), ("trends", AlertGroup::Trends), ("health", AlertGroup::Health)];

impl<'n> Reader<'n, '_, '_, '_> {
    pub(super) fn alerts(&mut self) -> Vec<Alert> {
        let entries = self.section("alerts");
        let mut all = Vec::new();
        for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
            let found = self.alert(entry);
            all.extend(self.kept(found, entry.at, || format!("alert `{}`", entry.key)));
        }
        all
    }

    fn alert(&mut self, entry: &'n Entry) -> Read<Alert> {
        let what = format!("the alert `{}`", entry.key);
        if !entry.key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let fault = self.report.error(entry.at, "an alert's name has letters and digits only");
            fault.help("it is a heading of the runbooks and part of their address");
        }
        let fields = self.fields(&entry.value, &what, &ALERT);
        let Some(node) = fields.get("query") else {
            return Err(self.missing(entry.at, &what, "query"));
        };
        let query = self.query(node, By::Optional)?;
        let limits = self.limits(&fields, &query)?;
        let at_least = fields.get("at_least").map(|node| self.quantity(node)).transpose()?;
        let usual = self.count(&fields, "usual_at_least")?;
        self.fires_on_something(&what, entry, &query, limits.is_empty() && at_least.is_none())?;
        let group = self.word(&fields, "group", &GROUPS)?.unwrap_or(AlertGroup::Bot);
        let Some(severity) = self.word(&fields, "severity", &SEVERITIES)? else {
            return Err(self.missing(entry.at, &what, "severity"));
        };
        Ok(Alert {
            name: entry.key.clone(),
            group,
            severity,
            limits,
            at_least,
            usual_at_least: usual.and_then(|usual| u32::try_from(usual).ok()),
            hold: self.time(&fields, "hold")?,
            keep: self.time(&fields, "keep")?,
            unit: self.word(&fields, "unit", &UNITS)?,
            summary: self.text(&fields, "summary", &what)?,
            description: self.text(&fields, "description", &what)?,
            see: self.optional(&fields, "see")?.unwrap_or_else(|| board(group).to_owned()),
            runbook: self.text(&fields, "runbook", &what)?,
            examples: self.examples(&fields)?,
            tests: self.tests(&fields)?,
            query,
        })
    }

    /// An alert needs a time and a bound; PromQL has both in its text, and needs tests.
    fn fires_on_something(
        &mut self,
        what: &str,
        entry: &'n Entry,
        query: &Query,
        unbounded: bool,
    ) -> Read<()> {
        if query.metric().is_none() {
            let written =
                |tests: &Node| !tests.items().is_empty() || self.report.is_lenient(tests.at);
            if !entry.value.get("tests").is_some_and(written) {
                let fault =
                    self.report.error(entry.at, format!("{what} has PromQL and no `tests`"));
                fault.help("show one case in which it fires and one in which it stays silent");
                return Err(Gone::Fault);
            }
            return Ok(());
        }
        let gauge = matches!(query.measure, engine::query::Measure::Level(..));
        if query.last().is_none() && !gauge {
            let fault = self.report.error(entry.at, format!("the query of {what} has no `over`"));
            fault.help("such as `over: 1h`");
            return Err(Gone::Fault);
        }
        if unbounded {
            let fault = self.report.error(entry.at, format!("{what} has no bound"));
            fault.help("say one of: above, below, changed_by, at_least");
            return Err(Gone::Fault);
        }
        Ok(())
    }

    fn time(&mut self, fields: &Fields<'n>, key: &str) -> Read<Option<Duration>> {
        fields.get(key).map(|node| self.length(node)).transpose()
    }

    fn limits(&mut self, fields: &Fields<'n>, query: &Query) -> Read<Vec<Limit>> {
        let mut all = Vec::new();
        for (key, above) in [("above", true), ("below", false)] {
            for node in fields.get(key).map_or(&[][..], read::one_or_more) {
                all.push(self.limit(node, query, above)?);
            }
        }
        if let Some(node) = fields.get("changed_by") {
            self.compared(
                node,
                query,
                |compare| matches!(compare, Compare::Previous),
                "compare: previous",
            )?;
            all.push(Limit::ChangedBy(self.quantity(node)?));
        }
        Ok(all)
    }

    fn limit(&mut self, node: &'n Node, query: &Query, above: bool) -> Read<Limit> {
        const USUAL: &str = "compare: {usual: {weeks: 3}}";
        let usual =
            |compare: &Compare| matches!(compare, Compare::UsualWeeks(_) | Compare::UsualDays(_));
        if matches!(&node.kind, Kind::Text(text) if text == "usual") {
            let weeks = |compare: &Compare| matches!(compare, Compare::UsualWeeks(_));
            self.compared(node, query, weeks, USUAL)?;
            return Ok(if above { Limit::AboveUsual } else { Limit::BelowUsual });
        }
        if !matches!(node.kind, Kind::Map(_)) {
            let number = self.quantity(node)?;
            return Ok(if above { Limit::Above(number) } else { Limit::Below(number) });
        }
        let fields = self.fields(node, "a bound", &LIMIT);
        let times = fields
            .get("times")
            .and_then(|node| read::number(node, self.report))
            .ok_or(Gone::Fault)?;
        let of = self.word(&fields, "of", &[("usual", true), ("previous", false)])?;
        let compare = match of {
            Some(true) => self.compared(node, query, usual, USUAL)?,
            _ => self.compared(node, query, |compare| !usual(compare), "compare: previous")?,
        };
        Ok(if above {
            Limit::AboveTimes(times, compare)
        } else {
            Limit::BelowTimes(times, compare)
        })
    }

    /// The earlier value of a kind that the query is compared with.
    fn compared(
        &mut self,
        node: &Node,
        query: &Query,
        kind: impl Fn(&Compare) -> bool,
        help: &str,
    ) -> Read<Compare> {
        let found = query.compare.iter().copied().find(|compare| kind(compare));
        found.ok_or_else(|| {
            self.report
                .error(node.at, "the query is not compared with that")
                .help(format!("add `{help}`"));
            Gone::Fault
        })
    }

    fn examples(&mut self, fields: &Fields<'n>) -> Read<BTreeMap<String, String>> {
        let entries = fields.get("examples").map_or(&[][..], Node::entries);
        let one = |entry: &Entry| {
            let value = read::scalar(&entry.value, self.report).ok_or(Gone::Fault)?;
            Ok((entry.key.clone(), value))
        };
        entries.iter().map(one).collect()
    }

    fn tests(&mut self, fields: &Fields<'n>) -> Read<Vec<AlertTest>> {
        let nodes =
            fields.get("tests").map(|node| read::list(node, self.report).ok_or(Gone::Fault));
        let nodes = nodes.transpose()?.unwrap_or_default();
        nodes.iter().map(|node| self.test(node)).collect()
    }

    fn test(&mut self, node: &'n Node) -> Read<AlertTest> {
        let what = "a test";
        let fields = self.fields(node, what, &ALERT_TEST);
        let series = fields.get("series").map_or(&[][..], Node::entries);
        let mut all = Vec::new();
        for entry in series {
            let values = read::scalar(&entry.value, self.report).ok_or(Gone::Fault)?;
            all.push((entry.key.clone(), self.with_settings(&values, &entry.value)?));
        }
        let fires = match fields.get("fires") {
            Some(node) => Some(self.fires(node)?),
            None => None,
        };
        Ok(AlertTest {
            about: self.text(&fields, "about", what)?,
            every: self.every(&fields)?,
            at: self.moment(&fields)?,
            series: all,
            fires,
        })
    }

    /// The time between two values: those for which rules are evaluated often enough.
    fn every(&mut self, fields: &Fields<'n>) -> Read<String> {
        let every = INTERVALS.map(|word| (word, word));
        match self.word(fields, "every", &every)? {
            Some(word) => Ok(word.to_owned()),
            None => Err(self.missing(fields.at, "a test", "every")),
        }
    }

    /// A moment, as promtool reads it.
    fn moment(&mut self, fields: &Fields<'n>) -> Read<String> {
        let text = self.text(fields, "at", "a test")?;
        if let Some(node) = fields.get("at") {
            self.length(node)?;
        }
        Ok(text)
    }

    fn fires(&mut self, node: &'n Node) -> Read<(Vec<(String, String)>, f64)> {
        let fields = self.fields(node, "`fires`", &FIRES);
        let Some(value) = fields.get("value") else {
            return Err(self.missing(node.at, "`fires`", "value"));
        };
        let text = read::scalar(value, self.report).ok_or(Gone::Fault)?;
        let text = self.with_settings(&text, value)?;
        let Ok(number) = text.parse() else {
            read::expected("a number", value, self.report);
            return Err(Gone::Fault);
        };
        let labels = fields.get("labels").map_or(&[][..], Node::entries);
        let mut all = Vec::new();
        for entry in labels {
            all.push((
                entry.key.clone(),
                read::scalar(&entry.value, self.report).ok_or(Gone::Fault)?,
            ));
        }
        Ok((all, number))
    }

    /// A text with `{slots}` or `{slots*60}` replaced by numbers.
    fn with_settings(&mut self, text: &str, node: &Node) -> Read<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((inner, behind)) = after.split_once('}') else { break };
            let (name, factor) = inner.split_once('*').unwrap_or((inner, "1"));
            let factor: f64 = factor.parse().unwrap_or(1.0);
            let number = (self.setting(name, node)? * factor).ceil();
            out.push_str(&format!("{before}{number}"));
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The board that goes with a rule file.
fn board(group: AlertGroup) -> &'static str {
    match group {
        AlertGroup::Bot => "reliability",
        AlertGroup::Trends => "adoption",
        AlertGroup::Health => "sidecar",
    }
}
