//! The known name that a mistyped one may have meant.

/// Names further apart than this are not the same name mistyped.
const FARTHEST: usize = 2;

/// The known name nearest to `name`, at most two edits away; the first in the alphabet of equally near ones.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(known_length_bound()).collect();
    known
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.chars().collect();
            (letters.len().abs_diff(name.len()) <= FARTHEST).then(|| (distance(&name, &letters), candidate))
        })
        .filter(|(distance, candidate)| *distance <= FARTHEST && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Column names have at most 128 characters; a longer name is none of them.
const fn known_length_bound() -> usize {
    128 + FARTHEST + 1
}

/// Levenshtein's distance, row by row.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mistyped_are_found() {
        let known = ["dti", "annual_inc", "term"];
        let find = |name| nearest(name, known.into_iter());
        assert_eq!(find("annualinc"), Some("annual_inc"));
        assert_eq!(find("anual_income"), None);
        assert_eq!(find("dit"), Some("dti"));
        assert_eq!(find("x"), None, "every letter would differ");
        assert_eq!(find(&"term".repeat(100_000)), None);
    }

    #[test]
    fn edits_are_counted() {
        let distance =
            |a: &str, b: &str| super::distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "abc"), distance("abc", "")), (3, 3));
    }
}
