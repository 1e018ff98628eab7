//! `value` and `scale`: by how much a record raises a metric.

use engine::rules::definition::{Expression, Intrinsic, Measure, Reference, Scale, Source, Step};

use super::super::document::{Kind, Node};
use super::super::fields;
use super::Resolver;
use super::names::Secret;

/// A measure, and whether it is a time in seconds.
#[derive(Clone)]
pub(super) struct Measured {
    pub(super) measure: Measure,
    pub(super) seconds: bool,
}

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn measure(&mut self, node: &'n Node, sources: &[Source]) -> Measured {
        if matches!(node.kind, Kind::Number(_)) {
            let number = fields::number(node, self.report).unwrap_or(1.0);
            return Measured { measure: Measure::Constant(number), seconds: false };
        }
        let (value, fields) = self.value(node, "`value`", &["scale"], sources);
        if let Some(Secret::Hashed(alias)) = self.names.secret(node, sources, &[]) {
            let name = self.names.aliases.name(alias);
            self.report.error(node.at, format!("`{name}` is a keyed hash and no number"));
        }
        let default = fields.as_ref().and_then(|fields| fields.get("default"));
        if let (Some(node), Some(text)) = (default, &value.default)
            && !text.parse().is_ok_and(f64::is_finite)
        {
            fields::expected("a number for the `default` of a `value`", node, self.report);
        }
        let scale = fields.as_ref().and_then(|fields| fields.get("scale"));
        let scale = scale.map_or(Scale::Constant(1.0), |scale| self.scale(scale, sources));
        let seconds = self.names.is_seconds(node, sources) && scale == Scale::Constant(1.0);
        Measured { measure: Measure::Value(value, scale), seconds }
    }

    fn scale(&mut self, node: &'n Node, sources: &[Source]) -> Scale {
        if !matches!(node.kind, Kind::Number(_)) {
            return Scale::Value(self.value(node, "`scale`", &[], sources).0);
        }
        let number = fields::number(node, self.report).unwrap_or(1.0);
        if number == 0.0 {
            self.report.error(node.at, "a scale of 0 makes everything 0");
        }
        Scale::Constant(number)
    }

    /// What a counter adds must not be negative, as far as it is known.
    pub(super) fn rises(&mut self, node: &'n Node, measured: &Measured) {
        let constant = match &measured.measure {
            Measure::Constant(number) => *number,
            Measure::Value(_, Scale::Constant(scale)) => *scale,
            Measure::Value(_, Scale::Value(_)) => 1.0,
        };
        if constant < 0.0 {
            let message = "a counter never falls: what it adds must not be negative";
            self.report.error(node.at, message).help("a gauge may fall");
        }
    }
}

/// What a metric measures that says nothing: each record is one, a data point its own number.
pub(super) fn unsaid(sources: &[Source]) -> Measured {
    let measure = match sources {
        [Source::Datapoint] => {
            let steps = vec![Step::From(Reference::Intrinsic(Intrinsic::Value))];
            Measure::Value(Expression { steps, ..Expression::default() }, Scale::Constant(1.0))
        }
        _ => Measure::Constant(1.0),
    };
    Measured { measure, seconds: false }
}
