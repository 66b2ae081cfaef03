//! What a version decides, and what must not be concluded from it.

use maud::{Markup, html};
use underwriter_contract::{
    learning::{DecisionMode, Label, Leakage, Outcomes, Target},
    summary::MetricName,
};

use super::Card;
use crate::report::text;

/// What is estimated, and what follows from it.
pub fn section(card: &Card) -> Markup {
    let manifest = card.manifest;
    let Label { column, bad, good } = &manifest.learning.data.label;
    let mode = match manifest.learning.decision.mode {
        DecisionMode::Enforce => {
            "The caller acts on the answer: what is refused is not granted, and its outcome will never be known."
        }
        DecisionMode::Advise => "The answer is advice: others decide what is granted.",
    };
    html! {
        p { "For an application, the model estimates the probability that the loan will end as " (quoted(bad)) " rather than "
            (quoted(good)) " in " code { (column) } "." }
        p { "An application is refused when this probability is at or above "
            b { (text::percent(manifest.threshold.probability)) } ". " (promise(card)) }
        @if let Some(kept) = kept(card) { p { (kept) } }
        p { (mode) " Every refusal names the columns that set this applicant apart from those who are approved." }
    }
}

/// How the threshold was chosen, and what that promises.
fn promise(card: &Card) -> String {
    let threshold = &card.manifest.threshold;
    let found = format!("{} of {}", text::count(threshold.found), text::count(threshold.bad));
    let low = text::percent(threshold.recall_low);
    match card.manifest.learning.decision.target() {
        Some(Target::Recall(target)) => format!(
            "The threshold was chosen to find at least {} of the loans that go bad, with {} confidence: it finds {found} bad \
             loans that neither the fit nor the tests have seen, which promises at least {low} for loans like them.",
            text::percent(target.at_least),
            text::percent(target.confidence),
        ),
        Some(Target::Cost(cost)) => format!(
            "The threshold keeps the cost of wrong decisions lowest, where a bad loan that is granted costs {} and a good \
             applicant who is refused {}. It finds {found} bad loans of the calibrate rows, at least {low} of loans like them.",
            text::short(cost.false_negative),
            text::short(cost.false_positive),
        ),
        Some(Target::ApprovalRate(rate)) => format!(
            "The threshold is the lowest that approves at least {} of the calibrate rows. It finds {found} bad loans among \
             them, at least {low} of loans like them.",
            text::percent(rate.at_least),
        ),
        Some(Target::Threshold(_)) | None => format!(
            "The specification sets the threshold. It finds {found} bad loans of the calibrate rows, at least {low} of loans \
             like them."
        ),
    }
}

/// Whether the newer test rows bear the promise out.
fn kept(card: &Card) -> Option<String> {
    let recall = card.metric(MetricName::Recall)?;
    let (low, high) = recall.low.zip(recall.high)?;
    let target = card.manifest.learning.decision.recall.as_ref()?.at_least;
    let verdict = if high < target {
        "less than was asked for, beyond chance"
    } else if low >= target {
        "as much as was asked for, beyond chance"
    } else {
        "these rows alone do not tell whether that is what was asked for"
    };
    Some(format!(
        "On the test rows it found {} ({} to {}): {verdict}.",
        text::percent(recall.value),
        text::percent(low),
        text::percent(high)
    ))
}

/// `"Charged Off" or "Default"`.
fn quoted(values: &[String]) -> String {
    values.iter().map(|value| format!("“{value}”")).collect::<Vec<_>>().join(" or ")
}

/// What must not be concluded, and what this run lacked.
pub fn limits(card: &Card) -> Markup {
    html! {
        ul {
            li { "Outcomes are known of granted loans only. Of applications that were refused before, by whatever rule, these
                figures say nothing." }
            li { "The promised recall holds for loans that are exchangeable with the calibrate rows. When the economy, the
                product or the applicants change it need not hold: this is what drift monitors watch." }
            li { "Intervals are of 95 % and tell the noise of these test rows, not what will change after them." }
            li { "Contributions and reasons say what moved the score, not what causes a loan to go bad." }
            li { "Only columns known at application are learnt from, as far as names and values tell. That a column really is
                known then has to be confirmed by who owns the data." }
            @for lack in lacks(card) { li { (lack) } }
        }
    }
}

fn lacks(card: &Card) -> Vec<String> {
    let (manifest, report) = (card.manifest, card.report);
    let mut lacks = Vec::new();
    let mut lack = |is_lacking: bool, text: String| lacks.extend(is_lacking.then_some(text));
    lack(
        manifest.data.from.is_none(),
        "There is no time column: rows were split at random, and figures on loans of the future will be lower."
            .to_owned(),
    );
    lack(
        manifest.learning.data.leakage != Leakage::Enforce,
        "Columns that leak the outcome were not dropped, as the specification asks for: figures may be too good."
            .to_owned(),
    );
    let bad = manifest.blocks.test.bad;
    lack(bad < 300, format!("The test rows hold {} bad loans; intervals are wide below 300.", text::count(bad)));
    lack(
        report.performance.protected.is_empty(),
        "No column is marked as Protected: whether groups are treated alike is not known.".to_owned(),
    );
    let ids = manifest.learning.data.id.is_some() && manifest.learning.data.outcomes == Outcomes::Include;
    lack(
        !ids,
        "Outcomes from the prediction log are not joined: later versions will not learn from this one's decisions."
            .to_owned(),
    );
    let error = card.metric(MetricName::CalibrationError).and_then(|metric| metric.low);
    lack(
        error.is_some_and(|low| low > 0.0),
        "On the test rows probabilities differ from what happened by more than chance explains: read them as ranks."
            .to_owned(),
    );
    lacks
}
