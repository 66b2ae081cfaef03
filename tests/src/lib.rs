//! The story of Underwriter on a real cluster, played once for people (`underwriter-demo`) and once for assertions.

pub mod bucket;
pub mod client;
pub mod cluster;
pub mod loans;
pub mod log;
pub mod progress;
pub mod story;
