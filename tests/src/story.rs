//! The story: from the first model to the second, on the loans of 2007 to 2011.
//!
//! Each step acts as a user would, waits by watching objects, and returns what it saw; nothing here asserts more than
//! it needs to go on, so that the demo and the test play the same code.

mod asker;
pub mod objects;
mod summary;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use jiff::{
    Timestamp,
    civil::{Date, date},
};
use underwriter_contract::{
    predict::OutcomeReports,
    summary::{MetricName, Scanned, Verdict},
};
use underwriter_crds::{
    DriftMonitor, LoanModel, ModelVersion, PredictionService, SCAN_REQUESTED,
    conditions::{ConditionType, holds},
    prediction_service::RolloutPhase,
};
use underwriter_model::metrics;

use crate::{
    bucket,
    client::{Client, Seen, door_opens},
    cluster::{Cluster, NODE_PORT},
    loans::{Loan, Loans},
    log::Log,
    progress::Progress,
};
use asker::Asker;

/// The story's LoanModel.
pub const MODEL: &str = "consumer-loans";
/// Its PredictionService.
pub const SERVICE: &str = "loan-api";
/// Its DriftMonitor.
pub const MONITOR: &str = "loan-api-drift";
/// The most outcomes posted at once.
const OUTCOMES_AT_ONCE: usize = 5_000;

/// Everything the story needs, and its hands.
pub struct Story {
    /// The cluster.
    pub cluster: Cluster,
    /// The client that sends applications.
    pub client: Arc<Client>,
    /// The prediction log.
    pub log: Log,
    /// The loans.
    pub loans: Loans,
    /// What is printed.
    pub progress: Progress,
}

/// What the story saw.
pub struct Facts {
    /// The first version.
    pub first: ModelVersion,
    /// The scan after 2010.
    pub quiet: Scanned,
    /// The scan that made the drift count.
    pub drifted: Scanned,
    /// The version that drift led to.
    pub second: ModelVersion,
    /// The scan after the rest of 2011.
    pub recovered: Scanned,
    /// What the retraining was worth.
    pub worth: Worth,
    /// What the client saw.
    pub seen: Seen,
    /// How long each step took.
    pub times: Vec<(&'static str, Duration)>,
}

/// Two versions on the same loans, by their outcomes.
#[derive(Clone, Copy, Debug)]
pub struct Worth {
    /// Loans whose outcome is known.
    pub loans: usize,
    /// ROC AUC of the first version.
    pub first: f64,
    /// ROC AUC of the second.
    pub second: f64,
}

impl Story {
    /// Gets everything ready: a clean log, the loans before 2010 in the bucket.
    ///
    /// # Errors
    /// Where the cluster, Postgres or S3 does not answer.
    pub async fn prepare() -> Result<Self> {
        let (cluster, log, loans) = (Cluster::connect().await?, Log::connect().await?, Loans::read()?);
        let client = Arc::new(Client::new(NODE_PORT)?);
        bucket::write(&format!("{}loans-until-2009.csv.gz", bucket::LOANS), loans.file_before(date(2010, 1, 1))?)
            .await?;
        Ok(Self { cluster, client, log, loans, progress: Progress::default() })
    }

    /// Plays it all.
    ///
    /// # Errors
    /// The first step that did not come about, with what the cluster looked like.
    pub async fn play(&mut self) -> Result<Facts> {
        self.apply().await?;
        let first = self.first_champion().await?;
        self.service_ready().await?;
        let asker = Asker::start(Arc::clone(&self.client), &self.loans);
        let quiet = self.quiet_year().await?;
        let drifted = self.drifting_year().await?;
        let second = self.second_champion().await?;
        let (recovered, worth) = self.rest_of_the_year(&first, &second).await?;
        asker.stop().await;
        self.log.equals(SERVICE, &self.client.seen().answers).await.context("the log is not what the client got")?;
        let times = std::mem::take(&mut self.progress.times);
        Ok(Facts { first, quiet, drifted, second, recovered, worth, seen: self.client.seen(), times })
    }

    /// Step 1: the three objects.
    async fn apply(&mut self) -> Result<()> {
        self.progress
            .chapter("1  Describe a model, a service and a monitor: kubectl apply -f examples/consumer-loans/");
        self.cluster.apply_example::<LoanModel>("loan-model.yaml", |_| ()).await?;
        self.cluster.apply_example::<PredictionService>("prediction-service.yaml", |_| ()).await?;
        self.cluster.apply_example::<DriftMonitor>("drift-monitor.yaml", |_| ()).await?;
        self.cluster.apply(&objects::node_port(SERVICE, NODE_PORT)?).await?;
        self.progress.say("the lender's price and grade, and the applicant's address, are excluded from learning");
        self.progress.say(
            "the answers are advice: the lender of those years granted all of these loans, so all outcomes are known",
        );
        self.progress.done("apply");
        Ok(())
    }

