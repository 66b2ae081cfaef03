//! The client that keeps asking while everything else happens.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle, time};

use crate::{client::Client, loans::Loans};

/// Between two questions.
const PACE: Duration = Duration::from_millis(50);

/// Asks until it is stopped.
pub struct Asker {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Asker {
    /// Begins to ask, with the oldest loans under ids of their own: too old for any window, and without an outcome, so
    /// that the asking changes nothing that is learnt or found.
    #[must_use]
    pub fn start(client: Arc<Client>, loans: &Loans) -> Self {
        let questions: Vec<Value> = loans.rows.iter().take(200).map(|loan| loans.application(loan)).collect();
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(ask(client, questions, stopped)) }
    }

    /// Ends after the question that is under way.
    pub async fn stop(self) {
        let _ = self.stop.send(()); // it may have ended already
        let _ = self.task.await;
    }
}

async fn ask(client: Arc<Client>, questions: Vec<Value>, mut stopped: oneshot::Receiver<()>) {
    let mut pace = time::interval(PACE);
    for (number, mut question) in questions.iter().cloned().cycle().enumerate() {
        tokio::select! {
            _ = pace.tick() => {}
            _ = &mut stopped => return,
        }
        question["id"] = json!(format!("asker-{number}"));
        client.ask(&question).await;
    }
}
