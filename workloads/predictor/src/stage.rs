//! How far the life of the process has come.

/// How far the life of the process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Versions are being loaded.
    Loading,
    /// Requests are answered.
    Serving,
    /// Requests are still answered, but no more should come.
    Ending,
}
