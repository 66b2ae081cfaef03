//! Where a version comes from: enough to make it again.

use maud::{Markup, html};
use underwriter_contract::{manifest::Manifest, request::Trigger};

use super::Card;
use crate::report::page::{self, Cell, facts, name, table};

/// Run, configuration and files.
pub fn section(card: &Card) -> Markup {
    let Manifest { run, code, trigger, config_digest, data, learning, .. } = card.manifest;
    let file = |(file, digest): (&String, &underwriter_contract::Digest)| {
        vec![name(file), Cell::Code(digest.as_str().to_owned())]
    };
    html! {
        (facts(&[
            ("run", Cell::Code(run.clone())),
            ("trigger", page::text(cause(trigger))),
            ("configuration", Cell::Code(config_digest.as_str().to_owned())),
            ("rows", Cell::Code(data.digest.as_str().to_owned())),
            ("seed", page::text(learning.training.seed.to_string())),
            ("code", page::text(format!("Underwriter {code}"))),
        ]))
        p { "The same rows, configuration, seed and code give the same bytes. The manifest digests this card and every other file; its own
            digest stands in the ModelVersion." }
        (table(&["file", "SHA-256"], &card.files.iter().map(file).collect::<Vec<_>>()))
    }
}

fn cause(Trigger { kind, token, episodes, scheduled }: &Trigger) -> String {
    let moment = scheduled.map(|moment| moment.to_string());
    let what: String = token.iter().chain(episodes).chain(&moment).map(|word| format!(" {word}")).collect();
    format!("{kind:?}{what}")
}
