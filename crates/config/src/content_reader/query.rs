//! Queries: one measure and its modifiers.

use std::time::Duration;

use engine::limits;
use engine::query::{Aggregate, Compare, Measure, Over, Query, Scale, Window};
use engine::rules::definition::MetricKind;

use super::super::content::Recorded;
use super::super::content::fields::{COMPARE, MEASURES, NAMED_QUERY, QUERY, RECORD, Shape, USUAL};
use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self as read, Fields};
use super::promql;
use super::{Gone, Read, Reader};

/// Keys that belong to one measure.
const COMPANIONS: [(&str, &str); 5] = [
    ("q", "quantile"),
    ("bound", "under"),
    ("agg", "level"),
    ("window", "distinct"),
    ("new", "distinct"),
];
const AGGREGATES: [(&str, Aggregate); 4] = [
    ("max", Aggregate::Max),
    ("min", Aggregate::Min),
    ("sum", Aggregate::Sum),
    ("avg", Aggregate::Avg),
];

/// What becomes of a query in a pack whose metric lacks the label in `by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// It is left out.
    Required,
    /// It is not split.
    Optional,
}

impl<'n> Reader<'n, '_, '_, '_> {
    /// The queries whose results are recorded.
    pub(super) fn recorded(&mut self) -> Vec<Recorded> {
        let entries = self.section("queries");
        let mut all = Vec::new();
        for entry in entries {
            let found = self.entry(entry);
            let what = || format!("query `{}`", entry.key);
            all.extend(self.kept(found, entry.at, what).flatten());
        }
        all
    }

    /// An entry of `queries`, as far as it is recorded.
    fn entry(&mut self, entry: &'n Entry) -> Read<Option<Recorded>> {
        let query = self.shaped(&entry.value, &NAMED_QUERY, By::Required)?;
        let Some(node) = entry.value.get("record") else { return Ok(None) };
        let fields = self.fields(node, "`record`", &RECORD);
        let name = self.optional(&fields, "as")?;
        let over = fields.get("over").map(|node| read::list(node, self.report).ok_or(Gone::Fault));
        let windows = over.transpose()?.unwrap_or_default();
        let windows = windows.iter().map(|node| self.length(node)).collect::<Read<_>>()?;
        let usual = self.flag(&fields, "usual")?;
        Ok(Some(Recorded { name, query, windows, usual }))
    }

    /// A query, or the name of one.
    pub(super) fn query(&mut self, node: &'n Node, by: By) -> Read<Query> {
        if let Kind::Text(name) = &node.kind {
            return self.named(name, node, by);
        }
        self.shaped(node, &QUERY, by)
    }

    fn named(&mut self, name: &str, node: &'n Node, by: By) -> Read<Query> {
        let found = self.section("queries").iter().find(|entry| entry.key == name);
        match found {
            Some(entry) => self.shaped(&entry.value, &NAMED_QUERY, by),
            None if name == "headline" => Ok(Query::new(self.headline()?)),
            None => {
                let names = self.section("queries").iter().map(|entry| &*entry.key);
                let near = self.report.nearest(name, names);
                Err(self.unknown(node, format!("there is no query `{}`", read::cut(name)), near))
            }
        }
    }

    fn shaped(&mut self, node: &'n Node, shape: &Shape, by: By) -> Read<Query> {
        if self.depth >= limits::NAME_DEPTH {
            let message =
                format!("queries build on each other more than {} deep", limits::NAME_DEPTH);
            self.report.error(node.at, message);
            return Err(Gone::Fault);
        }
        self.queries += 1;
        if self.queries > limits::QUERIES {
            let message = format!("more than {} queries", limits::QUERIES);
            self.report.error(node.at, message);
            return Err(Gone::Fault);
        }
        self.depth += 1;
        let fields = self.fields(node, "a query", shape);
        let query = self.base(node, &fields).and_then(|query| self.modified(query, &fields, by));
        self.depth -= 1;
        query
    }

    /// The measure, or the query of a name.
    fn base(&mut self, node: &'n Node, fields: &Fields<'n>) -> Read<Query> {
        let found: Vec<&str> =
            MEASURES.into_iter().filter(|key| fields.get(key).is_some()).collect();
        let [key] = *found else {
            let message = match &*found {
                [] => "a query has no measure".to_owned(),
                [one, other, ..] => format!("a query has two measures, `{one}` and `{other}`"),
                [_] => String::new(),
            };
            let fault = self.report.error(node.at, message);
            fault.help(format!("exactly one of: {}", MEASURES.join(", ")));
            return Err(Gone::Fault);
        };
        let strangers = COMPANIONS.iter().filter(|(_, owner)| *owner != key && key != "query");
        for (companion, owner) in strangers {
            if let Some(node) = fields.get(companion) {
                self.report.error(node.at, format!("`{companion}` belongs to `{owner}`"));
                return Err(Gone::Fault);
            }
        }
        let Some(value) = fields.get(key) else { return Err(Gone::Fault) };
        if key == "query" {
            let name = read::text(value, self.report).ok_or(Gone::Fault)?;
            return self.named(name, value, By::Required);
        }
        Ok(Query::new(self.measure(key, value, fields)?))
    }

    fn measure(&mut self, key: &str, node: &'n Node, fields: &Fields<'n>) -> Read<Measure> {
        let kinds: &[&str] = match key {
            "count" | "sum" => &["counter", "histogram"],
            "quantile" | "under" => &["histogram"],
            "level" => &["gauge"],
            "distinct" => &["distinct"],
            _ => return self.promql(node),
        };
        let (name, entry) = self.metric(node, kinds)?;
        match key {
            "count" => Ok(Measure::Count(name)),
            "sum" => Ok(Measure::Sum(name)),
            "quantile" => {
                let ranks =
                    fields.get("q").ok_or_else(|| self.missing(fields.at, "`quantile`", "q"))?;
                let ranks = read::one_or_more(ranks).iter().map(|node| self.rank(node));
                Ok(Measure::Quantile(name, ranks.collect::<Read<_>>()?))
            }
            "under" => {
                let bound = fields
                    .get("bound")
                    .ok_or_else(|| self.missing(fields.at, "`under`", "bound"))?;
                let bound = self.bound(bound, &name, entry)?;
                Ok(Measure::Under(name, bound))
            }
            "level" => {
                let aggregate = self.word(fields, "agg", &AGGREGATES)?;
                Ok(Measure::Level(name, aggregate.unwrap_or(Aggregate::Max)))
            }
            _ if self.flag(fields, "new")? => Ok(Measure::FirstVisits(name)),
            _ => {
                let window = fields
                    .get("window")
                    .ok_or_else(|| self.missing(fields.at, "`distinct`", "window"))?;
                let text = read::text(window, self.report).ok_or(Gone::Fault)?;
                if text == "fit" {
                    if !self.in_report {
                        let fault =
                            self.report.error(window.at, "`fit` is a window of reports only");
                        fault.help("name a window, such as `28d`");
                        return Err(Gone::Fault);
                    }
                    return Ok(Measure::Distinct(name, Window::Fit));
                }
                let windows = entry.map(|entry| &entry.metric.kind);
                if let Some(MetricKind::Distinct { windows, .. }) = windows
                    && !windows.iter().any(|known| &*known.name == text)
                {
                    let near = self.report.nearest(text, windows.iter().map(|known| &*known.name));
                    let near = near.map(str::to_owned);
                    let message = format!("`{name}` has no window `{}`", read::cut(text));
                    return Err(self.unknown(window, message, near.as_deref()));
                }
                Ok(Measure::Distinct(name, Window::Named(text.to_owned())))
            }
        }
    }

    fn rank(&mut self, node: &Node) -> Read<f64> {
        let rank = read::number(node, self.report).ok_or(Gone::Fault)?;
        if !(0.0..=1.0).contains(&rank) {
            self.report.error(node.at, "a quantile is between 0 and 1").help("p90 is `q: 0.9`");
            return Err(Gone::Fault);
        }
        Ok(rank)
    }

    fn promql(&mut self, node: &'n Node) -> Read<Measure> {
        let text = read::text(node, self.report).ok_or(Gone::Fault)?;
        match promql::check(text, &|name| self.is_series(name)) {
            Ok(()) => Ok(Measure::PromQl(text.to_owned())),
            Err(promql::Slip::Form(message)) => {
                self.report.error(node.at, message);
                Err(Gone::Fault)
            }
            Err(promql::Slip::Metric(name)) => {
                Err(self.unknown(node, format!("there is no metric `{}`", read::cut(&name)), None))
            }
        }
    }

    /// Whether Prometheus may have series of this name from this configuration.
    fn is_series(&self, name: &str) -> bool {
        let bare = ["_bucket", "_count", "_sum", "_register", "_new_total"];
        let known = |name: &str| self.catalogue.find(name).is_some();
        known(name)
            || super::names::is_own(name)
            || name.contains(':')
            || bare.iter().filter_map(|suffix| name.strip_suffix(suffix)).any(known)
    }

    /// The modifiers on top of what is there.
    fn modified(&mut self, mut query: Query, fields: &Fields<'n>, by: By) -> Read<Query> {
        let metric = query.metric().map(str::to_owned);
        let metric = metric.as_deref();
        if let Some(node) = fields.get("where") {
            let lines =
                read::map(node, "labels and their values", self.report).ok_or(Gone::Fault)?;
            for line in lines {
                query.conditions.retain(|known| known.label != line.key);
                query.conditions.extend(self.condition(line, metric)?);
            }
        }
        if let Some(node) = fields.get("by") {
            query.by = match self.label(node, metric) {
                Ok(label) => Some(label),
                Err(Gone::Absent(_)) if by == By::Optional => None,
                Err(gone) => return Err(gone),
            };
        }
        query.top = self.count(fields, "top")?.or(query.top);
        for (key, place) in [("of", &mut query.of), ("minus", &mut query.minus)] {
            if let Some(node) = fields.get(key) {
                *place = Some(Box::new(self.query(node, By::Required)?));
            }
        }
        let min = self.count(fields, "min")?;
        query.min = min.and_then(|min| u32::try_from(min).ok()).or(query.min);
        if let Some(node) = fields.get("over") {
            let all = read::one_or_more(node).iter().map(|node| self.over(node));
            query.over = all.collect::<Read<_>>()?;
        }
        query.per_second |= self.word(fields, "per", &[("second", true)])?.unwrap_or(false);
        if let Some(node) = fields.get("compare") {
            let all = read::one_or_more(node).iter().map(|node| self.compare(node));
            query.compare = all.collect::<Read<_>>()?;
        }
        if let Some(node) = fields.get("scale") {
            query.scale = Some(self.scale(node)?);
        }
        self.says_something(&query, fields)?;
        Ok(query)
    }

    /// A share of itself is always 1: its numerator lost its conditions.
    fn says_something(&mut self, query: &Query, fields: &Fields<'n>) -> Read<()> {
        let same = query.of.as_ref().is_some_and(|of| {
            of.measure == query.measure
                && of.conditions == query.conditions
                && query.minus.is_none()
        });
        if same && matches!(query.measure, Measure::Count(_)) {
            let place = Node { at: fields.at, ..Node::default() };
            return Err(self.unknown(
                &place,
                "`of` is the query itself: the share is always 1".to_owned(),
                None,
            ));
        }
        Ok(())
    }

    fn over(&mut self, node: &Node) -> Read<Over> {
        match &node.kind {
            Kind::Text(text) if text == "range" => Ok(Over::Range),
            Kind::Text(text) if text == "step" => Ok(Over::Step),
            _ => self.length(node).map(Over::Last),
        }
    }

    pub(super) fn length(&mut self, node: &Node) -> Read<Duration> {
        read::positive(node, self.report).ok_or(Gone::Fault)
    }

    fn compare(&mut self, node: &'n Node) -> Read<Compare> {
        match &node.kind {
            Kind::Text(text) if text == "previous" => Ok(Compare::Previous),
            Kind::Map(_) => {
                let fields = self.fields(node, "`compare`", &COMPARE);
                let Some(usual) = fields.get("usual") else {
                    return Err(self.missing(node.at, "`compare`", "usual"));
                };
                let fields = self.fields(usual, "`usual`", &USUAL);
                let weeks = self.count(&fields, "weeks")?;
                let days = self.count(&fields, "days")?;
                let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
                match (weeks, days) {
                    (Some(weeks), None) => Ok(Compare::UsualWeeks(number(weeks))),
                    (None, Some(days)) => Ok(Compare::UsualDays(number(days))),
                    _ => {
                        self.report.error(usual.at, "`usual` has either `weeks` or `days`");
                        Err(Gone::Fault)
                    }
                }
            }
            _ => self.length(node).map(Compare::Ago),
        }
    }

    /// A number or a fraction, of numbers and settings.
    fn scale(&mut self, node: &Node) -> Read<Scale> {
        let text = read::scalar(node, self.report).ok_or(Gone::Fault)?;
        let (times, divided_by) = text.split_once('/').unwrap_or((&text, "1"));
        let mut part = |text: &str| match text.trim().parse::<f64>() {
            Ok(number) => Ok(number),
            Err(_) => self.setting(text.trim(), node),
        };
        let scale = Scale { times: part(times)?, divided_by: part(divided_by)? };
        let good = |number: f64| number.is_finite() && number > 0.0;
        if !(good(scale.times) && good(scale.divided_by)) {
            self.report.error(node.at, "a scale is above 0");
            return Err(Gone::Fault);
        }
        Ok(scale)
    }
}
