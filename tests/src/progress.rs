//! What a person sees while the story plays, and the times of its steps.

use std::{
    io::{IsTerminal as _, stdout},
    time::{Duration, Instant},
};

/// Prints a line a step, with the seconds since the start.
pub struct Progress {
    start: Instant,
    step: Instant,
    /// Each finished step and how long it took.
    pub times: Vec<(&'static str, Duration)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { start: Instant::now(), step: Instant::now(), times: Vec::new() }
    }
}

impl Progress {
    /// Says what happens now.
    pub fn chapter(&mut self, text: &str) {
        let (bold, plain) = if stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("\n{bold}{text}{plain}");
        self.step = Instant::now();
    }

    /// Says what was seen.
    pub fn say(&self, text: impl std::fmt::Display) {
        println!("  {:>6.1} s  {text}", self.start.elapsed().as_secs_f64());
    }

    /// Ends a step.
    pub fn done(&mut self, name: &'static str) {
        self.times.push((name, self.step.elapsed()));
        self.step = Instant::now();
    }
}
