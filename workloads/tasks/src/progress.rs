//! What a task is doing: a bar where somebody watches, else one log line a step.

use std::{borrow::Cow, io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// Says what a task is doing.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For a task of so many steps; a bar where standard error is a terminal.
    #[must_use]
    pub fn new(steps: u64) -> Self {
        Self { bar: std::io::stderr().is_terminal().then(|| bar(steps)) }
    }

    /// A step begins.
    pub fn step(&self, what: impl Into<Cow<'static, str>>) {
        let what = what.into();
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.set_message(what);
            }
            None => tracing::info!("{what}"),
        }
    }

    /// The task is over.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// What goes wrong is told below the bar, not behind it.
impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

fn bar(steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos:>2}/{len} {bar:20} {elapsed:>4} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
