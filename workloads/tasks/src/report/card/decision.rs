//! What each recall costs.

use maud::{Markup, html};

use super::Card;
use crate::{
    report::{
        page::{figure, number, table},
        plot::{Axis, Chart, Colour, Unit},
        text,
    },
    train::report::RecallCost,
};

/// The threshold, and what other ones would do.
pub fn section(card: &Card) -> Markup {
    let (threshold, costs) = (&card.manifest.threshold, &card.report.recall_costs);
    let row = |cost: &RecallCost| {
        let shares = [cost.at_least, cost.recall, cost.refused_good, cost.refused_share, cost.precision];
        shares.map(|share| number(text::percent(share))).into()
    };
    let headings = ["promised", "bad refused", "good refused", "all refused", "precision"];
    html! {
        p { "Refused from a probability of " b { (text::percent(threshold.probability)) } " on (" (text::decimal(threshold.score))
            " in log-odds before calibration). What another recall would cost: thresholds by the same promise from the calibrate
            rows, shares on the test rows." }
        @if !costs.is_empty() {
            div.figures {
                (figure("The price of recall", "Good loans that are refused so that bad ones are found.", price(card, costs)))
                figure { (table(&headings, &costs.iter().map(row).collect::<Vec<_>>())) }
            }
        }
    }
}

fn price(card: &Card, costs: &[RecallCost]) -> Markup {
    let axis = |title| Axis::between(title, Unit::Share, 0.0, 1.0);
    let target = card.manifest.learning.decision.recall.as_ref().map(|recall| recall.at_least);
    let line = |of: fn(&RecallCost) -> f64| costs.iter().map(|cost| (cost.at_least, of(cost))).collect::<Vec<_>>();
    let (good, bad) = (line(|cost| cost.refused_good), line(|cost| cost.recall));
    let x = Axis::between("promised recall", Unit::Share, 0.5, 1.0);
    let chart = Chart::new(x, axis("share that is refused")).line(Colour::Good, &good).line(Colour::Bad, &bad);
    // above the line of the bad and below that of the good, clear of both
    let beside = |line: &[(f64, f64)], by: f64| line.first().map_or((0.5, 0.0), |(x, y)| (*x + 0.01, *y + by));
    let chart = chart.label(Colour::Bad, beside(&bad, 0.10), "start", "bad loans");
    let chart = chart.label(Colour::Good, beside(&good, -0.11), "start", "good loans");
    let chart = match target.filter(|target| *target >= 0.5) {
        Some(target) => chart.mark(target, "asked for"),
        None => chart,
    };
    chart.draw("share of good and bad loans refused by promised recall")
}
