//! A PostgreSQL server of its own, which can be stopped and started again.

use std::{
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    process::{Command, Output},
};

use sqlx::{Connection as _, PgConnection};

use crate::predictor::{Folder, free_port};

/// A server; ended when it is dropped.
pub struct Postgres {
    folder: Folder,
    port: u16,
}

impl Postgres {
    pub fn start() -> Self {
        let server = Self { folder: Folder::new(), port: free_port() };
        if is_root() {
            let owned = Command::new("chown").arg("postgres:").arg(server.folder.path()).status();
            assert!(owned.unwrap().success());
        }
        server.run("initdb", &["-A", "trust", "-U", "underwriter", "-N", "-E", "UTF8", "--locale=C.UTF-8"]);
        server.resume();
        server
    }

    pub fn resume(&self) {
        let options = format!("-p {} -h 127.0.0.1 -k ''", self.port);
        let log = self.folder.path().join("log");
        self.run("pg_ctl", &["start", "-w", "-o", &options, "-l", &log.display().to_string()]);
    }

    pub fn stop(&self) {
        self.run("pg_ctl", &["stop", "-m", "immediate"]);
    }

    pub fn url(&self) -> String {
        format!("postgresql://underwriter@127.0.0.1:{}/postgres", self.port)
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let Output { status, stderr, .. } = self.command(program, arguments).output().unwrap();
        assert!(status.success(), "{program}: {}", String::from_utf8_lossy(&stderr));
    }

    /// Postgres does not run as root.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(if is_root() { "setpriv".into() } else { installed(program) });
        if is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(installed(program));
        }
        command.args(arguments).arg("-D").arg(self.folder.path().join("data")).current_dir("/");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl", &["stop", "-m", "immediate"]).output();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}

/// The newest PostgreSQL of this machine.
fn installed(program: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let newest = versions.filter_map(|version| version.ok()?.file_name().into_string().ok()?.parse::<u32>().ok()).max();
    format!("/usr/lib/postgresql/{}/bin/{program}", newest.unwrap()).into()
}
