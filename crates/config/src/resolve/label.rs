//! Labels: the common ones, a block's and a part's.

use engine::limits::{self, Limits};
use engine::model::LabelName;
use engine::rules::definition::{Expression, Label, Source};
use engine::rules::pattern::Pattern;

use super::super::diagnostic::Place;
use super::super::document::{Entry, Node};
use super::super::fields::{self, Fields};
use super::Resolver;

/// Labels of the target of a scrape (Prometheus, "Jobs and instances"). A series' own label of such a name makes way, unless the
/// scrape has `honor_labels`, and then takes the place of the target's.
const TARGETS: [&str; 2] = ["job", "instance"];

/// A label as it was declared; without a definition it removes the inherited one of its name.
#[derive(Clone)]
pub(super) struct Declared {
    name: String,
    pub(super) at: Place,
    pub(super) label: Option<Label>,
}

/// What labels are checked against.
pub(super) struct Context<'c> {
    pub(super) limits: &'c Limits,
    pub(super) dropped: &'c [Pattern],
    pub(super) sources: &'c [Source],
}

/// Inherited labels with own ones over them, by name.
pub(super) fn over(inherited: &[Declared], own: Vec<Declared>) -> Vec<Declared> {
    let mut all = inherited.to_vec();
    for label in own {
        match all.iter_mut().find(|below| below.name == label.name) {
            Some(below) => *below = label,
            None => all.push(label),
        }
    }
    all
}

impl<'n> Resolver<'n, '_, '_> {
    /// The labels of a block; `null` in place of one removes it.
    pub(super) fn labels(&mut self, node: &'n Node, context: &Context<'_>) -> Vec<Declared> {
        let entries = fields::map(node, "`labels`", self.report).unwrap_or_default();
        if entries.len() > limits::BLOCK {
            self.report.error(node.at, format!("more than {} labels", limits::BLOCK));
        }
        let entries = entries.get(..limits::BLOCK).unwrap_or(entries);
        entries.iter().filter_map(|entry| self.declared(entry, context)).collect()
    }

    fn declared(&mut self, entry: &'n Entry, context: &Context<'_>) -> Option<Declared> {
        let label = match entry.value.is_null() {
            true => None,
            false => Some(self.label(entry, context)?),
        };
        Some(Declared { name: entry.key.clone(), at: entry.at, label })
    }

    fn label(&mut self, entry: &'n Entry, context: &Context<'_>) -> Option<Label> {
        let name = LabelName::new(&entry.key);
        if let Err(error) = &name {
            self.report.error(entry.at, error.to_string());
        }
        if TARGETS.contains(&&*entry.key) {
            let message = format!("Prometheus gives what it scrapes a label `{}`", entry.key);
            let help = format!(
                "this one becomes `exported_{}`, or with `honor_labels` takes its place: give it another name",
                entry.key
            );
            self.report.warning(entry.at, message).help(help);
        }
        let what = format!("the label `{}`", entry.key);
        let more = ["values", "limit", "names"];
        let (value, fields) = self.value(&entry.value, &what, &more, context.sources);
        self.refuse_secret(&entry.value, context.sources, context.dropped);
        let (mut values, mut limit) = (None, None);
        if let Some(fields) = &fields {
            values = fields.get("values").and_then(|node| self.values(node, &value, context));
            limit =
                fields.read("limit", |node, report| fields::count(node, 1, report), self.report);
            self.limit(fields, &value);
            if let Some(names) = fields.get("names") {
                self.value_names(names, values.as_deref());
            }
            let default = fields.get("default").zip(value.default.as_deref());
            if let Some((node, text)) = default {
                self.fits(text, node, context);
            }
        }
        Some(Label { name: name.ok()?, value, values, limit })
    }

    /// Names of values for people; those of values that there can't be are slips.
    fn value_names(&mut self, node: &'n Node, values: Option<&[String]>) {
        let entries = fields::map(node, "values and their names", self.report).unwrap_or_default();
        for entry in entries {
            fields::text(&entry.value, self.report);
            let declared = |values: &[String]| values.contains(&entry.key);
            if entry.key == engine::model::OTHER || values.is_none_or(declared) {
                continue;
            }
            let all = values.unwrap_or_default().iter().map(String::as_str);
            let near = self.report.nearest(&entry.key, all);
            let message =
                format!("a name for `{}`, which is none of `values`", fields::cut(&entry.key));
            self.report.error(entry.at, message).suggest(near);
        }
    }

    /// `limit` bounds what is open-ended; on anything else it means a misunderstanding.
    fn limit(&mut self, fields: &Fields<'n>, value: &Expression) {
        let Some(limit) = fields.get("limit") else { return };
        if let Some(values) = fields.get("values") {
            let fault = self.report.error(limit.at, "`limit` beside `values` has nothing to limit");
            fault.also(values.at, "all values are declared here").help("leave one of them out");
        } else if value.steps.is_empty() && value.default.is_some() {
            self.report.error(limit.at, "`limit` on a constant has nothing to limit");
        }
    }

    fn values(
        &mut self,
        node: &'n Node,
        value: &Expression,
        context: &Context<'_>,
    ) -> Option<Vec<String>> {
        let nodes = fields::list(node, self.report)?;
        if nodes.is_empty() {
            let fault = self.report.error(node.at, "`values` without a value");
            fault.help("an open-ended label has no `values`");
        }
        if value.steps.is_empty() && value.default.is_some() {
            self.report.error(node.at, "`values` on a constant: its only value is the default");
        }
        let mut values: Vec<String> = Vec::with_capacity(nodes.len());
        let mut seen = std::collections::HashMap::new();
        for node in nodes {
            let Some(text) = fields::scalar(node, self.report) else { continue };
            if text.is_empty() {
                self.report.error(node.at, "an empty value is no value: leave it out");
            }
            if let Some(first) = seen.insert(text.clone(), node.at) {
                let message = format!("the value `{}` comes twice", fields::cut(&text));
                self.report.error(node.at, message).also(first, "first here");
                continue;
            }
            self.fits(&text, node, context);
            values.push(text);
        }
        Some(values)
    }

    /// A declared value must not be cut, or nothing would ever equal it.
    fn fits(&mut self, text: &str, node: &Node, context: &Context<'_>) {
        let most = context.limits.label_value;
        if text.len() > most {
            let message =
                format!("a value of {} bytes: `limits.label_value` is {most}", text.len());
            self.report.error(node.at, message);
        }
    }
}
