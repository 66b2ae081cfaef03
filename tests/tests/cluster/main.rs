//! What must hold on a real cluster beside the story: faults, bad input, and people who decide.
//!
//! Each test works in a namespace of its own with a small model of its own, so that none depends on another or on the
//! story. They want the chart installed (`make test` does that) and run one after the other, because some of them stop
//! what all share: the operator, Postgres.

mod admission;
mod asking;
mod bad_challenger;
mod bad_input;
mod client_counts;
mod comparison;
mod lifecycle;
mod log_equals_client;
mod mlflow;
mod operator;
mod operator_killed;
mod process;
mod space;
mod sweep;
