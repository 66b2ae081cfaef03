//! Why an applicant was refused: what sets this one apart from those who were approved.
//!
//! A reason is a column's contribution to the score less its mean among the approved calibrate rows. Not here: whether
//! somebody is refused; ask for reasons of refusals only.

use underwriter_contract::{
    manifest::{Column, Evidence, Learnt, ReasonText},
    predict::Reason,
};

use crate::{evidence, scorer::Model, value::Value};

impl Model {
    /// The columns that raised the score the most against those who were approved, the strongest first: at most
    /// `most`, and at least one unless `most` is 0 or no column may be named.
    #[must_use]
    pub fn reasons(&self, values: &[Value], most: usize) -> Vec<Reason> {
        let contributions = self.contributions(values).columns;
        let columns = self.manifest().columns.iter().zip(values).zip(contributions);
        let mut reasons: Vec<_> =
            columns.filter_map(|((column, value), moved)| Candidate::of(column, value, moved)).collect();
        reasons.sort_by(|a, b| b.moved.total_cmp(&a.moved));
        let raised = reasons.iter().take_while(|reason| reason.moved > 0.0).count();
        reasons.iter().take(raised.max(1).min(most)).map(Candidate::told).collect()
    }
}

struct Candidate<'a> {
    column: &'a str,
    text: &'a str,
    moved: f64,
}

impl<'a> Candidate<'a> {
    fn of(column: &'a Column, value: &Value, contribution: f64) -> Option<Self> {
        let learnt = column.learnt.as_ref()?;
        let moved = contribution - learnt.baseline;
        let text = text(learnt, learnt.reason.as_ref()?, value);
        moved.is_finite().then_some(Self { column: &column.name, text, moved })
    }

    fn told(&self) -> Reason {
        Reason { column: self.column.to_owned(), text: self.text.to_owned(), contribution: self.moved }
    }
}

fn text<'a>(Learnt { evidence, median, .. }: &Learnt, reason: &'a ReasonText, value: &Value) -> &'a str {
    match (value, evidence) {
        (Value::Missing, _) => &reason.missing,
        (Value::Number(number), _) if median.is_some_and(|median| *number <= median) => &reason.low,
        (Value::Level(level), Evidence::Levels(levels)) if !evidence::is_seen(levels, level) => &reason.unseen,
        (Value::Number(_) | Value::Level(_), _) => &reason.high,
    }
}
