//! Running programs.

use std::{
    fs::File,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running program, asked to end (and then made to) when it is dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Runs a command, its output in a file.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let output = (Stdio::from(log.try_clone().unwrap()), Stdio::from(log));
        Self(command.stdin(Stdio::null()).stdout(output.0).stderr(output.1).spawn().unwrap())
    }

    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub fn ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    fn interrupt(&self) {
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended() {
            return;
        }
        self.interrupt();
        if !within(Duration::from_secs(10), || self.ended()) {
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A port that nobody listens on.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Waits for a server to come up.
pub fn wait_for(what: &str, log: &Path, ready: impl FnMut() -> bool) {
    let came = within(PATIENCE, ready);
    assert!(came, "{what} did not come up: {}", std::fs::read_to_string(log).unwrap_or_default());
}

fn within(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < limit {
        if done() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}
