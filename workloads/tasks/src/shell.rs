//! The process around a task: where its request comes from, where its summary goes, and how it exits.

use std::{
    env, fs,
    future::Future,
    io::{self, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde::de::DeserializeOwned;
use underwriter_contract::{
    FORMAT, readable,
    request::REQUEST,
    summary::{Failure, FailureReason, Summary},
};

use crate::{environment::Environment, termination};

/// Where kubelet looks for a termination message.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Where the request comes from and where the summary goes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// File with the request as JSON; files then serve as stores too. Default: the variable UNDERWRITER_REQUEST.
    #[arg(long, value_name = "FILE", help_heading = "As a Job")]
    pub request: Option<PathBuf>,
    /// Where to write the summary. Default: /dev/termination-log in a pod, else standard output.
    #[arg(long, value_name = "FILE", env = "UNDERWRITER_TERMINATION_LOG", help_heading = "As a Job")]
    pub termination_log: Option<PathBuf>,
}

/// Runs one task for a person: its answer goes to standard output, what is wrong to standard error.
pub fn answer<Task>(task: Task) -> ExitCode
where
    Task: Future<Output = Result<String, Failure>>,
{
    let result = catch_unwind(AssertUnwindSafe(|| block_on(task))).unwrap_or_else(|panic| Err(fault(panic.as_ref())));
    match result {
        Ok(text) => match write!(io::stdout(), "{text}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::from(FailureReason::Internal.exit_code()),
        },
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.reason.exit_code())
        }
    }
}

/// Runs one task to its end: reads the request, runs, writes the summary.
pub fn run<Request, Task>(options: &Options, task: impl FnOnce(Request, Environment) -> Task) -> ExitCode
where
    Request: DeserializeOwned,
    Task: Future<Output = Result<Summary, Failure>>,
{
    let result = catch_unwind(AssertUnwindSafe(|| {
        let (request, environment) = options.read()?;
        block_on(task(request, environment))
    }));
    let result = result.unwrap_or_else(|panic| Err(fault(panic.as_ref())));
    let code = result.as_ref().err().map_or(0, |failure| failure.reason.exit_code());
    if let Err(failure) = &result {
        tracing::error!("{failure}");
    }
    match options.write(result.unwrap_or_else(Summary::Failed)) {
        Ok(()) => ExitCode::from(code),
        Err(error) => {
            tracing::error!("the summary cannot be written: {error}");
            ExitCode::from(FailureReason::Internal.exit_code())
        }
    }
}

impl Options {
    fn read<Request: DeserializeOwned>(&self) -> Result<(Request, Environment), Failure> {
        let invalid = |cause: String| Failure::new(FailureReason::RequestInvalid, cause);
        let (text, environment) = match &self.request {
            Some(file) => {
                let text = fs::read_to_string(file).map_err(|error| invalid(format!("{}: {error}", file.display())))?;
                (text, Environment::Laptop)
            }
            None => {
                let missing = |_| {
                    invalid(format!("{REQUEST} is not set; on a laptop, give --data FILE to train, or --request FILE"))
                };
                (env::var(REQUEST).map_err(missing)?, Environment::Cluster)
            }
        };
        parse(&text).map(|request| (request, environment)).map_err(invalid)
    }

    fn write(&self, summary: Summary) -> io::Result<()> {
        let message = termination::message(summary)?;
        let kubelets = Path::new(TERMINATION_LOG);
        match self.termination_log.as_deref().or_else(|| kubelets.exists().then_some(kubelets)) {
            Some(file) => fs::write(file, message),
            None => writeln!(io::stdout(), "{message}"),
        }
    }
}

/// The part of a request that every format has.
#[derive(serde::Deserialize)]
struct Head {
    format: u32,
}

fn parse<Request: DeserializeOwned>(text: &str) -> Result<Request, String> {
    let unreadable = |error: serde_json::Error| format!("the request cannot be read: {error}");
    let Head { format } = serde_json::from_str(text).map_err(unreadable)?;
    if !readable(format) {
        return Err(format!("the request is of format {format}, and this release reads {FORMAT}"));
    }
    serde_json::from_str(text).map_err(unreadable)
}

/// One thread runs the task; what it waits for runs beside it.
fn block_on<T>(task: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| Failure::new(FailureReason::Internal, error))?.block_on(task)
}

fn fault(panic: &(dyn std::any::Any + Send)) -> Failure {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Failure::new(FailureReason::Internal, format!("a fault of this program: {}", message.unwrap_or("unknown")))
}

#[cfg(test)]
mod tests {
    use underwriter_contract::request::TrainRequest;

    #[test]
    fn says_what_is_wrong_with_a_request() {
        let parse = |text| super::parse::<TrainRequest>(text).unwrap_err();
        assert!(parse("{").starts_with("the request cannot be read: EOF"));
        assert_eq!(parse("{\"format\": 7}"), "the request is of format 7, and this release reads 1");
        assert!(parse("{\"format\": 1}").contains("missing field `model`"));
    }
}
