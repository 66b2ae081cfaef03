//! Clients that keep asking while something else happens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use underwriter_tests::client::{Client, Seen};

use crate::space::until;

/// Clients at once.
const CLIENTS: usize = 4;
/// The pause of a client between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Clients that ask until they are stopped.
pub struct Asking {
    client: Arc<Client>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Asking {
    /// Begins. Each application is sent under ids of its own: the loan's, a dash and a number.
    pub fn start(client: &Arc<Client>, applications: Vec<Value>) -> Self {
        let (stop, mut clients) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        let applications = Arc::new(applications);
        for first in 0..CLIENTS {
            clients.spawn(ask(Arc::clone(client), Arc::clone(&applications), first, Arc::clone(&stop)));
        }
        Self { client: Arc::clone(client), stop, clients }
    }

    /// Waits until so many more were answered.
    pub async fn answered(&self, more: usize, seconds: u64) -> Result<()> {
        let before = self.client.seen().answers.len();
        let enough = async || (self.client.seen().answers.len() >= before + more).then_some(());
        until(seconds, &format!("{more} more answers"), enough).await
    }

    /// Ends after the questions under way, and says what was seen.
    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
        self.client.seen()
    }
}

async fn ask(client: Arc<Client>, applications: Arc<Vec<Value>>, first: usize, stop: Arc<AtomicBool>) {
    let mine = applications.iter().cycle().enumerate().skip(first).step_by(CLIENTS);
    for (number, application) in mine.take_while(|_| !stop.load(Ordering::Relaxed)) {
        let mut application = application.clone();
        application["id"] = json!(format!("{}-{number}", application["id"].as_str().unwrap_or_default()));
        client.ask(&application).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// That no request failed.
pub fn none_failed(seen: &Seen) -> Result<()> {
    let failures = &seen.failures;
    ensure!(failures.is_empty(), "{} of {} requests failed: {failures:#?}", failures.len(), seen.requests);
    Ok(())
}

/// That every request was either answered or counted as failed.
pub fn all_counted(seen: &Seen) -> Result<()> {
    let told = seen.answers.len() + seen.failures.len();
    ensure!(told as u64 == seen.requests, "{} requests, but {told} answers and failures", seen.requests);
    Ok(())
}
