//! How well a version ranks and how true its probabilities are, and whether that lasts.

use maud::{Markup, html};
use underwriter_contract::summary::{Comparison, Metric, MetricName};

use super::{Card, interval, written};
use crate::{
    report::{
        page::{self, Cell, figure, name, number, table},
        plot::{Axis, Chart, Colour, Unit},
        text,
    },
    train::{
        performance::{CalibrationBin, Distribution},
        shares::Share,
        stability::Vintage,
    },
};

/// Figures with their intervals, the ROC curve and the distribution of probabilities.
pub fn section(card: &Card) -> Markup {
    let test = &card.manifest.blocks.test;
    let (rows, bad) = (text::count(test.rows), text::count(test.bad));
    html! {
        p { "On " (rows) " test rows, " (bad) " of them bad" (applied(test)) ": nothing was learnt from them.
            Intervals are of 95 %." }
        (metrics(&card.report.metrics))
        div.figures {
            (roc(&card.report.performance.roc))
            (distribution(&card.report.performance.distribution, card.manifest.threshold.probability))
        }
    }
}

/// `, applied for from 2011-10-01 to 2011-12-01`, where there are dates.
fn applied(block: &underwriter_contract::manifest::Block) -> String {
    let ends = block.from.zip(block.to);
    ends.map_or_else(String::new, |(from, to)| format!(", applied for from {from} to {to}"))
}

fn metrics(metrics: &[Metric]) -> Markup {
    let row = |metric: &Metric| {
        let (title, meaning) = meaning(metric.name);
        let interval = interval(metric).unwrap_or_else(|| "–".to_owned());
        vec![name(title), number(written(metric)), number(interval), page::text(meaning)]
    };
    table(&["figure", "value", "95 % interval", "what it says"], &metrics.iter().map(row).collect::<Vec<_>>())
}

const fn meaning(name: MetricName) -> (&'static str, &'static str) {
    match name {
        MetricName::RocAuc => ("ROC AUC", "chance that a bad loan scores above a good one (DeLong)"),
        MetricName::AveragePrecision => ("Average precision", "mean precision over all recalls (bootstrap)"),
        MetricName::Ks => ("Kolmogorov–Smirnov", "greatest distance between the scores of good and bad (bootstrap)"),
        MetricName::Brier => ("Brier score", "mean squared error of the probability"),
        MetricName::LogLoss => ("Log loss", "mean negative log likelihood"),
        MetricName::Recall => ("Recall", "bad loans that are refused (Clopper–Pearson)"),
        MetricName::Precision => ("Precision", "refused loans that are bad (Clopper–Pearson)"),
        MetricName::RefusedShare => ("Refused", "loans that are refused (Clopper–Pearson)"),
        MetricName::ApprovalRate => ("Approved", "loans that are granted (Clopper–Pearson)"),
        MetricName::CalibrationError => {
            ("Calibration error", "mean distance of probability and outcome, ten bins of equal count (bootstrap)")
        }
        MetricName::Gini => ("Gini", "2 · ROC AUC − 1 (DeLong)"),
        MetricName::Unknown => ("Unknown", ""),
    }
}

fn roc(points: &[(f64, f64)]) -> Markup {
    let axis = |title| Axis::between(title, Unit::Share, 0.0, 1.0);
    let chart = Chart::new(axis("good loans refused"), axis("bad loans refused")).guide(&[(0.0, 0.0), (1.0, 1.0)]);
    let drawing = chart.line(Colour::Bad, points).draw("ROC curve");
    figure(
        "ROC curve",
        "What share of the bad loans is refused, for what share of the good ones. Dashed: by lot.",
        drawing,
    )
}

fn distribution(distribution: &Distribution, threshold: f64) -> Markup {
    let Distribution { edges, good, bad } = distribution;
    let shares = |counts: &[u64]| -> Vec<f64> {
        let all = counts.iter().sum::<u64>().max(1) as f64;
        counts.iter().map(|count| *count as f64 / all).collect()
    };
    let (good, bad) = (shares(good), shares(bad));
    let most = good.iter().chain(&bad).copied().fold(0.0, f64::max);
    let (from, to) = edges.first().zip(edges.last()).map_or((0.0, 1.0), |(from, to)| (*from, *to));
    let x = Axis::between("probability of going bad", Unit::Share, from, to);
    let chart = Chart::new(x, Axis::around("share of the loans of each outcome", Unit::Share, [0.0, most]))
        .steps(Colour::Good, edges, &good)
        .steps(Colour::Bad, edges, &bad);
    let chart = labelled(labelled(chart, Colour::Good, "good", edges, &good), Colour::Bad, "bad", edges, &bad);
    let drawing = chart.mark(threshold, "refused from here").draw("distribution of probabilities by outcome");
    figure(
        "Probabilities by outcome",
        "The further apart, the better the ranking. The last bin holds what is above it.",
        drawing,
    )
}

/// Names a distribution at its peak.
fn labelled(chart: Chart, colour: Colour, label: &str, edges: &[f64], values: &[f64]) -> Chart {
    let peak = values.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
    match peak.and_then(|(at, value)| Some((edges.get(at)?, edges.get(at + 1)?, value))) {
        Some((from, to, value)) => chart.label(colour, (f64::midpoint(*from, *to), *value), "middle", label),
        None => chart,
    }
}

/// Probabilities against what happened.
pub fn calibration(card: &Card) -> Markup {
    let bins = &card.report.performance.calibration;
    let platt = &card.manifest.calibration;
    let row = |bin: &CalibrationBin| {
        vec![
            number(text::percent(bin.probability)),
            number(text::percent(bin.bad_rate.value)),
            number(between(&bin.bad_rate)),
            number(text::count(bin.bad_rate.whole)),
        ]
    };
    html! {
        p { "A probability of 20 % should mean that 20 of 100 such loans go bad. The test rows in ten bins of equal count; log-odds
            were calibrated with slope " (text::decimal(platt.slope)) " and intercept " (text::decimal(platt.intercept)) "." }
        div.figures {
            (figure("Calibration", "On the dashed line probabilities are true; above it, more loans go bad than expected.", curve(bins)))
            figure { (table(&["mean probability", "went bad", "95 % interval", "rows"], &bins.iter().map(row).collect::<Vec<_>>())) }
        }
    }
}

fn curve(bins: &[CalibrationBin]) -> Markup {
    let most = bins.iter().map(|bin| bin.probability.max(bin.bad_rate.high)).fold(0.1, f64::max);
    let axis = |title| Axis::around(title, Unit::Share, [0.0, most]);
    let chart = Chart::new(axis("mean probability"), axis("share that went bad"));
    let end = axis("").to;
    let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.probability, bin.bad_rate.value)).collect();
    let chart = chart.guide(&[(0.0, 0.0), (end, end)]).line(Colour::Bad, &points);
    let dot = |chart: Chart, bin: &CalibrationBin| {
        chart.dot(Colour::Bad, (bin.probability, bin.bad_rate.value), (bin.bad_rate.low, bin.bad_rate.high))
    };
    bins.iter().fold(chart, dot).draw("calibration curve")
}

