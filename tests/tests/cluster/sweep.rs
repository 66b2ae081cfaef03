//! A sweep whose pod is killed: the run goes on and ends in a version.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt as _, api::DeleteParams};
use underwriter_contract::learning::{Algorithm, Sweep};
use underwriter_crds::LoanModel;

use crate::space::{Space, until, within};

const SWEEP: &str = "app.kubernetes.io/component=sweep";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster: make install faults"]
async fn a_sweep_with_a_killed_trial_ends_in_a_version() -> Result<()> {
    within("sweep", async |space| {
        let tries = |model: &mut underwriter_crds::LoanModelSpec| {
            model.training.algorithm = Algorithm::GradientBoosting;
            model.training.sweep = Some(Sweep { trials: 3, parallelism: 1 });
        };
        space.describe_model(tries).await?;
        let killed = kill_a_trial(space).await?;

        let trains = |model: &LoanModel| {
            let run = model.status.as_ref().and_then(|status| status.run.as_ref());
            run.is_some_and(|run| run.job == "loans-v1")
        };
        let model = space.model("the training after the sweep", trains).await?;
        let progress = model.status.and_then(|status| status.run?.sweep).context("no progress is told")?;
        ensure!((progress.trials, progress.succeeded, progress.failed) == (3, 3, 0), "{progress:?} without {killed}");

        let version = space.champion(1).await?;
        ensure!(version.spec.run_id.len() == 16, "{}", version.spec.run_id);
        Ok(())
    })
    .await
}

/// Kills the first pod that runs, without a moment to say anything.
async fn kill_a_trial(space: &Space) -> Result<String> {
    let running = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
    let name = until(120, "a trial that runs", async || {
        space.cluster.pods(SWEEP).await.ok()?.iter().find(|pod| running(pod)).map(|pod| pod.name_any())
    })
    .await?;
    space.cluster.api::<Pod>().delete(&name, &DeleteParams::default().grace_period(0)).await?;
    Ok(name)
}
