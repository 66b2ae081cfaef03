//! Reports a person wants to read: one HTML file each, without scripts or anything from outside.
//!
//! [`card`] is the model card, for who has to sign for a version; [`data`] is what exploring the data would have shown.
//! [`page`] is the paper they are printed on, [`plot`] draws, [`text`] writes numbers. All are pure: the same values give
//! the same bytes. What comes from data is text and escaped as such.

pub mod card;
pub mod data;
pub mod page;
pub mod plot;
pub mod text;

#[cfg(test)]
mod tests;
