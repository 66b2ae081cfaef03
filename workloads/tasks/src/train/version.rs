//! One version, from the loans to the files of its artifact: pure, no I/O.

use std::collections::BTreeMap;

use underwriter_contract::{
    Digest, FORMAT,
    learning::Learning,
    manifest::{BOOSTER, Block, Blocks, Column, DATA_REPORT, Finding, MODEL_CARD, Manifest, PROFILE, REPORT},
    request::TrainRequest,
    summary::{Comparison, DataSummary, Failure, FailureReason, MAX_COLUMNS, Metric, Summary, Trained, rounded},
};
use underwriter_model::{
    metrics::{self, Refusing},
    threshold,
};

use super::{
    candidate::{FitError, Material},
    decision::{self, Decision},
    folds,
    guards::Columns,
    loans::Loans,
    performance, profile,
    published::{Published, Tested},
    report::{self, Report, Scored},
    selection::{self, Chosen},
    source::Source,
    space,
    split::{self, Ordered},
    sweep::{self, Trial, Tuning},
    trials::Merged,
};
use crate::{
    progress::Progress,
    report::{card::Card, data::Explored},
};

/// What a version is learnt from.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What is wanted.
    pub request: &'a TrainRequest,
    /// What was read.
    pub source: &'a Source,
    /// How many of its rows came from the prediction log.
    pub matured: u64,
    /// The finished loans.
    pub loans: &'a Loans,
    /// Their digest.
    pub digest: &'a Digest,
    /// What a sweep has tried, where there was one.
    pub merged: Option<&'a Merged>,
}

/// A version that can be published.
#[derive(Debug)]
pub struct Version {
    /// Without the digests of the files, which publishing adds.
    pub manifest: Manifest,
    /// The other files.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Everything that was learnt and measured.
struct Learnt {
    columns: Columns,
    blocks: split::Blocks,
    chosen: Chosen,
    decision: Decision,
    metrics: Vec<Metric>,
    compared_with: Option<Comparison>,
    report: Report,
}

impl Job<'_> {
    /// Learns the version.
    ///
    /// # Errors
    /// What the data lacks, by its reason; `Internal` when a library fails.
    pub fn learn(&self, champion: Option<&Published>, progress: &Progress) -> Result<Version, Failure> {
        let learning = &self.request.learning;
        let training = &learning.training;
        let (columns, blocks) = self.prepare(progress)?;
        let bad = blocks.calibrate.iter().filter(|row| self.loans.bad[**row]).count();
        let target = decision::target(&learning.decision, bad)?;
        progress.step(format!("fitting on {} loans", blocks.fit.rows.len()));
        let material = self.material(&columns);
        let fit = fit_order(&blocks.fit, training.seed);
        let chosen = selection::choose(training.algorithm, &self.tuning(), &material, &fit).map_err(internal)?;
        progress.step("calibrating, and choosing the threshold");
        let decision = Decision::learn(&chosen.candidate, &material, &blocks.calibrate, target)?;
        progress.step(format!("testing on {} loans", blocks.test.len()));
        let learnt = self.measure(columns, blocks, chosen, decision, champion);
        self.version(learnt)
    }

    /// What one point of a sweep comes to, on the folds on which the version will choose.
    ///
    /// # Errors
    /// What the data lacks, by its reason; `Internal` when a library fails.
    pub fn trial(&self, index: u32, progress: &Progress) -> Result<Trial, Failure> {
        let training = &self.request.learning.training;
        let fixed = training.hyperparameters.unwrap_or_default();
        let (columns, blocks) = self.prepare(progress)?;
        let folds = folds::expanding(&fit_order(&blocks.fit, training.seed), &self.loans.bad);
        progress.step(format!("trying point {index} on {} folds", folds.len()));
        let tuning = Tuning { points: vec![space::draw(index, training.seed, &fixed)], rounds: fixed.rounds };
        let swept = sweep::sweep(&tuning, &self.material(&columns), &folds).map_err(internal)?;
        let lacking = || Failure::new(FailureReason::TooFewBad, "no inner fold has enough bad loans to try trees on");
        swept.trials.into_iter().next().ok_or_else(lacking)
    }

