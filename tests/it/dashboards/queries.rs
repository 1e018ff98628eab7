//! A query, parsed: names and labels that there are, counters only where they are counted, and the job always chosen.

use std::collections::BTreeSet;

use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use serde_json::Value;

use super::known::Known;

type Labels = BTreeSet<String>;

/// Checks a query and says which labels its answer has; none: nobody can know.
pub fn check(at: &str, expr: &str, known: &Known, asked: &mut BTreeSet<String>) -> Option<Labels> {
    let mut rates = expr.split("rate(").skip(1);
    assert!(rates.all(|after| after.contains("[$__rate_interval]")), "{at}: {expr}");
    let plain = plain(expr);
    let parsed = parser::parse(&plain).unwrap_or_else(|error| panic!("{at}: {error}: {expr}"));
    Checker { at, known, asked }.walk(&parsed, "")
}

/// Without Grafana's variables.
pub fn plain(expr: &str) -> String {
    let variables = [
        ("$__rate_interval", "5m"),
        ("$__interval_ms", "3600000"),
        ("$__interval", "1h"),
        ("$__range", "28d"),
        ("($label)", "(job)"),
    ];
    variables.iter().fold(expr.to_owned(), |expr, (name, value)| expr.replace(name, value))
}

/// `{{label}}` in the name of an answer is a label that the answer has.
pub fn legend(at: &str, target: &Value, labels: &Option<Labels>) {
    let Some(labels) = labels else { return };
    let legend = target["legendFormat"].as_str().unwrap();
    for name in legend.split("{{").skip(1).map(|after| after.split("}}").next().unwrap()) {
        assert!(
            labels.contains(name) || name == "$label",
            "{at}: the answer has no {name}, only {labels:?}"
        );
    }
}

/// Whether an expression is one number and no series.
fn scalar(expr: &Expr) -> bool {
    match expr {
        Expr::NumberLiteral(_) => true,
        Expr::Call(call) => call.func.name == "time",
        _ => false,
    }
}

struct Checker<'k> {
    at: &'k str,
    known: &'k Known,
    asked: &'k mut BTreeSet<String>,
}

impl Checker<'_> {
    /// The labels of what an expression yields, below a function of this name.
    fn walk(&mut self, expr: &Expr, function: &str) -> Option<Labels> {
        match expr {
            Expr::Aggregate(inner) => {
                if let Some(parameter) = &inner.param {
                    self.walk(parameter, function);
                }
                let labels = self.walk(&inner.expr, function);
                let keeps = inner.op.to_string().contains("topk");
                match &inner.modifier {
                    Some(LabelModifier::Include(by)) => Some(self.grouped(&by.labels, labels)),
                    Some(LabelModifier::Exclude(_)) => {
                        panic!("{}: `without` keeps what others add", self.at)
                    }
                    None if keeps => labels,
                    None => Some(Labels::new()),
                }
            }
            Expr::Call(call) => {
                let all: Vec<Option<Labels>> = call
                    .args
                    .args
                    .iter()
                    .map(|argument| self.walk(argument, call.func.name))
                    .collect();
                let all: Option<Vec<Labels>> = all.into_iter().collect();
                let labels = all.map(|all| all.into_iter().flatten().collect::<Labels>());
                match call.func.name {
                    "histogram_quantile" => labels.map(|mut labels| {
                        labels.remove("le");
                        labels
                    }),
                    _ => labels,
                }
            }
            Expr::Binary(both) => {
                let (left, right) =
                    (self.walk(&both.lhs, function), self.walk(&both.rhs, function));
                let labels = if scalar(&both.lhs) { right } else { left };
                let joined = both.modifier.as_ref().and_then(|modifier| modifier.card.labels());
                let joined = joined.map(|labels| labels.labels.clone()).unwrap_or_default();
                labels.map(|labels| labels.into_iter().chain(joined).collect())
            }
            Expr::Paren(inner) => self.walk(&inner.expr, function),
            Expr::Unary(inner) => self.walk(&inner.expr, function),
            Expr::Subquery(inner) => self.walk(&inner.expr, function),
            Expr::VectorSelector(selector) => self.selector(selector, function),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs, function),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Some(Labels::new()),
            other => panic!("{}: {other}", self.at),
        }
    }

    fn grouped(&self, by: &[String], labels: Option<Labels>) -> Labels {
        if let Some(labels) = labels {
            for name in by {
                assert!(
                    labels.contains(name),
                    "{}: grouped by {name}, which there is not: {labels:?}",
                    self.at
                );
            }
        }
        by.iter().cloned().collect()
    }

    fn selector(&mut self, selector: &VectorSelector, function: &str) -> Option<Labels> {
        let at = self.at;
        let matchers = &selector.matchers.matchers;
        let job = matchers.iter().find(|matcher| matcher.name == "job");
        let jobless = selector.name.as_ref().and_then(|name| self.known.labels(name));
        assert!(
            jobless.is_some_and(|labels| !labels.contains("job"))
                || job.is_some_and(|job| job.value == "$job" && job.op.to_string() == "=~"),
            "{at}: any job: {selector}"
        );
        let Some(name) = &selector.name else {
            assert!(
                matchers.iter().any(|one| one.name == "__name__" && one.value == "$metric"),
                "{at}: {selector}"
            );
            return None;
        };
        let labels = self.known.labels(name).unwrap_or_else(|| panic!("{at}: there is no {name}"));
        for matcher in matchers {
            assert!(labels.contains(&matcher.name), "{at}: {name} has no {}", matcher.name);
        }
        if self.known.is_counter(name) {
            assert!(["rate", "increase"].contains(&function), "{at}: a bare counter: {selector}");
        }
        self.asked.extend(self.known.metric(name).map(str::to_owned));
        Some(labels.clone())
    }
}
