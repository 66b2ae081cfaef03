//! What there is to say of every column, counted.

use std::collections::BTreeMap;

use underwriter_contract::{
    learning::ColumnRole,
    manifest::{Bins, ColumnKind, Evidence, Levels},
};
use underwriter_model::metrics;

use super::{Explored, correlation};
use crate::{
    report::text,
    train::{
        evidence::{self, Binning},
        features::{Cells, Feature},
        shares::Share,
        stability,
    },
};

/// The most rows on which columns are judged.
pub const MOST_ROWS: usize = 100_000;
/// The most columns shown one by one.
pub const MOST_COLUMNS: usize = 60;
/// The most columns whose correlations are shown.
const CORRELATED: usize = 14;
/// The most levels shown one by one.
const MOST_LEVELS: usize = 12;
/// Bars of a histogram, about.
const BARS: f64 = 30.0;

/// Every column, those that tell most first.
#[derive(Debug)]
pub struct Facts {
    /// The columns.
    pub columns: Vec<ColumnFacts>,
    /// Spans of time in which missing values are counted; empty where rows have no dates.
    pub spans: Vec<String>,
    /// Names of correlated numbers, and Spearman's coefficients.
    pub correlations: (Vec<String>, Vec<Vec<f64>>),
    /// Rows that were looked at.
    pub rows: usize,
}

/// One column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// How its values are read.
    pub kind: ColumnKind,
    /// What becomes of it.
    pub usage: String,
    /// Share of the rows without a value.
    pub missing: f64,
    /// Different values.
    pub distinct: usize,
    /// Information value: Σ (share of the bad − share of the good) · weight of evidence over its bins (Siddiqi 2006).
    pub information: f64,
    /// Area under the ROC curve by the bad rates of its bins, in these rows themselves.
    pub area: f64,
    /// Population stability index of the newest third of the rows against the oldest; none without dates.
    pub shift: Option<f64>,
    /// Its bins or levels, that of missing values last.
    pub bins: Vec<BinFacts>,
    /// How it is distributed.
    pub shape: Shape,
    /// Share without a value by span of time; empty where all have one.
    pub missing_by_time: Vec<f64>,
}

/// One bin or level.
#[derive(Clone, Debug, PartialEq)]
pub struct BinFacts {
    /// Its values.
    pub name: String,
    /// Bad rows among its rows.
    pub bad_rate: Share,
    /// Weight of evidence.
    pub evidence: f64,
}

/// How a column is distributed.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A histogram between the first and the 99th percentile; what lies beyond is in the bars at the ends.
    Numbers {
        /// Ends of the bars.
        edges: Vec<f64>,
        /// Rows of each bar, good and bad.
        counts: [Vec<u64>; 2],
        /// Least value, quartiles, greatest value.
        quantiles: [f64; 5],
    },
    /// The most frequent levels, and the rest together.
    Levels(Vec<(String, Share)>),
}

impl Facts {
    /// Counts.
    pub fn of(explored: &Explored) -> Self {
        let loans = explored.loans;
        let every = loans.len().div_ceil(MOST_ROWS).max(1);
        let rows: Vec<usize> = (0..loans.len()).step_by(every).collect();
        let spans = spans(explored, &rows);
        let column = |feature: &Feature| column(feature, explored, &rows, &spans);
        let mut columns: Vec<ColumnFacts> = explored.columns.features.iter().map(column).collect();
        columns.sort_by(|one, other| other.information.total_cmp(&one.information));
        let correlations = correlations(explored, &columns, &rows);
        Self { columns, spans: spans.into_keys().collect(), correlations, rows: rows.len() }
    }
}

/// Rows by month, or by quarter where there are many months.
fn spans(explored: &Explored, rows: &[usize]) -> BTreeMap<String, Vec<usize>> {
    const MOST_MONTHS: usize = 36;
    let by = |name: fn(jiff::civil::Date) -> String| {
        let mut spans: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in rows {
            if let Some(date) = explored.loans.date(*row) {
                spans.entry(name(date)).or_default().push(*row);
            }
        }
        spans
    };
    let months = by(stability::month);
    if months.len() > MOST_MONTHS { by(stability::quarter) } else { months }
}

