//! MLflow with its records in Postgres and its files in S3, from the virtual environment that `make` keeps for it.

use std::{ffi::OsStr, net::TcpStream, path::PathBuf, process::Command};

use crate::{
    Folder, KEY, S3, SECRET,
    process::{Process, free_port, wait_for},
};

/// Nothing but what it is asked for: no figures of its use to its makers, no processes beside it.
const QUIET: [(&str, &str); 2] =
    [("MLFLOW_DISABLE_TELEMETRY", "true"), ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")];

/// An MLflow server.
#[derive(Debug)]
pub struct Mlflow {
    address: String,
    // Ends before its folder goes.
    _process: Process,
    _folder: Folder,
}

impl Mlflow {
    /// One with its records in an empty database, and the files of runs in a bucket, written through the server.
    #[must_use]
    pub fn start(database: &str, s3: &S3, bucket: &str) -> Self {
        let database = database.replace("postgresql://", "postgresql+psycopg2://");
        let files = format!("s3://{bucket}/mlflow");
        Self::run(Folder::new("mlflow"), ("127.0.0.1", free_port()), [&database, &files], &Self::environment(s3))
    }

    /// One that listens where pods reach it, with its records and the files of runs in a folder of its own.
    #[must_use]
    pub fn at(host: &str, port: u16) -> Self {
        let folder = Folder::new("mlflow");
        let path = folder.path().display().to_string();
        Self::run(folder, (host, port), [&format!("sqlite:///{path}/records"), &format!("{path}/files")], &QUIET)
    }

    fn run<V: AsRef<OsStr>>(
        folder: Folder,
        (host, port): (&str, u16),
        [records, files]: [&str; 2],
        environment: &[(&str, V)],
    ) -> Self {
        let mut command = Command::new(Self::python());
        command.args(["-m", "mlflow", "server", "--workers", "1", "--host", host, "--port", &port.to_string()]);
        command.args(["--backend-store-uri", records, "--artifacts-destination", files]).current_dir(folder.path());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let log = folder.path().join("log");
        let mut process = Process::start(&mut command, &log);
        wait_for("mlflow", &log, || process.ended() || TcpStream::connect((host, port)).is_ok());
        assert!(!process.ended(), "{}", std::fs::read_to_string(&log).unwrap_or_default());
        Self { address: format!("http://{host}:{port}"), _process: process, _folder: folder }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        self.address.clone()
    }

    /// The Python that has MLflow, LightGBM and the drivers of `tests/mlflow/requirements.txt`.
    #[must_use]
    pub fn python() -> PathBuf {
        let made = std::env::home_dir().unwrap_or_default().join(".cache/underwriter/mlflow/bin/python");
        assert!(made.is_file(), "{} is missing: run `make mlflow`", made.display());
        made
    }

    /// What server and clients need for the files; nothing of it leaves this machine.
    #[must_use]
    pub fn environment(s3: &S3) -> [(&'static str, String); 6] {
        [
            ("AWS_ACCESS_KEY_ID", KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.into()),
            ("AWS_DEFAULT_REGION", "us-east-1".into()),
            ("MLFLOW_S3_ENDPOINT_URL", s3.url()),
            (QUIET[0].0, QUIET[0].1.into()),
            (QUIET[1].0, QUIET[1].1.into()),
        ]
    }
}
