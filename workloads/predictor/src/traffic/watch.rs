//! Watches the traffic file and switches at the moment that it names.
//!
//! The file is polled: kubelet replaces a mounted ConfigMap by swapping a symbolic link, which file events see late or
//! not at all on some file systems.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{InForce, Switch, TrafficError, Versions};

/// Time between two looks at the file.
const POLL: Duration = Duration::from_millis(200);

/// What is known of the traffic.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The traffic in force.
    pub in_force: Option<Arc<InForce>>,
    /// The newest generation that can come or has come into force.
    pub generation: Option<u64>,
    /// What is wrong with the file.
    pub fault: Option<String>,
}

/// Where all look up the traffic.
pub type Current = watch::Receiver<Status>;

/// Watches a file for as long as somebody looks up its traffic.
pub async fn run(file: PathBuf, versions: Vec<Arc<super::Version>>, current: watch::Sender<Status>) {
    let mut switch = Switch::default();
    let mut seen = None;
    while !current.is_closed() {
        let text = tokio::fs::read(&file).await.map_err(|error| format!("{}: {error}", file.display()));
        if seen.as_ref() != Some(&text) {
            let outcome = read(&mut switch, &text, &versions);
            publish(&current, &switch, outcome);
            seen = Some(text);
        }
        if let Some(in_force) = switch.due(Timestamp::now()) {
            tracing::info!(generation = in_force.generation, "traffic in force");
            current.send_modify(|status| status.in_force = Some(Arc::new(in_force)));
        }
        tokio::time::sleep(pause(switch.waits_until(), Timestamp::now())).await;
    }
}

fn read(switch: &mut Switch, text: &Result<Vec<u8>, String>, versions: &Versions) -> Result<(), TrafficError> {
    switch.read(text.as_ref().map_err(|error| TrafficError::Unreadable(error.clone()))?, versions)
}

fn publish(current: &watch::Sender<Status>, switch: &Switch, outcome: Result<(), TrafficError>) {
    let fault = outcome.err().map(|error| error.to_string());
    if let Some(fault) = &fault {
        tracing::warn!(%fault, "the traffic in force stays");
    }
    current.send_modify(|status| {
        status.generation = switch.generation();
        status.fault = fault;
    });
}

/// Until the next look, or the switch where that is sooner.
fn pause(switch: Option<Timestamp>, now: Timestamp) -> Duration {
    let until = switch.and_then(|moment| Duration::try_from(moment.duration_since(now)).ok());
    until.map_or(POLL, |until| until.min(POLL))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::{Timestamp, ToSpan};
    use tokio::sync::watch;

    use super::{POLL, Status, pause, run};
    use underwriter_servers::Folder;

    use crate::testing;

    fn place(folder: &Folder, text: &str) {
        let next = folder.path().join("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(next, folder.path().join("traffic.json")).unwrap();
    }

    fn traffic(generation: u64, canary: u32) -> String {
        let canary = serde_json::json!({"version": canary, "weight": 10});
        let now = Timestamp::now();
        serde_json::json!({"format": 1, "generation": generation, "activeFrom": now, "stable": 1, "canary": canary})
            .to_string()
    }

    #[tokio::test]
    async fn follows_the_file_and_keeps_what_is_in_force_through_faults() {
        let folder = Folder::new("predictor");
        let versions = vec![testing::version(1), testing::version(2)];
        let (sender, mut current) = watch::channel(Status::default());
        let watching = tokio::spawn(run(folder.path().join("traffic.json"), versions, sender));
        assert!(current.wait_for(|status| status.fault.is_some()).await.unwrap().in_force.is_none());

        place(&folder, &traffic(1, 2));
        let first = current.wait_for(|status| status.in_force.is_some()).await.unwrap().clone();
        assert_eq!((first.generation, first.fault), (Some(1), None));

        place(&folder, &traffic(2, 3));
        let faulty = current.wait_for(|status| status.fault.is_some()).await.unwrap().clone();
        assert_eq!(faulty.in_force.unwrap().generation, 1);
        assert_eq!(faulty.generation, Some(1));

        place(&folder, &traffic(3, 2));
        let third = |status: &Status| status.in_force.as_ref().is_some_and(|in_force| in_force.generation == 3);
        assert_eq!(current.wait_for(third).await.unwrap().fault, None);
        drop(current);
        watching.await.unwrap();
    }

    #[test]
    fn the_switch_is_not_slept_over() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(pause(None, now), POLL);
        assert_eq!(pause(Some(now + 30.milliseconds()), now), Duration::from_millis(30));
        assert_eq!(pause(Some(now + 1.hour()), now), POLL);
        assert_eq!(pause(Some(now - 1.hour()), now), POLL);
    }
}
