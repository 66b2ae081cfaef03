//! Events: what a user would want to know, published after the write that they tell of.

use kube::{
    Resource,
    runtime::events::{Event, EventType},
};

use crate::Context;

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
        let event = Event { type_, action: reason.clone(), reason, note: Some(cut(note)), secondary: None };
        if let Err(error) = context.recorder.publish(&event, &about).await {
            tracing::warn!(%error, "event not published");
        }
    }
}

/// The API takes notes of at most 1,024 bytes.
fn cut(mut note: String) -> String {
    note.truncate(note.floor_char_boundary(1_024));
    note
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_notes_are_cut_between_characters() {
        let cut = super::cut("ä".repeat(600));
        assert_eq!((cut.len(), super::cut("short".into())), (1_024, "short".into()));
        assert!(super::cut(format!("a{}", "ä".repeat(600))).len() == 1_023);
    }
}
