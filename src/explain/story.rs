//! What is said of one record.

use engine::explain::{Counts, Made, Pass, Told, ToldPoint, Verdict};
use engine::limits;
use engine::model::OTHER;
use engine::rules::definition::Definitions;
use engine::rules::explain::{
    Account, Asked, Found, Groups, PartAccount, Place, Reason, RuleAccount,
};
use engine::rules::{IgnoredWeight, Subject};

use super::head::{self, indent, shown};
use super::paper::Paper;
use super::{Question, words};

/// Tells record after record.
pub(super) struct Story<'s, 'o> {
    definitions: &'s Definitions,
    question: &'s Question,
    paper: &'s mut Paper<'o>,
    /// Whether the metric that was asked for met any record.
    met: bool,
}

/// A reason, and the metrics that share it. How near is what holds, then how alike the words are.
struct Near<'a> {
    nearness: (usize, usize),
    text: String,
    names: Vec<&'a str>,
}

/// Characters that a name has in common with a wanted one, when it may be meant.
const LIKE: usize = 3;

impl<'s, 'o> Story<'s, 'o> {
    pub(super) fn new(asked: Asked<'s>, question: &'s Question, paper: &'s mut Paper<'o>) -> Self {
        Self { definitions: asked.definitions, question, paper, met: false }
    }

    /// One record.
    pub(super) fn tell(&mut self, told: &Told<'_, '_, '_>) {
        let Some(metric) = &self.question.metric else {
            head::write(told, self.paper);
            return self.whole(told);
        };
        let rules = told.account.as_ref().map_or(&[][..], |account| &account.rules);
        let rule = rules.iter().find(|rule| rule.metric.name.as_str() == metric);
        let passes = told
            .point
            .as_ref()
            .filter(|point| matches!(&point.pass, Pass::As(name, _) if name == metric));
        if rule.is_none() && passes.is_none() && told.account.is_some() {
            return;
        }
        self.met |= told.account.is_some();
        head::write(told, self.paper);
        if let Some(point) = passes {
            self.pass(told, point);
        }
        if let (Some(rule), Some(account)) = (rule, &told.account) {
            self.rule(told, account, rule);
        }
    }

    /// After the last record.
    pub(super) fn end(&mut self) {
        let Some(metric) = self.question.metric.as_ref().filter(|_| !self.met) else { return };
        let known = self.definitions.metrics.iter().any(|one| one.name.as_str() == metric);
        let text = match known {
            true => format!("No record in the file is of a kind that {metric} reads."),
            false => format!(
                "Nothing in the file is called {metric}, and the config has no such metric."
            ),
        };
        self.paper.gap();
        self.paper.line(0, "", &text);
    }

    /// All there is to say of a record, within bounds.
    fn whole(&mut self, told: &Told<'_, '_, '_>) {
        let indent = indent(told);
        let Some(account) = &told.account else { return };
        if matches!(told.verdict, Verdict::Rejected(_)) && !self.question.all {
            return;
        }
        let classes = account.classes.iter().filter(|class| class.held);
        let classes: Vec<&str> = classes.map(|class| &*class.class.name).collect();
        if !classes.is_empty() {
            self.paper.line(indent, "is", &classes.join(", "));
        }
        if let Some(point) = &told.point {
            self.pass(told, point);
        }
        let mut took = 0;
        for rule in &account.rules {
            for (at, part) in rule.parts.iter().enumerate().filter(|(_, part)| part.held) {
                took += 1;
                self.part(indent, told, rule, (at, part));
            }
        }
        self.ignored_weights(indent, account);
        let passes = told.point.as_ref().is_some_and(|point| {
            matches!(point.pass, Pass::As(..)) || is_silent(&point.pass, told.verdict)
        });
        if took == 0 && !passes {
            let text = match (told.verdict, &told.subject) {
                (Verdict::Unmatched, Subject::Event(..)) => "no rule takes this event",
                (Verdict::Unmatched, _) => "unmatched: no rule takes it",
                (_, Subject::Span(_)) => "no rule takes the span itself, but an event of it",
                _ => "no rule takes it",
            };
            self.paper.line(indent, "", text);
        }
        self.near(told, account, took == 0 && !passes);
    }

