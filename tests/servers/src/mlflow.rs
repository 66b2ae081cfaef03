//! MLflow with its records in Postgres and its files in S3, from the virtual environment that `make` keeps for it.

use std::{path::PathBuf, process::Command};

use crate::{
    Folder, KEY, S3, SECRET,
    process::{Process, free_port, listens, wait_for},
};

/// An MLflow server.
#[derive(Debug)]
pub struct Mlflow {
    port: u16,
    // Ends before its folder goes.
    _process: Process,
    _folder: Folder,
}

impl Mlflow {
    /// One with its records in an empty database, and the files of runs in a bucket, written through the server.
    #[must_use]
    pub fn start(database: &str, s3: &S3, bucket: &str) -> Self {
        let (folder, port) = (Folder::new("mlflow"), free_port());
        let mut command = Command::new(Self::python());
        command.args(["-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1"]).current_dir(folder.path());
        let database = database.replace("postgresql://", "postgresql+psycopg2://");
        command.arg("--port").arg(port.to_string()).args(["--backend-store-uri", &database]);
        command.arg("--artifacts-destination").arg(format!("s3://{bucket}/mlflow"));
        command.envs(Self::environment(s3));
        let log = folder.path().join("log");
        let mut process = Process::start(&mut command, &log);
        wait_for("mlflow", &log, || process.ended() || listens(port));
        assert!(!process.ended(), "{}", std::fs::read_to_string(&log).unwrap_or_default());
        Self { port, _process: process, _folder: folder }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
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
            ("MLFLOW_DISABLE_TELEMETRY", "true".into()),
            ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false".into()),
        ]
    }
}
