//! SeaweedFS with one identity, as an S3 service.

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};

use crate::{
    Authority, Folder,
    process::{Process, free_port, listens, wait_for},
};

/// The access key of its only identity.
pub const KEY: &str = "key";
/// Its secret.
pub const SECRET: &str = "secret";

const IDENTITIES: &str = r#"{"identities": [{"name": "test", "actions": ["Admin", "Read", "Write", "List"],
    "credentials": [{"accessKey": "key", "secretKey": "secret"}]}]}"#;

/// A server; one bucket a test.
#[derive(Debug)]
pub struct S3 {
    port: u16,
    https: Option<u16>,
    buckets: AtomicU32,
    // Ends before its folder goes.
    _process: Process,
    _folder: Folder,
}

impl S3 {
    /// Without TLS, shared with other tests.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SLOT: Mutex<Weak<S3>> = Mutex::new(Weak::new());
        crate::shared(&SLOT, || Self::start(None))
    }

    /// With an authority, it speaks TLS as well.
    #[must_use]
    pub fn start(authority: Option<&Authority>) -> Self {
        let folder = Folder::new("s3");
        std::fs::write(folder.path().join("identities.json"), IDENTITIES).unwrap();
        let (port, https) = (free_port(), authority.map(|_| free_port()));
        let mut command = server(&folder, port);
        if let (Some(authority), Some(https)) = (authority, https) {
            command.arg(format!("-s3.port.https={https}"));
            command.arg(format!("-s3.cert.file={}", authority.file("server.crt").display()));
            command.arg(format!("-s3.key.file={}", authority.file("server.key").display()));
        }
        let log = folder.path().join("log");
        let process = Process::start(&mut command, &log);
        wait_for("weed", &log, || [Some(port), https].into_iter().flatten().all(listens));
        Self { port, https, buckets: AtomicU32::new(0), _process: process, _folder: folder }
    }

    /// An empty bucket.
    pub async fn bucket(&self) -> String {
        let name = format!("test-{}", self.buckets.fetch_add(1, Ordering::Relaxed));
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(Credentials::new(KEY, SECRET, None, None, "test"))
            .region(Region::new("us-east-1"))
            .endpoint_url(self.url())
            .force_path_style(true);
        // The server answers before its parts have found each other.
        for _ in 0..100 {
            if Client::from_conf(config.clone().build()).create_bucket().bucket(&name).send().await.is_ok() {
                return name;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        panic!("no bucket can be made");
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its address for TLS.
    #[must_use]
    pub fn https(&self) -> String {
        format!("https://127.0.0.1:{}", self.https.unwrap())
    }
}

fn server(folder: &Folder, port: u16) -> Command {
    let mut command = Command::new(weed());
    // A bucket takes one volume at first, not seven.
    command.env("WEED_MASTER_VOLUME_GROWTH_COPY_1", "1");
    command.args(["-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]);
    command.args(["-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=100"]);
    command.args(["-volume.preStopSeconds=0", "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.autoCreateBucket=false"]);
    command.arg(format!("-dir={}", folder.path().display())).arg(format!("-s3.port={port}"));
    for name in ["master.port", "volume.port", "filer.port"] {
        command.arg(format!("-{name}={}", free_port())).arg(format!("-{name}.grpc={}", free_port()));
    }
    command.arg(format!("-s3.port.grpc={}", free_port()));
    for (flag, file) in
        [("filer.localSocket", "filer.sock"), ("s3.localSocket", "s3.sock"), ("s3.config", "identities.json")]
    {
        command.arg(format!("-{flag}={}", folder.path().join(file).display()));
    }
    command
}

fn weed() -> PathBuf {
    let cache = std::env::home_dir().unwrap_or_default().join(".cache/underwriter/tools-venv/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).chain([cache]).map(|folder| folder.join("weed")).find(|file| file.is_file());
    found.expect("weed (SeaweedFS) is on PATH or in ~/.cache/underwriter/tools-venv/bin")
}
