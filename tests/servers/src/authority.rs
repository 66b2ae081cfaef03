//! A private certificate authority, made by openssl.

use std::{path::PathBuf, process::Command};

use crate::{Folder, process::run};

/// An authority, with a certificate for a server on this machine.
#[derive(Debug)]
pub struct Authority(Folder);

impl Authority {
    /// A new one, which nothing trusts.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes files")]
    pub fn new() -> Self {
        let authority = Self(Folder::new("authority"));
        authority.request(&["-x509", "-days", "2", "-subj", "/CN=test authority"], "ca");
        let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
        authority.request(&names, "server");
        run(Command::new("openssl")
            .args(["x509", "-req", "-days", "2", "-copy_extensions", "copy", "-CAcreateserial"])
            .args(["-in", "server.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "server.crt"])
            .current_dir(authority.0.path()));
        authority
    }

    /// `ca.pem`, `server.crt` or `server.key`.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn request(&self, arguments: &[&str], name: &str) {
        run(Command::new("openssl")
            .args(["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
            .args(arguments)
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
            .current_dir(self.0.path()));
    }
}