fn between(share: &Share) -> String {
    format!("{} to {}", text::percent(share.low), text::percent(share.high))
}

/// By month or quarter of the test rows.
pub fn stability(card: &Card) -> Markup {
    let vintages = &card.report.performance.vintages;
    html! {
        @if vintages.is_empty() {
            p.muted { "There is no time column: whether the version does worse on newer rows is not known." }
        } @else {
            p { "The test rows by the time of application. A version that does worse the newer the rows are is growing old." }
            @if vintages.len() > 1 { div.figures { (expected(vintages)) (ranking(vintages)) } }
            (by_vintage(vintages))
        }
    }
}

fn spans(vintages: &[Vintage]) -> Axis {
    Axis::names("time of application", &vintages.iter().map(|vintage| vintage.span.clone()).collect::<Vec<_>>(), 6)
}

fn expected(vintages: &[Vintage]) -> Markup {
    let tops = vintages.iter().flat_map(|vintage| [vintage.bad_rate.high, vintage.probability, 0.0]);
    let chart = Chart::new(spans(vintages), Axis::around("share of the loans", Unit::Share, tops)).sized(460.0, 250.0);
    let place = |at: usize| at as f64 + 0.5;
    let expected: Vec<(f64, f64)> =
        vintages.iter().enumerate().map(|(at, vintage)| (place(at), vintage.probability)).collect();
    let chart = vintages.iter().enumerate().fold(chart.line(Colour::Good, &expected), |chart, (at, vintage)| {
        let rate = &vintage.bad_rate;
        chart.dot(Colour::Bad, (place(at), rate.value), (rate.low, rate.high))
    });
    figure(
        "Bad rate, observed and expected",
        "Dots: share that went bad, with its interval. Line: mean probability.",
        chart.draw("bad rate by time"),
    )
}

