//! `underwriter-demo`: plays the story on the cluster of `KUBECONFIG`, and says what it saw.

use anyhow::Result;
use underwriter_tests::{
    cluster::{NAMESPACE, NODE_PORT},
    story::{Facts, Story, Worth},
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut story = Story::prepare().await?;
    let facts = story.play().await?;
    tell(&story, &facts);
    Ok(())
}

/// The summary table, and where to go on.
fn tell(story: &Story, facts: &Facts) {
    let Facts { first, quiet, drifted, second, recovered, worth: Worth { loans, first: before, second: after }, seen } =
        facts;
    println!("\n\x1b[1mSummary\x1b[0m");
    let rows = [
        ("v1 learnt from", format!("{} loans up to {:?}", first.spec.data.rows, first.spec.data.to)),
        ("2010", format!("{:.0} % of the columns drifted: quiet", 100.0 * quiet.drifted_share)),
        ("2011 to September", format!("{:.0} % of the columns drifted", 100.0 * drifted.drifted_share)),
        ("v2 learnt from", format!("{} loans up to {:?}", second.spec.data.rows, second.spec.data.to)),
        ("rest of 2011", format!("{:.0} % of the columns drifted against v2", 100.0 * recovered.drifted_share)),
        ("worth of retraining", format!("ROC AUC {before:.3} → {after:.3} on {loans} later loans")),
        ("requests", format!("{}, failed: {}", seen.requests, seen.failures.len())),
    ];
    for (name, value) in rows {
        println!("  {name:24} {value}");
    }
    for (step, time) in &story.progress.times {
        println!("  {step:24} {:6.1} s", time.as_secs_f64());
    }
    println!(
        "\nGo on:\n  curl -s 127.0.0.1:{NODE_PORT}/predict -H 'content-type: application/json' -d @examples/consumer-loans/application.json"
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
