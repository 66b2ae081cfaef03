//! The three controllers against an API server in memory: what is really sent, in which order, and that nothing is sent once
//! the world is as wanted.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of a test")]

mod api_server;
mod drift_monitor;
mod events;
mod loan_model;
mod prediction_service;