    /// The columns that may be learnt from, and the rows by their role.
    fn prepare(&self, progress: &Progress) -> Result<(Columns, split::Blocks), Failure> {
        let Learning { data, training, decision: _ } = &self.request.learning;
        space::check(&training.hyperparameters.unwrap_or_default())?;
        progress.step("looking for columns that leak");
        let columns = Columns::judge(self.loans, data)?;
        something_to_learn(&columns)?;
        let blocks = split::split(&self.loans.bad, self.loans.dates.as_deref(), training.split, training.seed)?;
        Ok((columns, blocks))
    }

    /// The trees to choose from: the best of a sweep, or the few points that need none.
    fn tuning(&self) -> Tuning {
        let fixed = self.request.learning.training.hyperparameters.unwrap_or_default();
        self.merged.map_or_else(|| Tuning::of(&fixed), |merged| merged.finalists(fixed.rounds))
    }

    fn material<'b>(&'b self, columns: &'b Columns) -> Material<'b> {
        Material {
            features: &columns.features,
            learnt: &columns.learnt,
            bad: &self.loans.bad,
            seed: self.request.learning.training.seed,
        }
    }

    /// Figures on the test rows, for itself and against the champion.
    fn measure(
        &self,
        columns: Columns,
        blocks: split::Blocks,
        chosen: Chosen,
        decision: Decision,
        champion: Option<&Published>,
    ) -> Learnt {
        let material = self.material(&columns);
        let (scores, bad) = (chosen.candidate.scores(&material, &blocks.test), material.outcomes(&blocks.test));
        let metrics = metrics::all(&scores, &decision.probabilities(&scores), &bad, decision.threshold.score);
        let refusing = Refusing { scores: &scores, threshold: decision.threshold.score };
        let tested = Tested { rows: &blocks.test, bad: &bad, refusing };
        let compared_with = champion.map(|champion| champion.compare(self.loans, tested));
        let calibrate = chosen.candidate.scores(&material, &blocks.calibrate);
        let calibrate = Scored { scores: &calibrate, bad: &material.outcomes(&blocks.calibrate) };
        let rows = performance::rows(&blocks.test, &scores, &material, &decision, |row| self.loans.date(row));
        let report = Report {
            blocks: self.blocks(&blocks),
            broken: self.source.into(),
            left_out: self.loans.left_out.clone(),
            matured: self.matured,
            findings: columns.findings.clone(),
            warnings: report::warnings(&chosen.candidate.columns, &material, &blocks.fit.rows),
            folds: chosen.losses.clone(),
            trials: chosen.trials.clone(),
            sweep: self.merged.cloned(),
            recall_costs: report::recall_costs(calibrate, Scored { scores: &scores, bad: &bad }, self.confidence()),
            metrics: metrics.clone(),
            compared_with: compared_with.clone(),
            performance: performance::of(&rows, &chosen.candidate, &material, &self.request.learning.data),
        };
        Learnt { columns, blocks, chosen, decision, metrics, compared_with, report }
    }

    fn version(&self, learnt: Learnt) -> Result<Version, Failure> {
        let profile = profile::of(&self.material(&learnt.columns), &learnt.columns.findings);
        let mut files =
            BTreeMap::from([(PROFILE.to_owned(), json(&profile)?), (REPORT.to_owned(), json(&learnt.report)?)]);
        files.extend(
            learnt.chosen.candidate.booster.as_ref().map(|text| (BOOSTER.to_owned(), text.clone().into_bytes())),
        );
        files.insert(DATA_REPORT.to_owned(), self.explored(&learnt.columns).render().into_bytes());
        let (manifest, report) = self.manifest(learnt);
        let digests = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let card = Card { manifest: &manifest, report: &report, files: &digests };
        files.insert(MODEL_CARD.to_owned(), card.render().into_bytes());
        Ok(Version { manifest, files })
    }

    fn explored<'b>(&'b self, columns: &'b Columns) -> Explored<'b> {
        let TrainRequest { model, learning, .. } = self.request;
        Explored { model, data: &learning.data, source: self.source, loans: self.loans, columns }
    }

