//! The spool: records wait on the pod's disk until the prediction log has them.
//!
//! A handler appends its records ([`Spool::write`]) before its answer leaves: the [`writer`] puts [`line`]s with a
//! checksum into a [`segment`]. Sealed segments go to the [`shipper`], which brings them into the log in order and only
//! then deletes them. A process that is killed finds its segments again; one whose log is away keeps them, up to a
//! bound, and then refuses rather than forgets ([`room`]); one that ends meanwhile brings them to a [`refuge`].
//!
//! Not here: what a record says, and the log itself.

pub mod line;
pub mod refuge;
pub mod room;
pub mod segment;
pub mod shipper;
pub mod writer;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::timeout,
};
use underwriter_contract::serving::Durability;

use self::{
    room::Room,
    segment::Sealed,
    writer::{Batch, SEGMENT_AGE, Writer},
};

/// How long an answer waits until its records are safe.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where and how records are kept.
#[derive(Clone, Debug)]
pub struct SpoolSettings {
    /// The folder; made where it is missing.
    pub folder: PathBuf,
    /// The most bytes it may hold.
    pub limit: u64,
    /// When a record is safe.
    pub durability: Durability,
}

/// Why a record is not safe. Each is worth another try of the client.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SpoolError {
    /// The prediction log does not keep up.
    #[error("the spool holds {held} of {limit} bytes: the prediction log is away or too slow")]
    Full {
        /// Bytes held.
        held: u64,
        /// The bound.
        limit: u64,
    },
    /// The disk refused.
    #[error("the spool cannot be written: {0}")]
    Disk(Arc<io::Error>),
    /// The prediction log refused the record.
    #[error("the prediction log refused the record")]
    Refused,
    /// Not safe in time; it may become so later.
    #[error("the record was not safe within {} seconds", PATIENCE.as_secs())]
    Late,
    /// The process is ending.
    #[error("the spool is closed: the process is ending")]
    Closed,
}

/// The way into the spool.
#[derive(Debug)]
pub struct Spool {
    writer: Arc<Mutex<Writer>>,
    room: Arc<Room>,
    /// Wakes the task that seals; none where nobody waits for the commit.
    prompt: Option<Arc<Notify>>,
}

/// Sealed segments on their way to the log, what an earlier process left first.
#[derive(Debug)]
pub struct Outlet {
    /// In the order of writing.
    pub batches: mpsc::UnboundedReceiver<Batch>,
    /// What counts the bytes.
    pub room: Arc<Room>,
    /// The spool's folder.
    pub folder: PathBuf,
}

impl Spool {
    /// Opens the folder. Must be called within a runtime, where segments are sealed by age.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(settings: SpoolSettings) -> io::Result<(Self, Outlet)> {
        let SpoolSettings { folder, limit, durability } = settings;
        let (left, next) = segment::survey(&folder)?;
        let room = Arc::new(Room::new(left.iter().map(|sealed| sealed.bytes).sum(), limit));
        let (sealed, batches) = mpsc::unbounded_channel();
        hand_on(left, &sealed);
        let writer = Arc::new(Mutex::new(Writer::new(folder.clone(), next, sealed)));
        let prompt = (durability == Durability::Committed).then(Arc::<Notify>::default);
        match &prompt {
            None => tokio::spawn(seal_by_age(Arc::downgrade(&writer))),
            Some(prompt) => tokio::spawn(seal_on_prompt(Arc::downgrade(&writer), Arc::clone(prompt))),
        };
        Ok((Self { writer, room: Arc::clone(&room), prompt }, Outlet { batches, room, folder }))
    }

    /// Writes whole lines (see [`line::append`]), and returns when they are safe.
    ///
    /// # Errors
    /// They are not: the caller must not answer as if they were.
    pub async fn write(&self, lines: &[u8]) -> Result<(), SpoolError> {
        let bytes = lines.len() as u64;
        self.room.take(bytes)?;
        let (done, committed) = self.prompt.as_ref().map(|_| oneshot::channel()).unzip();
        lock(&self.writer).append(lines, done).inspect_err(|_| self.room.release(bytes))?;
        let (Some(prompt), Some(committed)) = (&self.prompt, committed) else { return Ok(()) };
        prompt.notify_one();
        match timeout(PATIENCE, committed).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(SpoolError::Closed),
            Err(_) => Err(SpoolError::Late),
        }
    }

    /// Bytes held.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.room.held()
    }

    /// Seals the last segment; later writes are refused. Shipping goes on until the outlet is empty.
    pub fn close(&self) {
        lock(&self.writer).close();
    }
}