fn column(feature: &Feature, explored: &Explored, rows: &[usize], spans: &BTreeMap<String, Vec<usize>>) -> ColumnFacts {
    let bad = &explored.loans.bad;
    let evidence = evidence::fit(feature, bad, rows, Binning::Quantiles);
    let places = places(feature, &evidence, rows);
    let bins = bins(&evidence, &places, rows, bad, feature.kind);
    let missing = |rows: &[usize]| share(rows.iter().map(|row| is_missing(feature, *row)));
    let missing_by_time =
        if missing(rows) > 0.0 { spans.values().map(|rows| missing(rows)).collect() } else { Vec::new() };
    ColumnFacts {
        name: feature.name.clone(),
        kind: feature.kind,
        usage: usage(&feature.name, explored),
        missing: missing(rows),
        distinct: distinct(feature, rows),
        information: information(&bins),
        area: area(&bins),
        shift: explored.loans.dates.is_some().then(|| shift(&places)),
        bins: bins.into_iter().map(|(bin, _)| bin).collect(),
        shape: shape(feature, rows, bad),
        missing_by_time,
    }
}

fn usage(name: &str, explored: &Explored) -> String {
    let finding = explored.columns.findings.iter().find(|finding| finding.column == name);
    let rule = explored.data.columns.iter().find(|rule| rule.name == name).map(|rule| rule.role);
    let usage = match (rule, finding) {
        (Some(ColumnRole::Protected), _) => "protected",
        (Some(ColumnRole::Excluded), _) => "excluded",
        _ if explored.columns.learnt.contains(name) => "learnt from",
        (_, Some(finding)) => crate::report::card::data::guard(finding.guard),
        (_, None) => "kept, not learnt from",
    };
    usage.to_owned()
}

fn is_missing(feature: &Feature, row: usize) -> bool {
    match &feature.cells {
        Cells::Numbers(numbers) => numbers[row].is_nan(),
        Cells::Levels { codes, .. } => codes[row].is_none(),
    }
}

fn share(yes: impl Iterator<Item = bool>) -> f64 {
    Share::of(yes).map_or(0.0, |share| share.value)
}

fn distinct(feature: &Feature, rows: &[usize]) -> usize {
    match &feature.cells {
        Cells::Numbers(numbers) => sorted(numbers, rows).chunk_by(|one, other| one == other).count(),
        Cells::Levels { codes, .. } => {
            rows.iter().filter_map(|row| codes[*row]).collect::<std::collections::BTreeSet<_>>().len()
        }
    }
}

