//! Processes of the cluster's pods, as the host sees them.

use std::{fs, process::Command};

use anyhow::{Context as _, Result, ensure};

/// The process of a pod of ours: the one that was told this name.
pub fn of_pod(pod: &str) -> Option<u32> {
    let told = format!("POD_NAME={pod}");
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == told.as_bytes())
    })
}

/// Ends a process as the kernel does when memory runs out.
pub fn kill(pid: u32) -> Result<()> {
    run("kill", &["-KILL", &pid.to_string()])
}

/// Runs a program to its end.
pub fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output().with_context(|| format!("cannot run {program}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {arguments:?} ended with {}: {told}", output.status);
    Ok(())
}