    /// Step 2: version 1 learns from the loans up to 2009 and becomes champion.
    async fn first_champion(&mut self) -> Result<ModelVersion> {
        self.progress.chapter("2  A training Job learns from the loans issued up to 2009");
        let running = |model: &LoanModel| {
            model.status.as_ref().is_some_and(|status| status.run.is_some() || status.champion.is_some())
        };
        self.cluster.wait(MODEL, 60, "a run", running).await?;
        self.progress.say("the Job runs");
        let version = self.champion(1, 600).await?;
        self.tell_version(&version);
        self.progress.done("train v1");
        Ok(version)
    }

    /// Step 3: the service comes up.
    async fn service_ready(&mut self) -> Result<()> {
        self.progress.chapter("3  The service comes up and answers the applications of 2010");
        let ready = |service: &PredictionService| {
            service.status.as_ref().is_some_and(|status| holds(&status.conditions, ConditionType::Ready))
        };
        self.cluster.wait(SERVICE, 120, "the service ready", ready).await?;
        door_opens(NODE_PORT).await?;
        self.progress.say("ready: POST /predict on port 9696");
        self.progress.done("serve v1");
        Ok(())
    }

    /// Steps 3 and 4: 2010 is like the years before it.
    async fn quiet_year(&mut self) -> Result<Scanned> {
        self.replay(date(2010, 1, 1), date(2011, 1, 1)).await?;
        self.progress.done("replay 2010");
        self.progress.chapter("4  Is the world still like the data?");
        let scan = self.scan("after-2010").await?;
        self.progress.done("scan 2010");
        Ok(scan)
    }

    /// Step 4: 2011 is not. Two scans in a row must say so before it counts.
    async fn drifting_year(&mut self) -> Result<Scanned> {
        self.replay(date(2011, 1, 1), date(2011, 7, 1)).await?;
        self.scan("after-june-2011").await?;
        self.replay(date(2011, 7, 1), date(2011, 10, 1)).await?;
        let scan = self.scan("after-september-2011").await?;
        let drifted = |monitor: &DriftMonitor| {
            monitor.status.as_ref().is_some_and(|status| {
                holds(&status.conditions, ConditionType::Drifted)
                    || status.last_scan.as_ref().is_some_and(|scan| scan.reference_version > 1)
            })
        };
        self.cluster.wait(MONITOR, 30, "Drifted=True", drifted).await?;
        self.progress.say("Drifted=True");
        self.progress.done("find the drift of 2011");
        Ok(scan)
    }

    /// Step 5: version 2 learns from what has come in, is tried on some applicants, and becomes champion.
    async fn second_champion(&mut self) -> Result<ModelVersion> {
        self.progress
            .chapter("5  The operator trains again, compares, and tries the new version on a fifth of the applicants");
        let trying = |service: &PredictionService| {
            service.status.as_ref().is_some_and(|status| {
                status.stable == Some(2)
                    || status.rollout.as_ref().is_some_and(|rollout| rollout.phase != RolloutPhase::Loading)
            })
        };
        self.cluster.wait(SERVICE, 600, "a canary of v2", trying).await?;
        self.client.answered_by(2).await?; // the pods switch together, a moment after they were told to
        self.progress.say("v2 has passed its gates and answers some applicants");
        self.progress.done("train v2");
        self.replay(date(2011, 10, 1), date(2011, 11, 1)).await?;
        let version = self.champion(2, 180).await?;
        let stable = |service: &PredictionService| {
            service.status.as_ref().is_some_and(|status| status.stable == Some(2) && status.rollout.is_none())
        };
        self.cluster.wait(SERVICE, 120, "v2 answering everybody", stable).await?;
        self.tell_version(&version);
        self.progress.done("roll out v2");
        Ok(version)
    }

    /// Step 5: the rest of 2011, by the version that knows 2011.
    async fn rest_of_the_year(&mut self, first: &ModelVersion, second: &ModelVersion) -> Result<(Scanned, Worth)> {
        self.replay(date(2011, 11, 1), date(2012, 1, 1)).await?;
        let scan = self.scan("after-2011").await?;
        let rest: Vec<&Loan> = self.loans.between(date(2011, 11, 1), date(2012, 1, 1)).collect();
        let worth =
            Worth { loans: rest.len(), first: self.auc(first, &rest).await?, second: self.auc(second, &rest).await? };
        self.progress.say(format!(
            "on the {} loans since then, ROC AUC v1 {:.3}, v2 {:.3}",
            worth.loans, worth.first, worth.second
        ));
        self.progress.done("replay the rest of 2011");
        Ok((scan, worth))
    }