/// A panic between two writes leaves the writer as it was.
fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks often enough that no segment becomes much older than it should.
async fn seal_by_age(writer: Weak<Mutex<Writer>>) {
    while let Some(writer) = writer.upgrade() {
        lock(&writer).seal_when_old();
        drop(writer);
        tokio::time::sleep(SEGMENT_AGE / 4).await;
    }
}

/// Seals as soon as somebody waits for the commit. Whoever comes meanwhile is in the next segment; the shipper commits
/// all that wait at once.
async fn seal_on_prompt(writer: Weak<Mutex<Writer>>, prompt: Arc<Notify>) {
    while let Some(writer) = writer.upgrade() {
        lock(&writer).seal();
        drop(writer);
        prompt.notified().await;
    }
}

fn hand_on(left: Vec<Sealed>, sealed: &mpsc::UnboundedSender<Batch>) {
    for segment in left {
        let _ = sealed.send(Batch { sealed: segment, waiting: Vec::new() }); // the receiver is the caller's own
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use underwriter_contract::serving::Durability;

    use super::{Outlet, Spool, SpoolError, SpoolSettings, line, writer::tell};
    use underwriter_servers::Folder;

    fn open(folder: &Folder, limit: u64, durability: Durability) -> (Spool, Outlet) {
        Spool::open(SpoolSettings { folder: folder.path().to_owned(), limit, durability }).unwrap()
    }

    fn lines(record: u32) -> Vec<u8> {
        let mut lines = Vec::new();
        line::append(&mut lines, &record).unwrap();
        lines
    }

    #[tokio::test]
    async fn what_was_written_comes_out_in_order_also_for_the_next_process() {
        let folder = Folder::new("predictor");
        let (spool, outlet) = open(&folder, 1 << 20, Durability::Spooled);
        spool.write(&lines(1)).await.unwrap();
        drop((spool, outlet)); // nothing was shipped
        let (spool, mut outlet) = open(&folder, 1 << 20, Durability::Spooled);
        spool.write(&lines(2)).await.unwrap();
        spool.close();
        let mut records = Vec::new();
        while let Some(batch) = outlet.batches.recv().await {
            records.extend(batch.sealed.read::<u32>().unwrap().records);
        }
        assert_eq!(records, [1, 2]);
        assert_eq!(spool.held(), (lines(1).len() + lines(2).len()) as u64);
        assert!(matches!(spool.write(&lines(3)).await, Err(SpoolError::Closed)));
    }

    #[tokio::test]
    async fn committed_waits_for_the_log() {
        let folder = Folder::new("predictor");
        let (spool, mut outlet) = open(&folder, 1 << 20, Durability::Committed);
        let record = lines(1);
        let mut writing = std::pin::pin!(spool.write(&record));
        assert!((&mut writing).now_or_never().is_none());
        let batch = outlet.batches.recv().await.unwrap();
        assert!((&mut writing).now_or_never().is_none());
        tell(batch.waiting, &Ok(()));
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn a_full_spool_refuses_and_forgets_nothing() {
        let folder = Folder::new("predictor");
        let (spool, mut outlet) = open(&folder, lines(1).len() as u64, Durability::Spooled);
        spool.write(&lines(1)).await.unwrap();
        assert!(matches!(spool.write(&lines(2)).await, Err(SpoolError::Full { .. })));
        let batch = outlet.batches.recv().await.unwrap();
        assert_eq!(batch.sealed.read::<u32>().unwrap().records, [1]);
        outlet.room.release(batch.sealed.bytes);
        spool.write(&lines(3)).await.unwrap();
    }
}
