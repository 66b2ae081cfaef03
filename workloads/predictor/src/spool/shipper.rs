//! Brings sealed segments into the prediction log, in order, and deletes what the log has committed.
//!
//! While the log is away it tries again, for as long as the process lives; the log takes each decision once, however
//! often it is sent. A record that the log will never take is found by halving and set aside in a file of its own,
//! so that it holds up no other.

use std::{fs::File, io::Write as _, path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use underwriter_data::log::{Log, LogError, LogErrorKind, Record};

use super::{
    Outlet, SpoolError, line,
    room::Room,
    segment::{Contents, Sealed},
    writer::{Batch, tell},
};
use crate::{backoff::Backoff, metrics::LogMetrics};

/// The most records of one commit.
pub const MAX_RECORDS: usize = 1000;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a batch is sent that the log answers with a fault of no known kind, before it counts as refused.
const TRIES: usize = 3;
/// Records that the log refused for good, beside the segments.
const REFUSED: &str = "refused.jsonl";

/// Brings sealed segments into the prediction log.
pub struct Shipper {
    log: Log,
    outlet: Outlet,
    metrics: LogMetrics,
}

/// Segments that are shipped together.
#[derive(Default)]
struct Cargo {
    batches: Vec<Batch>,
    records: Vec<Record>,
}

impl Shipper {
    /// A shipper of what comes out of a spool.
    #[must_use]
    pub const fn new(log: Log, outlet: Outlet, metrics: LogMetrics) -> Self {
        Self { log, outlet, metrics }
    }

    /// Ships until the spool is closed and everything is in the log.
    pub async fn run(mut self) {
        while let Some(batch) = self.outlet.batches.recv().await {
            self.outlet.room.set_waiting(Some(Timestamp::now()));
            let cargo = self.gather(batch).await;
            let refused = self.deliver(&cargo).await;
            self.outlet.room.set_waiting(None);
            discharge(&self.outlet.room, cargo.batches, refused);
        }
    }

    /// Reads a segment, and those that wait behind it as long as they fit into one commit.
    async fn gather(&mut self, first: Batch) -> Cargo {
        let mut cargo = Cargo::default();
        let mut next = Some(first);
        while let Some(batch) = next {
            match self.load(&batch.sealed).await {
                Some(records) => {
                    cargo.records.extend(records);
                    cargo.batches.push(batch);
                }
                None => tell(batch.waiting, &Err(SpoolError::Refused)),
            }
            let full = cargo.records.len() >= MAX_RECORDS;
            next = if full { None } else { self.outlet.batches.try_recv().ok() };
        }
        cargo
    }

    /// A segment's records; `None` where the file cannot be read: it stays for the next process.
    async fn load(&self, sealed: &Sealed) -> Option<Vec<Record>> {
        let file = sealed.clone();
        let read = tokio::task::spawn_blocking(move || file.read());
        match read.await.map_err(std::io::Error::other).flatten() {
            Ok(Contents { records, damaged }) => {
                if damaged > 0 {
                    tracing::warn!(segment = %sealed.path.display(), damaged, "torn or changed lines are skipped");
                    self.metrics.damaged.inc_by(damaged);
                }
                Some(records)
            }
            Err(error) => {
                tracing::error!(segment = %sealed.path.display(), %error, "cannot be read: left for the next start");
                None
            }
        }
    }

    /// Writes all records, however long that takes. Returns how many the log refused for good.
    async fn deliver(&self, cargo: &Cargo) -> u64 {
        let mut refused = 0;
        let mut parts: Vec<&[Record]> = cargo.records.chunks(MAX_RECORDS).rev().collect();
        while let Some(part) = parts.pop() {
            match (self.write(part, &cargo.batches).await, part) {
                (Ok(()), _) => {}
                (Err(error), [record]) => {
                    refused += 1;
                    self.set_aside(record, &error);
                }
                (Err(_), _) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
        refused
    }

    /// Writes until the log has committed, or refused for good.
    async fn write(&self, part: &[Record], batches: &[Batch]) -> Result<(), LogError> {
        let mut backoff = Backoff::up_to(LONGEST_PAUSE);
        let mut away = false;
        let mut unknown = 0;
        loop {
            match self.log.write(part).await {
                Ok(_) => {
                    self.metrics.written.inc_by(part.len() as u64);
                    return Ok(());
                }
                Err(error) => {
                    unknown += usize::from(error.kind() == LogErrorKind::Other);
                    if unknown == TRIES {
                        return Err(error);
                    }
                    self.metrics.failures.inc();
                    if !std::mem::replace(&mut away, true) {
                        tracing::warn!(%error, "the prediction log is away: records stay in the spool");
                        keep(batches);
                    }
                    tokio::time::sleep(backoff.pause()).await;
                }
            }
        }
    }

    fn set_aside(&self, record: &Record, error: &LogError) {
        self.metrics.refused.inc();
        let file = self.outlet.folder.join(REFUSED);
        match append(&file, record) {
            Ok(()) => tracing::error!(decision = %record.decision_id, %error, file = %file.display(), "set aside"),
            Err(disk) => tracing::error!(decision = %record.decision_id, %error, %disk, "refused and lost"),
        }
    }
}

/// What has to stay for a while is brought to the disk proper.
fn keep(batches: &[Batch]) {
    let segments: Arc<[Sealed]> = batches.iter().map(|batch| batch.sealed.clone()).collect();
    tokio::task::spawn_blocking(move || {
        for sealed in segments.iter() {
            if let Err(error) = sealed.sync() {
                tracing::warn!(segment = %sealed.path.display(), %error, "cannot be brought to the disk");
            }
        }
    });
}

fn append(file: &Path, record: &Record) -> std::io::Result<()> {
    let mut text = Vec::new();
    line::append(&mut text, record)?;
    File::options().create(true).append(true).open(file)?.write_all(&text)
}

fn discharge(room: &Room, batches: Vec<Batch>, refused: u64) {
    let outcome = if refused == 0 { Ok(()) } else { Err(SpoolError::Refused) };
    for Batch { sealed, waiting } in batches {
        if let Err(error) = std::fs::remove_file(&sealed.path) {
            tracing::warn!(segment = %sealed.path.display(), %error, "shipped, but cannot be deleted");
        }
        room.release(sealed.bytes);
        tell(waiting, &outcome);
    }
}
