//! Clients that ask without pause and never retry.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::Client;
use tokio::task::JoinSet;
use underwriter_contract::predict::Answer;

use crate::artifact;

/// What clients got.
#[derive(Debug, Default)]
pub struct Seen {
    /// By decision id.
    pub answers: BTreeMap<String, Answer>,
    /// What was no answer.
    pub failures: Vec<String>,
}

/// Clients at work.
pub struct Clients {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Seen>,
}

impl Clients {
    /// Some clients that keep their connections, and as many that open one for each request.
    pub fn start(url: &str, each: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for number in 0..2 * each {
            let kept = if number % 2 == 0 { usize::MAX } else { 0 };
            let client = Client::builder().pool_max_idle_per_host(kept).build().unwrap();
            tasks.spawn(keep_asking(client, url.to_owned(), number, Arc::clone(&stop)));
        }
        Self { stop, tasks }
    }

    /// Lets each finish its last request.
    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for seen in self.tasks.join_all().await {
            all.answers.extend(seen.answers);
            all.failures.extend(seen.failures);
        }
        all
    }
}

async fn keep_asking(client: Client, url: String, number: usize, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    for count in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let application = artifact::application(&format!("{number}-{count}"), f64::from(count % 40));
        match ask(&client, &url, &application).await {
            Ok(answer) => {
                seen.answers.insert(answer.decision_id.clone(), answer);
            }
            Err(failure) => seen.failures.push(failure),
        }
    }
    seen
}

async fn ask(client: &Client, url: &str, application: &serde_json::Value) -> Result<Answer, String> {
    let response = client.post(url).json(application).send().await.map_err(|error| format!("{error:?}"))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| format!("{status}: {error:?}"))?;
    serde_json::from_slice(&body).map_err(|_| format!("{status}: {}", String::from_utf8_lossy(&body)))
}
