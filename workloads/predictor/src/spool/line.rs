//! A record as one line: a checksum, a space, the record as JSON. A process killed while it writes leaves a torn line,
//! which the checksum tells from a whole one.
//!
//! The checksum is the first eight bytes of SHA-256, as hexadecimal digits.

use std::io::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// Digits of a checksum.
const DIGITS: usize = 16;
/// Checksum and space.
const PREFIX: usize = DIGITS + 1;

/// Appends one record with its line end. Compact JSON holds no line end of its own.
pub fn append(lines: &mut Vec<u8>, record: &impl Serialize) -> Result<(), serde_json::Error> {
    let start = lines.len();
    lines.extend_from_slice(&[b' '; PREFIX]);
    serde_json::to_writer(&mut *lines, record)?;
    if let Some((prefix, body)) = lines.get_mut(start..).and_then(|line| line.split_at_mut_checked(PREFIX)) {
        prefix[..DIGITS].copy_from_slice(&checksum(body));
    }
    lines.push(b'\n');
    Ok(())
}

/// The record's JSON, where the line (without its end) is whole.
#[must_use]
pub fn body(line: &[u8]) -> Option<&[u8]> {
    let (prefix, body) = line.split_at_checked(PREFIX)?;
    let (digits, space) = prefix.split_at(DIGITS);
    (space == b" " && digits == checksum(body)).then_some(body)
}

fn checksum(body: &[u8]) -> [u8; DIGITS] {
    let hash = Sha256::digest(body);
    let mut digits = [0; DIGITS];
    let head: [u8; 8] = std::array::from_fn(|byte| hash[byte]);
    let _ = write!(digits.as_mut_slice(), "{:016x}", u64::from_be_bytes(head)); // sixteen digits always fit
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{append, body};

    #[test]
    fn checksum_is_the_published_one() {
        let mut line = Vec::new();
        append(&mut line, &serde_json::json!(1)).unwrap();
        // echo -n 1 | sha256sum
        assert_eq!(line, b"6b86b273ff34fce1 1\n");
    }

    proptest! {
        #[test]
        fn a_whole_line_is_read_and_a_torn_or_changed_one_is_not(text: String, cut: prop::sample::Index, flip in 0..8_u8) {
            let mut line = Vec::new();
            append(&mut line, &text).unwrap();
            prop_assert_eq!(line.pop(), Some(b'\n'));
            prop_assert!(!line.contains(&b'\n'));
            let read: String = serde_json::from_slice(body(&line).unwrap()).unwrap();
            prop_assert_eq!(&read, &text);

            let at = cut.index(line.len());
            prop_assert!(body(&line[..at]).is_none());
            line[at] ^= 1 << flip;
            prop_assert!(body(&line).is_none());
        }

        #[test]
        fn nonsense_is_no_record(line: Vec<u8>) {
            prop_assert!(body(&line).is_none());
        }
    }
}