fn sorted(numbers: &[f64], rows: &[usize]) -> Vec<f64> {
    let mut values: Vec<f64> = rows.iter().map(|row| numbers[*row]).filter(|number| !number.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The bin of each row: of numbers in their order; of levels in the order of their names, then all others; then missing.
fn places(feature: &Feature, evidence: &Evidence, rows: &[usize]) -> Vec<usize> {
    match (&feature.cells, evidence) {
        (Cells::Numbers(numbers), Evidence::Bins(Bins { edges, .. })) => {
            let place = |number: f64| {
                if number.is_nan() { edges.len() + 1 } else { edges.partition_point(|edge| *edge <= number) }
            };
            rows.iter().map(|row| place(numbers[*row])).collect()
        }
        (Cells::Levels { names, codes }, Evidence::Levels(levels)) => {
            let known = levels.evidence.len();
            let place = |name: &String| levels.evidence.keys().position(|level| level == name).unwrap_or(known);
            let by_code: Vec<usize> = names.iter().map(place).collect();
            rows.iter().map(|row| codes[*row].map_or(known + 1, |code| by_code[code as usize])).collect()
        }
        _ => vec![0; rows.len()],
    }
}

/// Bins that have rows, each with the share of the bad less the share of the good that it holds.
fn bins(evidence: &Evidence, places: &[usize], rows: &[usize], bad: &[bool], kind: ColumnKind) -> Vec<(BinFacts, f64)> {
    let named = named(evidence, kind);
    let mut counts = vec![[0_u64; 2]; named.len()];
    places.iter().zip(rows).for_each(|(place, row)| counts[*place][usize::from(bad[*row])] += 1);
    let totals = counts.iter().fold([0; 2], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
    let bin = |((name, evidence), [good, bad]): ((String, f64), [u64; 2])| {
        let difference = bad as f64 / totals[1].max(1) as f64 - good as f64 / totals[0].max(1) as f64;
        Some((BinFacts { name, bad_rate: Share::new(bad, good + bad)?, evidence }, difference))
    };
    named.into_iter().zip(counts).filter_map(bin).collect()
}

fn named(evidence: &Evidence, kind: ColumnKind) -> Vec<(String, f64)> {
    match evidence {
        Evidence::Bins(bins) => crate::report::card::points::of_bins(bins, kind),
        Evidence::Levels(Levels { evidence, other, missing, .. }) => {
            let levels = evidence.iter().map(|(level, evidence)| (level.clone(), *evidence));
            levels.chain([("any other value".to_owned(), *other), ("not given".to_owned(), *missing)]).collect()
        }
    }
}

fn information(bins: &[(BinFacts, f64)]) -> f64 {
    bins.iter().map(|(bin, difference)| difference * bin.evidence).sum()
}

/// Rows ranked by the bad rate of their bin.
fn area(bins: &[(BinFacts, f64)]) -> f64 {
    let rows = bins.iter().flat_map(|(bin, _)| {
        let Share { part, whole, value, .. } = bin.bad_rate;
        let repeat = |bad: bool, count: u64| std::iter::repeat_n((value, bad), count as usize);
        repeat(true, part).chain(repeat(false, whole - part))
    });
    let (rates, bad): (Vec<f64>, Vec<bool>) = rows.unzip();
    metrics::roc_auc(&rates, &bad).map_or(0.5, |estimate| estimate.value)
}

/// Population stability index Σ (p − q) · ln(p / q) over the bins, half a row added to each; rows are in order of time.
fn shift(places: &[usize]) -> f64 {
    let third = places.len() / 3;
    let bins = places.iter().max().map_or(0, |last| last + 1);
    let shares = |places: &[usize]| -> Vec<f64> {
        let mut counts = vec![0.5; bins];
        places.iter().for_each(|place| counts[*place] += 1.0);
        let all: f64 = counts.iter().sum();
        counts.iter().map(|count| count / all).collect()
    };
    let (old, new) = (shares(&places[..third]), shares(&places[places.len() - third..]));
    new.iter().zip(&old).map(|(new, old)| (new - old) * (new / old).ln()).sum()
}

fn shape(feature: &Feature, rows: &[usize], bad: &[bool]) -> Shape {
    match &feature.cells {
        Cells::Numbers(numbers) => histogram(numbers, rows, bad),
        Cells::Levels { names, codes } => levels(names, codes, rows, bad),
    }
}

fn histogram(numbers: &[f64], rows: &[usize], bad: &[bool]) -> Shape {
    let values = sorted(numbers, rows);
    let quantile = |share: f64| values.get((share * values.len().saturating_sub(1) as f64).round() as usize).copied();
    let edges = edges(
        quantile(0.01).unwrap_or(0.0),
        quantile(0.99).unwrap_or(0.0),
        values.iter().all(|value| value.fract() == 0.0),
    );
    let mut counts = [vec![0; edges.len() - 1], vec![0; edges.len() - 1]];
    for row in rows.iter().filter(|row| !numbers[**row].is_nan()) {
        let bar = edges[1..edges.len() - 1].partition_point(|edge| *edge <= numbers[*row]);
        counts[usize::from(bad[*row])][bar] += 1;
    }
    let quantiles = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(share).unwrap_or(f64::NAN));
    Shape::Numbers { edges, counts, quantiles }
}

/// Round ends of about thirty bars; whole numbers have bars of whole width.
fn edges(least: f64, most: f64, whole: bool) -> Vec<f64> {
    let width = ((most - least) / BARS).max(f64::MIN_POSITIVE);
    let size = 10_f64.powf(width.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * size).into_iter().find(|step| *step >= width * 0.999);
    let step = round.unwrap_or(width).max(if whole { 1.0 } else { (most.abs() * 1e-9).max(1e-12) });
    let first = (least / step).floor();
    let bars = ((most / step).floor() - first + 1.0).clamp(1.0, 4.0 * BARS) as usize;
    (0..=bars).map(|edge| (first + edge as f64) * step).collect()
}

fn levels(names: &[String], codes: &[Option<u32>], rows: &[usize], bad: &[bool]) -> Shape {
    let mut counts = vec![(0_u64, 0_u64); names.len()];
    for row in rows {
        if let Some((rows, bads)) = codes[*row].and_then(|code| counts.get_mut(code as usize)) {
            *rows += 1;
            *bads += u64::from(bad[*row]);
        }
    }
    let mut levels: Vec<(&String, (u64, u64))> = names.iter().zip(counts).filter(|(_, (rows, _))| *rows > 0).collect();
    levels.sort_by_key(|(_, (rows, _))| std::cmp::Reverse(*rows));
    let rest = levels.split_off(levels.len().min(MOST_LEVELS));
    let other = rest.iter().fold((0, 0), |sum, (_, (rows, bads))| (sum.0 + rows, sum.1 + bads));
    let named = levels.into_iter().map(|(name, counts)| (name.clone(), counts));
    let named =
        named.chain((!rest.is_empty()).then(|| (format!("{} other values", text::count(rest.len() as u64)), other)));
    Shape::Levels(named.filter_map(|(name, (rows, bads))| Some((name, Share::new(bads, rows)?))).collect())
}

/// Of the numbers that tell most.
fn correlations(explored: &Explored, columns: &[ColumnFacts], rows: &[usize]) -> (Vec<String>, Vec<Vec<f64>>) {
    let numbers = |name: &str| {
        let feature = explored.columns.features.iter().find(|feature| feature.name == name)?;
        match &feature.cells {
            Cells::Numbers(numbers) => Some(numbers.as_slice()),
            Cells::Levels { .. } => None,
        }
    };
    let named = columns.iter().filter(|column| column.distinct > 1);
    let chosen: Vec<(String, &[f64])> =
        named.filter_map(|column| Some((column.name.clone(), numbers(&column.name)?))).take(CORRELATED).collect();
    let (names, chosen): (Vec<String>, Vec<&[f64]>) = chosen.into_iter().unzip();
    let matrix = correlation::matrix(&chosen, rows);
    (names, matrix)
}

#[cfg(test)]
mod tests {
    use super::{Shape, edges, histogram, levels, shift};

    #[test]
    fn bars_are_round_and_hold_every_row() {
        assert_eq!(edges(0.0, 10.0, true), (0..=11).map(f64::from).collect::<Vec<_>>());
        assert_eq!(edges(0.0, 0.0, true), [0.0, 1.0]);
        let wide = edges(-3.0, 1e6, false);
        assert!(wide.len() < 40 && wide[0] <= -3.0 && wide[wide.len() - 1] > 1e6, "{wide:?}");
        let numbers: Vec<f64> =
            (0..1000).map(|row| if row % 10 == 0 { f64::NAN } else { f64::from(row) / 7.0 }).collect();
        let bad: Vec<bool> = (0..1000).map(|row| row % 3 == 0).collect();
        let Shape::Numbers { counts, quantiles, .. } = histogram(&numbers, &(0..1000).collect::<Vec<_>>(), &bad) else {
            panic!("numbers have a histogram")
        };
        assert_eq!(counts.iter().flatten().sum::<u64>(), 900);
        assert_eq!((quantiles[0], quantiles[4]), (1.0 / 7.0, 999.0 / 7.0));
    }

    #[test]
    fn rare_levels_come_together() {
        let names: Vec<String> = (0..20).map(|level| format!("l{level:02}")).collect();
        let codes: Vec<Option<u32>> = (0..2000_u32).map(|row| Some((row % 40).min(19))).collect();
        let bad: Vec<bool> = (0..2000).map(|row| row % 2 == 0).collect();
        let Shape::Levels(levels) = levels(&names, &codes, &(0..2000).collect::<Vec<_>>(), &bad) else {
            panic!("categories have levels")
        };
        assert_eq!((levels.len(), levels[0].0.as_str(), levels[0].1.whole), (13, "l19", 1050));
        assert_eq!(
            (levels[12].0.as_str(), levels.iter().map(|(_, share)| share.whole).sum::<u64>()),
            ("8 other values", 2000)
        );
    }

    #[test]
    fn stability_compares_the_newest_third_with_the_oldest() {
        assert!(shift(&[0, 1].repeat(300)).abs() < 1e-3);
        // 100 rows half and half, then 100 rows nine to one
        let places: Vec<usize> =
            (0..300).map(|row| if row < 100 { row % 2 } else { usize::from(row % 10 == 0) }).collect();
        let (p, q) = ([90.5 / 101.0, 10.5 / 101.0], [0.5, 0.5]);
        let expected: f64 = p.iter().zip(q).map(|(p, q): (&f64, f64)| (p - q) * (p / q).ln()).sum();
        assert!((shift(&places) - expected).abs() < 1e-12, "{} {expected}", shift(&places));
    }
}
