//! PostgreSQL, one database a test.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{Connection as _, PgConnection};

use crate::{
    Authority, Folder,
    process::{Process, free_port, run, wait_for},
};

/// A server with the superuser `underwriter`, password `secret`.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    folder: Folder,
    port: u16,
    databases: AtomicU32,
}

impl Postgres {
    /// Without TLS, shared with other tests.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SLOT: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        crate::shared(&SLOT, || Self::start(None))
    }

    /// With an authority, it speaks TLS.
    #[must_use]
    pub fn start(authority: Option<&Authority>) -> Self {
        let folder = Folder::new("postgres");
        own(folder.path());
        let password = folder.path().join("password");
        std::fs::write(&password, "secret").unwrap();
        own(&password);
        run(program("initdb").arg("-D").arg(folder.path().join("data")).arg("--pwfile").arg(password).args([
            "--username=underwriter",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]));
        if let Some(authority) = authority {
            secure(&folder.path().join("data"), authority);
        }
        let mut server = Self { process: None, folder, port: free_port(), databases: AtomicU32::new(0) };
        server.resume();
        server
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again. After a kill it refuses to for as long as the old one's children live.
    pub fn resume(&mut self) {
        let (log, port) = (self.folder.path().join("log"), self.port.to_string());
        wait_for("postgres", &log, || {
            if self.process.as_mut().is_none_or(Process::ended) {
                let mut command = program("postgres");
                command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &port, "-h", "127.0.0.1", "-k", ""]);
                self.process = Some(Process::start(&mut command, &log));
            }
            program("pg_isready")
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status()
                .is_ok_and(|status| status.success())
        });
    }

    /// An empty database's URL.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = connect(&self.url("underwriter:secret", "postgres")).await;
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
        self.url("underwriter:secret", &name)
    }

    /// The URL of a database for a `name:password`.
    #[must_use]
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgresql://{user}@127.0.0.1:{}/{database}", self.port)
    }
}

/// A connection of its own.
pub async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

fn secure(data: &Path, authority: &Authority) {
    for name in ["server.crt", "server.key"] {
        let file = data.join(name);
        std::fs::copy(authority.file(name), &file).unwrap();
        own(&file);
        run(Command::new("chmod").arg("600").arg(file));
    }
    let settings = data.join("postgresql.auto.conf");
    std::fs::write(&settings, "ssl = on\n").unwrap();
    own(&settings);
}

/// Postgres does not run as root.
fn program(name: &str) -> Command {
    let program = installed(name);
    if !root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program).current_dir("/");
    command
}

fn own(path: &Path) {
    if root() {
        run(Command::new("chown").arg("postgres:").arg(path));
    }
}

fn root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|this| std::os::unix::fs::MetadataExt::uid(&this) == 0)
}

/// The newest PostgreSQL of this machine.
fn installed(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let newest = versions.filter_map(|version| version.ok()?.file_name().into_string().ok()?.parse::<u32>().ok()).max();
    format!("/usr/lib/postgresql/{}/bin/{name}", newest.unwrap()).into()
}
