//! The predictor as a process, with a folder of its own for model and spool.

use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use underwriter_contract::manifest::{MANIFEST, Manifest};
use underwriter_servers::{Folder, free_port};

/// How long a process may take to come up or to end on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a version in it.
pub fn folder_with(manifest: &Manifest) -> Folder {
    let folder = Folder::new("predictor");
    folder.write(MANIFEST, serde_json::to_vec(manifest).unwrap());
    folder
}

/// A running predictor; killed when it is dropped.
pub struct Predictor {
    child: Child,
    log: PathBuf,
    api: u16,
    admin: u16,
}

impl Predictor {
    /// Starts it on the version in a folder, where its spool is too.
    pub fn start(folder: &Folder, log_url: &str) -> Self {
        let (api, admin, log) = (free_port(), free_port(), folder.path().join("predictor.log"));
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_underwriter-predictor"))
            .arg("--model")
            .arg(folder.path())
            .arg("--spool")
            .arg(folder.path().join("spool"))
            .args(["--drain", "2s", "--listen", &format!("127.0.0.1:{api}")])
            .args(["--admin-listen", &format!("127.0.0.1:{admin}")])
            .env("LOG_DATABASE_URL", log_url)
            .stdin(Stdio::null())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log, api, admin }
    }

    pub fn api(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.api)
    }

    pub fn admin(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin)
    }

    /// Waits until `/readyz` says so.
    pub async fn ready(self) -> Self {
        for _ in 0..PATIENCE.as_millis() / 20 {
            let probe = reqwest::get(self.admin("/readyz")).await;
            if probe.is_ok_and(|response| response.status().is_success()) {
                return self;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("not ready: {}", std::fs::read_to_string(&self.log).unwrap_or_default());
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Predictor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
