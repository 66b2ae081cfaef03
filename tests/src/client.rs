//! A client that asks as an application would, and counts everything that is not an answer.
//!
//! It never retries. Half of its connections are kept, half are new for each request. Whatever is not a 2xx with the
//! expected body, every reset and every timeout is a failure and is remembered.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use underwriter_contract::predict::{Answer, Answers, OutcomeReports, OutcomesTaken};

/// The longest that an answer may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Requests under way at once in a replay.
const AT_ONCE: usize = 8;

/// Asks one service.
pub struct Client {
    base: String,
    kept: reqwest::Client,
    fresh: reqwest::Client,
    seen: Mutex<Seen>,
}

/// What a client has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Every answer by its decision id.
    pub answers: BTreeMap<String, Answer>,
    /// Every failure, in words.
    pub failures: Vec<String>,
    /// Requests sent.
    pub requests: u64,
}

impl Client {
    /// A client of `http://127.0.0.1:port`. Load never leaves this machine.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(port: u16) -> Result<Self> {
        let builder = || reqwest::Client::builder().timeout(PATIENCE).retry(reqwest::retry::never());
        let fresh = builder().pool_max_idle_per_host(0).build()?;
        Ok(Self { base: format!("http://127.0.0.1:{port}"), kept: builder().build()?, fresh, seen: Mutex::default() })
    }

    /// What it has seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one application.
    pub async fn ask(&self, application: &Value) -> Option<Answer> {
        let answer: Option<Answer> = self.counted("/predict", application).await;
        self.remember(answer.iter());
        answer
    }

    /// Sends applications together, as a nightly job would.
    pub async fn ask_together(&self, applications: &[Value]) -> Option<Vec<Answer>> {
        let answers: Answers = self.counted("/predict", &json!({"applications": applications})).await?;
        self.remember(answers.predictions.iter());
        Some(answers.predictions)
    }

    /// Sends all of these, each alone, some at once; how many were answered.
    pub async fn replay(&self, applications: Vec<Value>) -> usize {
        let answers = stream::iter(applications).map(|application| async move { self.ask(&application).await });
        answers.buffer_unordered(AT_ONCE).filter(|answer| std::future::ready(answer.is_some())).count().await
    }

    /// Posts outcomes.
    ///
    /// # Errors
    /// Where they were not taken.
    pub async fn report(&self, outcomes: OutcomeReports) -> Result<OutcomesTaken> {
        self.counted("/outcomes", &outcomes).await.context("the outcomes were not taken")
    }

    /// Waits until a version has answered somebody.
    ///
    /// # Errors
    /// When it has not within a minute.
    pub async fn answered_by(&self, version: u32) -> Result<()> {
        for _ in 0..600 {
            if self.locked().answers.values().any(|answer| answer.version == version) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("v{version} has answered nobody within a minute")
    }

    fn remember<'a>(&self, answers: impl Iterator<Item = &'a Answer>) {
        self.locked().answers.extend(answers.map(|answer| (answer.decision_id.clone(), answer.clone())));
    }

    /// One request, counted; its body, unless it failed.
    async fn counted<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Option<T> {
        let number = {
            let mut seen = self.locked();
            seen.requests += 1;
            seen.requests
        };
        let client = if number % 2 == 0 { &self.kept } else { &self.fresh };
        let result = post(client, &format!("{}{path}", self.base), body).await;
        let failed = |error: &anyhow::Error| format!("{} request {number} {path}: {error:#}", Timestamp::now());
        result.inspect_err(|error| self.locked().failures.push(failed(error))).ok()
    }
}

async fn post<T: DeserializeOwned>(client: &reqwest::Client, url: &str, body: &impl Serialize) -> Result<T> {
    let response = client.post(url).json(body).send().await?;
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{status}: {}", text.chars().take(300).collect::<String>());
    }
    serde_json::from_str(&text).with_context(|| format!("not the expected answer: {text}"))
}

/// Waits until a port of this machine takes connections.
///
/// A connection that kube-proxy does not forward yet leaves a trace, by which for two minutes whoever has the same
/// source port is refused too. So it knocks from ports that no client is given.
///
/// # Errors
/// When it does not within half a minute.
pub async fn door_opens(port: u16) -> Result<()> {
    let door = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for from in 20_000..20_300 {
        let socket = TcpSocket::new_v4()?;
        let bound = socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, from)));
        if bound.is_ok() && socket.connect(door).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("port {port} takes no connections")
}
