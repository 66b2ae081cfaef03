//! `underwriter-demo`: plays the story on the cluster of `KUBECONFIG`, and says what it saw.

use anyhow::Result;
use underwriter_tests::{
    cluster::{NAMESPACE, NODE_PORT},
    story::Story,
};

#[tokio::main]
async fn main() -> Result<()> {
    let facts = Story::prepare().await?.play().await?;
    println!("\nSummary\n{facts}");
    tell();
    Ok(())
}

/// Where to go on.
fn tell() {
    println!(
        "Go on:\n  curl -s 127.0.0.1:{NODE_PORT}/predict -H 'content-type: application/json' -d @examples/consumer-loans/application.json"
    );
    for command in [
        "get underwriter",
        "describe modelversion consumer-loans-v2",
        "describe driftmonitor loan-api-drift",
        "logs -l app.kubernetes.io/instance=loan-api",
    ] {
        println!("  kubectl -n {NAMESPACE} {command}");
    }
}