    fn manifest(&self, learnt: Learnt) -> (Manifest, Report) {
        let Learnt { columns, blocks, chosen, decision, metrics, compared_with, report } = learnt;
        let TrainRequest {
            format: _,
            model,
            version,
            run,
            trigger,
            learning,
            artifact: _,
            champion: _,
            outcomes_before,
            known: _,
        } = self.request;
        let manifest = Manifest {
            format: FORMAT,
            model: model.clone(),
            version: *version,
            run: run.clone(),
            code: env!("CARGO_PKG_VERSION").to_owned(),
            trigger: trigger.clone(),
            learning: learning.clone(),
            config_digest: learning.digest(),
            data: self.data(),
            outcomes_before: *outcomes_before,
            blocks: self.blocks(&blocks),
            columns: with_baselines(chosen.candidate.columns, &decision.baselines),
            findings: columns.findings,
            algorithm: chosen.family,
            scorer: chosen.candidate.scorer,
            calibration: decision.calibration,
            threshold: decision.threshold,
            metrics,
            compared_with,
            files: BTreeMap::new(),
        };
        (manifest, report)
    }

    fn data(&self) -> DataSummary {
        let dates = self.loans.dates.as_deref().unwrap_or_default();
        DataSummary {
            uri: self.request.learning.data.uri.clone(),
            digest: self.digest.clone(),
            rows: self.loans.len() as u64,
            from: dates.first().copied(),
            to: dates.last().copied(),
        }
    }

    /// Of what each recall costs.
    fn confidence(&self) -> f64 {
        self.request.learning.decision.recall.as_ref().map_or(threshold::CONFIDENCE, |recall| recall.confidence)
    }

    fn blocks(&self, blocks: &split::Blocks) -> Blocks {
        let block = |rows: &[usize]| Block {
            rows: rows.len() as u64,
            bad: rows.iter().filter(|row| self.loans.bad[**row]).count() as u64,
            from: rows.iter().filter_map(|row| self.loans.date(*row)).min(),
            to: rows.iter().filter_map(|row| self.loans.date(*row)).max(),
        };
        Blocks { fit: block(&blocks.fit.rows), calibrate: block(&blocks.calibrate), test: block(&blocks.test) }
    }
}

/// What a finished run tells the operator.
pub fn summary(manifest: Manifest, digest: Digest) -> Summary {
    let leaking = manifest.findings.iter().filter(|finding| finding.leaks());
    Summary::Trained(Box::new(Trained {
        run: manifest.run,
        manifest: digest,
        leaking: leaking.take(MAX_COLUMNS).map(|finding| finding.column.clone()).collect(),
        data: manifest.data,
        algorithm: manifest.algorithm,
        metrics: manifest.metrics,
        threshold: rounded(manifest.threshold.probability).unwrap_or_default(),
        compared_with: manifest.compared_with,
    }))
}

/// Fit rows in an order in which folds can be cut: by month, or at random where there are too few months for folds.
fn fit_order(fit: &Ordered, seed: u32) -> Ordered {
    const ENOUGH_MONTHS: usize = 5;
    if fit.starts.len() >= ENOUGH_MONTHS { fit.clone() } else { Ordered::at_random(fit.rows.clone(), seed) }
}

fn internal(error: FitError) -> Failure {
    Failure::new(FailureReason::Internal, error)
}

fn something_to_learn(columns: &Columns) -> Result<(), Failure> {
    if !columns.learnt.is_empty() {
        return Ok(());
    }
    let lost: Vec<&str> = columns.findings.iter().map(|Finding { column, .. }| column.as_str()).collect();
    let message = format!("no column is left to learn from; left out: {}", lost.join(", "));
    Err(Failure::new(FailureReason::DataInvalid, message))
}

fn with_baselines(mut columns: Vec<Column>, baselines: &[f64]) -> Vec<Column> {
    for (column, baseline) in columns.iter_mut().zip(baselines) {
        if let Some(learnt) = &mut column.learnt {
            learnt.baseline = *baseline;
        }
    }
    columns
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec_pretty(value).map_err(|error| Failure::new(FailureReason::Internal, error))
}