    /// How well a version ranks loans, scored here from its artifact.
    async fn auc(&self, version: &ModelVersion, loans: &[&Loan]) -> Result<f64> {
        let model = bucket::model(version).await?;
        let schema = underwriter_model::Schema::new(model.manifest());
        let score = |loan: &&Loan| -> Result<f64> {
            let application = self.loans.application(loan);
            let fields = application.as_object().context("an application is an object")?;
            let application = schema.parse(fields).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
            Ok(model.score(&application.values).map_err(|error| anyhow::anyhow!("{error}"))?.score)
        };
        let scores = loans.iter().map(score).collect::<Result<Vec<_>>>()?;
        let bad: Vec<bool> = loans.iter().map(|loan| loan.is_bad()).collect();
        Ok(metrics::roc_auc(&scores, &bad).context("one class only")?.value)
    }

    /// Sends the applications of some months, and later their outcomes; the log then holds both.
    async fn replay(&self, from: Date, before: Date) -> Result<()> {
        let loans: Vec<&Loan> = self.loans.between(from, before).collect();
        let answered = self.client.replay(loans.iter().map(|loan| self.loans.application(loan)).collect()).await;
        let failures = self.client.seen().failures;
        ensure!(
            answered == loans.len(),
            "{answered} of {} applications were answered: {:?}",
            loans.len(),
            failures.first()
        );
        self.log.holds(SERVICE, &self.client.seen().answers).await?;
        for part in loans.chunks(OUTCOMES_AT_ONCE) {
            let outcomes = part.iter().map(|loan| loan.outcome()).collect::<Result<_>>()?;
            self.client.report(OutcomeReports { outcomes }).await?;
        }
        self.progress
            .say(format!("{answered} applications answered, {from} to before {before}; their outcomes posted"));
        Ok(())
    }

    /// Asks for a scan and waits for its result.
    async fn scan(&self, token: &str) -> Result<Scanned> {
        let asked = Timestamp::now();
        self.cluster.annotate::<DriftMonitor>(MONITOR, SCAN_REQUESTED, token).await?;
        let finished = |monitor: &DriftMonitor| {
            let scan = monitor.status.as_ref().and_then(|status| status.last_scan.as_ref());
            scan.is_some_and(|scan| scan.at >= asked)
        };
        let monitor = self.cluster.wait(MONITOR, 120, "the scan", finished).await?;
        let scan = monitor.status.and_then(|status| status.last_scan).context("the monitor has no scan")?;
        self.tell_scan(&scan);
        Ok(scan)
    }

    /// Waits until a version is champion.
    async fn champion(&self, number: u32, seconds: u64) -> Result<ModelVersion> {
        let champion = |model: &LoanModel| model.status.as_ref().is_some_and(|status| status.champion == Some(number));
        self.cluster.wait(MODEL, seconds, &format!("v{number} champion"), champion).await?;
        let versions = self.cluster.versions(MODEL).await?;
        versions.into_iter().find(|version| version.spec.version == number).context("the champion is not there")
    }

    fn tell_version(&self, version: &ModelVersion) {
        let spec = &version.spec;
        let figure =
            |name| spec.metrics.iter().find(|metric| metric.name == name).map_or(f64::NAN, |metric| metric.value);
        self.progress.say(format!(
            "v{} ({:?}) is champion: ROC AUC {:.3}; it avoids {:.0} % of the bad loans by refusing {:.0} % of all",
            spec.version,
            spec.algorithm,
            figure(MetricName::RocAuc),
            100.0 * figure(MetricName::Recall),
            100.0 * figure(MetricName::RefusedShare),
        ));
        self.progress.say(format!("left out, because they tell the outcome: {}", spec.leaking.join(", ")));
    }

    fn tell_scan(&self, scan: &Scanned) {
        let drifted: Vec<_> =
            scan.columns.iter().filter(|column| column.drifted).map(|column| column.name.as_str()).collect();
        let verdict = match scan.verdict {
            Verdict::Quiet => "quiet",
            Verdict::Drifted => "drifted",
            Verdict::TooFewSamples => "too few to tell",
        };
        let share = 100.0 * scan.drifted_share;
        self.progress.say(format!(
            "scan of {} applications against v{}: {verdict}, {share:.0} % of the columns: {}",
            scan.rows,
            scan.reference_version,
            drifted.join(", ")
        ));
    }
}