    /// What a part that holds made of the record.
    fn part(
        &mut self,
        indent: usize,
        told: &Told<'_, '_, '_>,
        rule: &RuleAccount<'_>,
        (at, part): (usize, &PartAccount<'_>),
    ) {
        let name = rule.metric.name.as_str();
        let is_this = |made: &&Made<'_>| (made.family, made.part as usize) == (rule.family, at);
        if let Some(made) = told.made.iter().find(is_this) {
            let labels = made.labels.iter().map(|(name, value)| (*name, value.as_str()));
            let series = words::series(name, labels);
            let amount = match &told.point {
                Some(point) => words::gain(point.gain),
                None => words::amount(made.op),
            };
            let (word, text) = match made.counts {
                Counts::Yes => ("made", format!("{series} {amount}")),
                Counts::Rejected => ("none", format!("{series}: the item was rejected")),
                Counts::OtherKind => {
                    ("none", format!("{series}: the data point is of another type"))
                }
                Counts::Repeated(class) => {
                    ("none", format!("{series}: {} that is the same came before", a(class)))
                }
            };
            self.paper.line(indent, word, &text);
            return self.strangers(indent, rule, part);
        }
        let inputs = part.inputs.iter();
        let inputs: Vec<String> =
            inputs.map(|(what, found)| words::found(self.definitions, what, found)).collect();
        let text = match part.op {
            Err(reason) => {
                let why = words::skipped(reason);
                format!("{name}: {}: {}{why}", reason.as_str(), inputs.join(", "))
            }
            Ok(_) if part.inputs.iter().any(|(_, found)| *found == Found::Hidden) => {
                format!("{name}: they want not to be counted (`privacy.opt_out`)")
            }
            Ok(_) if inputs.is_empty() => format!("{name}: there is no value"),
            Ok(_) => format!("{name}: there is no value: {}", inputs.join(", ")),
        };
        self.paper.line(indent, if part.op.is_err() { "skip" } else { "none" }, &text);
    }

    /// Sampling weights that were not used, the metrics of each bound together.
    fn ignored_weights(&mut self, indent: usize, account: &Account<'_>) {
        let mut all: Vec<(&IgnoredWeight, Vec<&str>)> = Vec::new();
        for rule in &account.rules {
            let Some(ignored) = &rule.ignored_weight else { continue };
            let name = rule.metric.name.as_str();
            match all.iter_mut().find(|(other, _)| other.bound == ignored.bound) {
                Some((_, names)) => names.push(name),
                None => all.push((ignored, vec![name])),
            }
        }
        for (ignored, names) in all {
            let text = words::ignored_weight(self.definitions, ignored);
            self.paper.line(indent, "skip", &format!("{}: {text}", together(&names)));
        }
    }

    fn strangers(&mut self, indent: usize, rule: &RuleAccount<'_>, part: &PartAccount<'_>) {
        for (label, found) in &part.strangers {
            let text = format!(
                "{} is `{OTHER}`: {} is not among the values that {} declares",
                label.as_str(),
                shown(found),
                rule.metric.name.as_str()
            );
            self.paper.line(indent + 2, "", &text);
        }
    }

    /// The rules that nearly took it, those that say the same together; with `--all` every rule that did not.
    fn near(&mut self, told: &Told<'_, '_, '_>, account: &Account<'_>, must: bool) {
        let source = told.subject.source();
        let mut all: Vec<Near<'_>> = Vec::new();
        for rule in &account.rules {
            let Some(reason) = account.reason(rule, source) else { continue };
            let text = self.reason(&reason);
            let name = rule.metric.name.as_str();
            let nearness = (reason.nearness, words::likeness(reason.line));
            match all.iter_mut().find(|near| near.text == text) {
                Some(near) => near.names.push(name),
                None => all.push(Near { nearness, text, names: vec![name] }),
            }
        }
        if !self.question.all {
            all.sort_by_key(|near| std::cmp::Reverse(near.nearness));
        }
        let near = all.iter().filter(|near| near.nearness.0 > 0).count();
        let alike = all.iter().filter(|near| near.nearness.1 >= LIKE).count();
        let shown = match self.question.all {
            true => all.len(),
            false if near == 0 && must => alike.min(limits::EXPLAINED_NEAR),
            false => near.min(limits::EXPLAINED_NEAR),
        };
        let indent = indent(told);
        for Near { nearness, text, names } in all.iter().take(shown) {
            let word = if nearness.0 > 0 || !self.question.all { "near" } else { "no" };
            self.paper.line(indent, word, &format!("{}: {text}", together(names)));
        }
        if near > shown {
            let text = format!("{} more reasons: --all tells them", near - shown);
            self.paper.line(indent, "near", &text);
        } else if must && shown == 0 {
            let (count, kind) = (account.rules.len(), words::kind(source));
            let text =
                format!("nothing: of {count} rules that read {kind} none is near, --all tells why");
            self.paper.line(indent, "near", &text);
        }
    }

    fn reason(&self, reason: &Reason<'_, '_>) -> String {
        let line = words::line(self.definitions, reason.line);
        match reason.place {
            Place::Class(class) => format!("no {}: {line}", class.name),
            Place::Part(_) => line,
        }
    }

    fn pass(&mut self, told: &Told<'_, '_, '_>, point: &ToldPoint) {
        let indent = indent(told);
        let (word, text) = match &point.pass {
            Pass::No => {
                ("none", "it does not pass: `datapoints.pass` leaves its name out".to_owned())
            }
            Pass::Nowhere => ("none", format!("it has no value: {}", words::gain(point.gain))),
            Pass::Refused(reason) => (
                "none",
                format!("it does not pass: {}: {}", reason.as_str(), words::why(*reason, true)),
            ),
            Pass::As(name, labels) => {
                let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                ("pass", format!("{} {}", words::series(name, labels), words::gain(point.gain)))
            }
        };
        self.paper.line(indent, word, &text);
    }

    /// One metric, and every condition on the way to it.
    fn rule(&mut self, told: &Told<'_, '_, '_>, account: &Account<'_>, rule: &RuleAccount<'_>) {
        let indent = indent(told);
        let taken = if rule.parts.iter().any(|part| part.held) { "yes" } else { "no" };
        self.paper.line(indent, taken, rule.metric.name.as_str());
        for class in
            account.classes.iter().filter(|class| uses(self.definitions, rule, class.index))
        {
            let word = if class.held { "yes" } else { "no" };
            self.paper.line(indent + 2, word, &class.class.name);
            self.groups(indent + 4, &class.condition);
        }
        for (at, part) in rule.parts.iter().enumerate() {
            if rule.parts.len() > 1 {
                self.paper.line(
                    indent + 2,
                    if part.held { "yes" } else { "no" },
                    &format!("part {}", at + 1),
                );
            }
            let inner = if rule.parts.len() > 1 { indent + 4 } else { indent + 2 };
            for groups in &part.conditions {
                self.groups(inner, groups);
            }
            if part.held {
                self.part(indent + 2, told, rule, (at, part));
            }
        }
        if let Some(ignored) = &rule.ignored_weight {
            let text = words::ignored_weight(self.definitions, ignored);
            self.paper.line(indent + 2, "skip", &text);
        }
    }

    fn groups(&mut self, indent: usize, groups: &Groups<'_>) {
        for (at, group) in groups.iter().enumerate() {
            if at > 0 {
                self.paper.line(indent, "", "or");
            }
            for line in group {
                let word = if line.held { "yes" } else { "no" };
                self.paper.line(indent, word, &words::line(self.definitions, line));
            }
        }
    }
}

/// Whether a metric reads a class, directly or through others.
fn uses(definitions: &Definitions, rule: &RuleAccount<'_>, class: usize) -> bool {
    use engine::rules::definition::From;
    fn through(definitions: &Definitions, from: &[From], class: usize) -> bool {
        from.iter().any(|one| match one {
            From::Source(_) => false,
            From::Record(at) if *at == class => true,
            From::Record(at) => {
                let inner = definitions.records.get(*at);
                inner.is_some_and(|inner| through(definitions, &inner.from, class))
            }
        })
    }
    through(definitions, &rule.metric.from, class)
}

fn a(class: &str) -> String {
    format!("{} `{class}`", if class.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

/// Whether a point was accepted that has nothing to add.
fn is_silent(pass: &Pass, verdict: Verdict) -> bool {
    matches!((pass, verdict), (Pass::Nowhere, Verdict::Accepted))
}

/// Some metrics by name.
fn together(names: &[&str]) -> String {
    match names {
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        [] => String::new(),
    }
}
