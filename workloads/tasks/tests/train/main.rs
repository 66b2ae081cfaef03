//! Training as a whole, on the real loans of `examples/data` and as a process.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod compare;
mod decision;
mod fidelity;
mod files;
mod fuzz;
mod guards;
mod laptop;
mod loans;
mod monotonic;
mod process;
mod quality;
