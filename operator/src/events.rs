//! Events: what a user would want to know, published after the write that they tell of.
//!
//! Events of one reason and action become one series, of which only the first note is ever seen. So the action is the note:
//! what is told again is counted, and news of another version is an event of its own.

use kube::{
    Resource,
    runtime::events::{Event, EventType},
};

use crate::Context;

/// The longest note that the API takes, in bytes.
const NOTE: usize = 1_024;
/// The longest action.
const ACTION: usize = 128;

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether somebody should look at it.
    pub warning: bool,
    /// What happened, in one CamelCase word.
    pub reason: String,
    /// What happened, for a person.
    pub note: String,
}

impl Notice {
    /// Good or neutral news.
    pub fn normal(reason: impl std::fmt::Debug, note: impl Into<String>) -> Self {
        Self { warning: false, reason: format!("{reason:?}"), note: note.into() }
    }

    /// Something that should be looked at.
    pub fn warning(reason: impl std::fmt::Debug, note: impl Into<String>) -> Self {
        Self { warning: true, reason: format!("{reason:?}"), note: note.into() }
    }
}

/// Publishes notices about an object. One that cannot be published is logged: nothing depends on it.
pub async fn publish(context: &Context, object: &impl Resource<DynamicType = ()>, notices: Vec<Notice>) {
    let about = object.object_ref(&());
    for Notice { warning, reason, note } in notices {
        let type_ = if warning { EventType::Warning } else { EventType::Normal };
        let event = Event { type_, reason, action: cut(&note, ACTION), note: Some(cut(&note, NOTE)), secondary: None };
        if let Err(error) = context.recorder.publish(&event, &about).await {
            tracing::warn!(%error, "event not published");
        }
    }
}

fn cut(text: &str, bytes: usize) -> String {
    text[..text.floor_char_boundary(bytes)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{NOTE, cut};

    #[test]
    fn long_notes_are_cut_between_characters() {
        let long = cut(&"ä".repeat(600), NOTE);
        assert_eq!((long.len(), cut("short", NOTE)), (1_024, "short".into()));
        assert!(cut(&format!("a{}", "ä".repeat(600)), NOTE).len() == 1_023);
    }
}
