//! Fetches what pods report of a rollout. A pod that does not answer in time is silent, which decides nothing.

use std::{net::IpAddr, time::Duration};

use futures::{StreamExt as _, stream};
use underwriter_contract::serving::{ADMIN_PORT, ANALYSIS_PATH, Analysis};

use super::state::PodState;

/// The longest that a pod may take to answer.
const LIMIT: Duration = Duration::from_secs(1);
/// Pods asked at a time.
const AT_A_TIME: usize = 16;

/// A client for pods: no proxy stands between them and the operator.
///
/// # Errors
/// When the system gives no resources for it.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(LIMIT).no_proxy().build()
}

/// The pods with what they report.
pub async fn fetch(client: &reqwest::Client, pods: Vec<PodState>) -> Vec<PodState> {
    let asked = stream::iter(pods).map(|pod| async move { PodState { analysis: ask(client, &pod).await, ..pod } });
    asked.buffered(AT_A_TIME).collect().await
}

async fn ask(client: &reqwest::Client, pod: &PodState) -> Option<Analysis> {
    let url = url(pod.address?);
    let answer = async { client.get(&url).send().await?.error_for_status()?.json::<Analysis>().await };
    let silent = |error: &reqwest::Error| tracing::debug!(pod = pod.name, %error, "no figures");
    answer.await.inspect_err(silent).ok()
}

fn url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("http://{address}:{ADMIN_PORT}{ANALYSIS_PATH}"),
        IpAddr::V6(address) => format!("http://[{address}]:{ADMIN_PORT}{ANALYSIS_PATH}"),
    }
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn addresses_of_both_families_make_urls() {
        assert_eq!(url("10.1.2.3".parse().unwrap()), "http://10.1.2.3:9697/analysis");
        assert_eq!(url("fd00::1".parse().unwrap()), "http://[fd00::1]:9697/analysis");
    }
}
