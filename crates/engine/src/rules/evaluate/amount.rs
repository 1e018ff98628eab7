//! What a rule does with a record: how much it adds, sets or observes, or whom it sees.

use crate::limits;
use crate::model::{Op, Pseudonym};

use super::Evaluation;
use crate::rules::definition::Intrinsic;
use crate::rules::expression::Reference;
use crate::rules::rule::{Measure, OpKind, Part, Rule, Scale};
use crate::rules::subject::Subject;
use crate::rules::update::SkipReason;

impl<'a> Evaluation<'a> {
    /// What a part does with a record; none when the record has no value for it.
    #[inline(always)] // what it returns is written at once: copied, it costs a stall for each update
    pub(in crate::rules) fn op(
        &mut self,
        rule: &'a Rule,
        part: &'a Part,
        subject: Subject<'_, 'a>,
        weight: f64,
    ) -> Result<Option<Op<'static>>, SkipReason> {
        if let Subject::Point(..) = subject {
            // A point's own amount is what it adds, and is known when it was folded.
            return Ok(Some(Op::Add(0.0)));
        }
        if let Some(of) = &rule.of {
            let who = self.who(of, subject);
            return Ok(who.map(|who| Op::See { who, now: self.now }));
        }
        let Some(value) = self.measure(part, subject)? else { return Ok(None) };
        let weight = if rule.weighted { weight } else { 1.0 };
        Ok(Some(match rule.kind {
            OpKind::Set | OpKind::See => Op::Set(value),
            OpKind::Add if value < 0.0 => return Err(SkipReason::Negative),
            _ if (value * weight).abs() > limits::INCREMENT => return Err(SkipReason::TooLarge),
            OpKind::Add => Op::Add(value * weight),
            OpKind::Observe => Op::Observe { value, weight },
        }))
    }

    /// Somebody by their hash; none when nothing says who, or when they want not to be counted.
    fn who(&mut self, of: &'a Reference, subject: Subject<'_, 'a>) -> Option<Pseudonym> {
        let rules = self.rules;
        let found = self.resolve(of, subject)?;
        let text = self.text(found);
        let text = self.updates.text(text);
        let left_out = rules.opt_out.as_ref().is_some_and(|people| people.contains_key(text));
        rules.key.as_ref().filter(|_| !left_out).map(|key| key.hash(text))
    }

    /// Why a part has no value whose value clocks tell; none: a value is merely missing, which is no skip.
    #[cold]
    fn without_time(&self, part: &Part, subject: Subject<'_, 'a>) -> Option<SkipReason> {
        let mut clocks = part.clocks.iter();
        clocks.find_map(|clock| subject.clock(*clock, self.now)?.err()).map(SkipReason::from)
    }

    /// The part's number; none when the record has no value.
    fn measure(
        &mut self,
        part: &'a Part,
        subject: Subject<'_, 'a>,
    ) -> Result<Option<f64>, SkipReason> {
        let (value, scale) = match &part.measure {
            Measure::Constant(number) => return Ok(Some(*number)),
            Measure::Value(value, scale) => (value, scale),
        };
        let number = match (subject, &value.only) {
            // What most histograms observe needs no search.
            (Subject::Span(span), Some(Reference::Intrinsic(Intrinsic::Duration))) => {
                span.seconds()?
            }
            _ => match self.expression(value, subject) {
                Some(found) => self.number(found).ok_or(SkipReason::NotANumber)?,
                None => return self.without_time(part, subject).map_or(Ok(None), Err),
            },
        };
        let factor = match scale {
            Scale::Constant(factor) => *factor,
            Scale::Value(scale) => {
                let found = self.expression(scale, subject).ok_or(SkipReason::NoRow)?;
                self.number(found).ok_or(SkipReason::NotANumber)?
            }
        };
        let product = number * factor;
        if product.is_finite() { Ok(Some(product)) } else { Err(SkipReason::NotANumber) }
    }
}
