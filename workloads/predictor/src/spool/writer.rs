//! Writes a spool's segments, and seals each when it is large or old enough.
//!
//! An append is one write to the page cache, some microseconds: that outlives the process, and whoever appends does it
//! itself, for handing it to another thread would cost more than the write. What has to stay in the folder for longer
//! is brought to the disk by the shipper.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::{mpsc::UnboundedSender, oneshot};

use super::{
    SpoolError,
    segment::{AppendError, Sealed, Segment},
};

/// From this size on a segment is sealed: about as many records as the log commits at once.
const SEGMENT_BYTES: u64 = 1 << 20;
/// From this age on a segment that holds something is sealed.
pub const SEGMENT_AGE: Duration = Duration::from_secs(1);

/// Tells a sender what became of its lines.
pub type Done = oneshot::Sender<Result<(), SpoolError>>;

/// A sealed segment, and who waits until its records are in the prediction log.
#[derive(Debug)]
pub struct Batch {
    /// The segment.
    pub sealed: Sealed,
    /// The senders of its lines, where they wait for the commit.
    pub waiting: Vec<Done>,
}

/// Writes segments.
#[derive(Debug)]
pub struct Writer {
    folder: PathBuf,
    next: u64,
    open: Option<Open>,
    /// Where sealed segments go; none once it is closed.
    batches: Option<UnboundedSender<Batch>>,
}

/// The segment being written, and who waits for its commit.
#[derive(Debug)]
struct Open {
    segment: Segment,
    waiting: Vec<Done>,
}

impl Writer {
    /// A writer whose first segment takes number `next`.
    #[must_use]
    pub const fn new(folder: PathBuf, next: u64, batches: UnboundedSender<Batch>) -> Self {
        Self { folder, next, open: None, batches: Some(batches) }
    }

    /// Appends whole lines, all or none. Where `done` is given, it is told when they are in the log.
    ///
    /// # Errors
    /// The writer is closed, or the disk refuses.
    pub fn append(&mut self, lines: &[u8], done: Option<Done>) -> Result<(), SpoolError> {
        if self.batches.is_none() {
            return Err(SpoolError::Closed);
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.begin().map_err(|error| self.failed(error))?,
        };
        let appended = open.segment.append(lines);
        let torn = appended.as_ref().is_err_and(|AppendError { torn, .. }| *torn);
        if appended.is_ok() {
            open.waiting.extend(done);
        }
        let ends = torn || open.segment.bytes() >= SEGMENT_BYTES;
        self.open = Some(open);
        if ends {
            self.seal();
        }
        appended.map_err(|AppendError { error, .. }| self.failed(error))
    }

    /// Seals the segment that is being written where it holds something, and is old enough.
    pub fn seal_when_old(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.segment.age() >= SEGMENT_AGE) {
            self.seal();
        }
    }

    /// Seals the segment that is being written, where there is one.
    pub fn seal(&mut self) {
        if let (Some(Open { segment, waiting }), Some(batches)) = (self.open.take(), &self.batches) {
            // With nobody left to ship it, it waits in its folder for the next process.
            let _ = batches.send(Batch { sealed: segment.seal(), waiting });
        }
    }

    /// Seals for the last time. What is appended later is refused.
    pub fn close(&mut self) {
        self.seal();
        self.batches = None;
    }

    fn begin(&mut self) -> io::Result<Open> {
        let segment = Segment::begin(&self.folder, self.next)?;
        self.next += 1;
        Ok(Open { segment, waiting: Vec::new() })
    }

    fn failed(&self, error: io::Error) -> SpoolError {
        tracing::error!(%error, folder = %self.folder.display(), "cannot write the spool");
        SpoolError::Disk(Arc::new(error))
    }
}

/// Tells each sender the same.
pub fn tell(done: Vec<Done>, outcome: &Result<(), SpoolError>) {
    for sender in done {
        let _ = sender.send(outcome.clone()); // who no longer waits need not know
    }
}