fn ranking(vintages: &[Vintage]) -> Markup {
    let known: Vec<(f64, f64, (f64, f64))> = vintages
        .iter()
        .enumerate()
        .filter_map(|(at, vintage)| {
            let area = vintage.roc_auc.as_ref()?;
            Some((at as f64 + 0.5, area.value, area.low.zip(area.high)?))
        })
        .collect();
    let ends = known.iter().flat_map(|(_, _, (low, high))| [*low, *high, 0.5]);
    let y = Axis::around("ROC AUC", Unit::Number, ends);
    let by_lot = [(0.0, 0.5), (vintages.len() as f64, 0.5)];
    let chart = Chart::new(spans(vintages), y).sized(460.0, 250.0).guide(&by_lot);
    let chart = known.iter().fold(chart, |chart, (x, value, interval)| chart.dot(Colour::Ink, (*x, *value), *interval));
    figure("Ranking", "ROC AUC with its interval. Dashed: by lot.", chart.draw("ROC AUC by time"))
}

fn by_vintage(vintages: &[Vintage]) -> Markup {
    let share =
        |share: &Option<Share>| share.as_ref().map_or_else(|| "–".to_owned(), |share| text::percent(share.value));
    let row = |vintage: &Vintage| -> Vec<Cell> {
        let rate = &vintage.bad_rate;
        vec![
            name(&vintage.span),
            number(text::count(rate.whole)),
            number(text::count(rate.part)),
            number(text::percent(rate.value)),
            number(text::percent(vintage.probability)),
            number(vintage.roc_auc.as_ref().map_or_else(|| "–".to_owned(), written)),
            number(vintage.roc_auc.as_ref().and_then(interval).unwrap_or_else(|| "–".to_owned())),
            number(share(&vintage.recall)),
            number(text::percent(vintage.refused_share.value)),
        ]
    };
    let headings =
        ["time", "rows", "bad", "bad rate", "mean probability", "ROC AUC", "95 % interval", "recall", "refused"];
    table(&headings, &vintages.iter().map(row).collect::<Vec<_>>())
}

/// Against the version that decides.
pub fn comparison(card: &Card) -> Markup {
    let Some(Comparison { version, rows, reused, differences }) = &card.manifest.compared_with else {
        return html! { p.muted { "There was no champion to compare with." } };
    };
    let row = |metric: &Metric| {
        let interval = interval(metric).unwrap_or_else(|| "–".to_owned());
        vec![name(meaning(metric.name).0), number(text::decimal(metric.value)), number(interval)]
    };
    html! {
        p { "Both versions scored the same " (text::count(*rows)) " test rows; differences are this version’s figure less that of
            version " (version) ", paired." }
        @if *reused { p.note { "One of the two had already used some of these rows, so this is no proof: the gates hold." } }
        (table(&["figure", "difference", "95 % interval"], &differences.iter().map(row).collect::<Vec<_>>()))
    }
}
