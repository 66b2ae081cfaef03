//! The termination message: a summary cut so that it always fits.
//!
//! Kubelet cuts blindly, and half a JSON value says nothing. What is left out here stands in the artifact's report.

use underwriter_contract::summary::{Failure, MAX_BYTES, MAX_COLUMNS, Scanned, Summary, Trained};

/// The summary as JSON of at most [`MAX_BYTES`]: names of columns go first, then the ends of texts.
///
/// # Errors
/// Never for a summary of this release; an error of the serializer.
pub fn message(mut summary: Summary) -> serde_json::Result<String> {
    loop {
        let text = serde_json::to_string(&summary)?;
        if text.len() <= MAX_BYTES || !shorten(&mut summary) {
            return Ok(text);
        }
    }
}

/// Leaves one thing out; false when nothing is left to leave out.
fn shorten(summary: &mut Summary) -> bool {
    match summary {
        Summary::Trained(trained) => {
            let Trained { leaking, data, .. } = &mut **trained;
            leaking.truncate(MAX_COLUMNS);
            leaking.pop().is_some() || halve(&mut data.uri)
        }
        Summary::Scanned(scanned) => {
            let Scanned { columns, report, .. } = &mut **scanned;
            columns.truncate(MAX_COLUMNS);
            columns.pop().is_some() || halve(report)
        }
        Summary::Failed(Failure { message, .. }) => halve(message),
        Summary::Skipped(skipped) => halve(&mut skipped.run),
        Summary::Tried(tried) => halve(&mut tried.run),
        Summary::Mirrored(_) => false, // two numbers and a digest
    }
}

/// Keeps the first half of a text.
fn halve(text: &mut String) -> bool {
    let characters = text.chars().count();
    *text = text.chars().take(characters / 2).collect();
    characters > 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use underwriter_contract::summary::{Failure, FailureReason, MAX_BYTES, Summary};

    use super::message;

    proptest! {
        #[test]
        fn always_fits_and_can_be_read(text in ".{0,900}") {
            let summary = Summary::Failed(Failure::new(FailureReason::Internal, text));
            let message = message(summary).unwrap();
            prop_assert!(message.len() <= MAX_BYTES);
            prop_assert!(matches!(serde_json::from_str(&message), Ok(Summary::Failed(_))));
        }
    }
}
