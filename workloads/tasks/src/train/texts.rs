//! A column of texts: each distinct text once, and a number for every row.
//!
//! Loans repeat themselves: few columns have more than some thousand different texts among a million rows. So a row costs
//! four bytes, and what a text means has to be found once only. Not here: what the texts mean.

use std::{hash::BuildHasher as _, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};

/// The number of a row without a text.
const NONE: u32 = u32::MAX;

/// A column of texts.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    name: String,
    distinct: Arc<Distinct>,
    codes: Vec<u32>,
}

/// Different texts, one behind the other.
#[derive(Clone, Debug, Default)]
struct Distinct {
    text: String,
    ends: Vec<usize>,
}

/// A column that grows row by row.
#[derive(Debug, Default)]
pub struct Builder {
    distinct: Distinct,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    codes: Vec<u32>,
}

impl Texts {
    /// A column of these cells.
    pub fn new<'a>(name: impl Into<String>, cells: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut builder = Builder::default();
        cells.into_iter().for_each(|cell| builder.push(cell));
        builder.finish(name)
    }

    /// A column without a single text.
    pub fn empty(name: impl Into<String>, rows: usize) -> Self {
        Self { name: name.into(), distinct: Arc::default(), codes: vec![NONE; rows] }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same under another name.
    #[must_use]
    pub fn renamed(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The text of a row; none where there is none, or no such row.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.codes.get(row).and_then(|code| self.distinct.get(*code))
    }

    /// The text of each row.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.codes.iter().map(|code| self.distinct.get(*code))
    }

    /// Every different text of some row, in the order in which they came first, and of how many rows it is.
    pub fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut counts = vec![0; self.distinct.ends.len()];
        for code in self.codes.iter().filter(|code| **code != NONE) {
            counts[*code as usize] += 1;
        }
        counts
            .into_iter()
            .zip(0..)
            .filter(|(count, _)| *count > 0)
            .filter_map(|(count, code)| self.distinct.get(code).map(|text| (text, count)))
    }

    /// What a function makes of the text of each row; it is asked once a text.
    pub fn map<T: Clone>(&self, mut function: impl FnMut(Option<&str>) -> T) -> Vec<T> {
        let missing = function(None);
        let mut known = vec![None; self.distinct.ends.len()];
        let mut of = |code: u32| match known.get_mut(code as usize) {
            Some(known) => known.get_or_insert_with(|| function(self.distinct.get(code))).clone(),
            None => missing.clone(),
        };
        self.codes.iter().map(|code| of(*code)).collect()
    }

    /// Some of its rows, in the order given. The texts are shared.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let code = |row: &usize| self.codes.get(*row).copied().unwrap_or(NONE);
        Self { name: self.name.clone(), distinct: Arc::clone(&self.distinct), codes: rows.iter().map(code).collect() }
    }

    /// Adds the rows of another column.
    pub fn append(&mut self, other: &Self) {
        let mut builder = Builder::over(std::mem::take(&mut *Arc::make_mut(&mut self.distinct)));
        let known: Vec<u32> = other.distinct.iter().map(|text| builder.place(text)).collect();
        self.distinct = Arc::new(builder.distinct);
        self.codes.reserve_exact(other.codes.len());
        self.codes.extend(other.codes.iter().map(|code| known.get(*code as usize).copied().unwrap_or(NONE)));
    }
}

impl Distinct {
    fn get(&self, code: u32) -> Option<&str> {
        let end = *self.ends.get(code as usize)?;
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before as usize]);
        self.text.get(start..end)
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end])
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }
}

impl Builder {
    /// Goes on where other texts ended.
    fn over(distinct: Distinct) -> Self {
        let mut builder = Self { distinct, ..Self::default() };
        let Self { distinct, places, hasher, .. } = &mut builder;
        let hash = |text: &str| hasher.hash_one(text);
        for (code, text) in (0..).zip(distinct.iter()) {
            places.insert_unique(hash(text), code, |code| hash(distinct.get(*code).unwrap_or_default()));
        }
        builder
    }

    /// Adds a row. An empty text is none.
    pub fn push(&mut self, cell: Option<&str>) {
        let code = cell.filter(|text| !text.is_empty()).map_or(NONE, |text| self.place(text));
        self.codes.push(code);
    }

    /// The number of a text, a new one where it was not seen before.
    fn place(&mut self, text: &str) -> u32 {
        let Self { distinct, places, hasher, .. } = self;
        let of = |code: &u32| distinct.get(*code).unwrap_or_default();
        match places.entry(hasher.hash_one(text), |code| of(code) == text, |code| hasher.hash_one(of(code))) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let code = u32::try_from(distinct.ends.len()).unwrap_or(NONE);
                place.insert(code);
                distinct.push(text);
                code
            }
        }
    }

    /// The column.
    pub fn finish(mut self, name: impl Into<String>) -> Texts {
        self.codes.shrink_to_fit();
        Texts { name: name.into(), distinct: Arc::new(self.distinct), codes: self.codes }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{option, prelude::*};

    use super::Texts;

    fn cells(texts: &Texts) -> Vec<Option<&str>> {
        texts.iter().collect()
    }

    fn column(cells: &[Option<String>]) -> Texts {
        Texts::new("x", cells.iter().map(Option::as_deref))
    }

    #[test]
    fn counts_texts_that_are_left() {
        let texts = Texts::new("x", [Some("a"), None, Some("b"), Some("a"), Some("")]);
        assert_eq!(texts.counts().collect::<Vec<_>>(), [("a", 2), ("b", 1)]);
        assert_eq!(texts.take(&[2, 4]).counts().collect::<Vec<_>>(), [("b", 1)]);
        assert_eq!(texts.get(9), None);
    }

    #[test]
    fn asks_once_a_text() {
        let mut asked = Vec::new();
        let lengths = Texts::new("x", [Some("ab"), None, Some("ab"), Some("c")]).map(|text| {
            asked.push(text.map(str::to_owned));
            text.map_or(0, str::len)
        });
        assert_eq!((lengths, asked.len()), (vec![2, 0, 2, 1], 3));
    }

    proptest! {
        #[test]
        fn holds_what_came_in(
            one in prop::collection::vec(option::of("[a-c]{1,2}"), 0..40),
            other in prop::collection::vec(option::of("[b-e]{1,2}"), 0..40),
        ) {
            let mut texts = column(&one);
            let shared = texts.clone();
            texts.append(&column(&other));
            let expected: Vec<_> = one.iter().chain(&other).map(Option::as_deref).collect();
            prop_assert_eq!(cells(&texts), expected.clone());
            prop_assert_eq!(cells(&shared), expected[..one.len()].to_vec());
            let backwards: Vec<usize> = (0..expected.len()).rev().collect();
            let turned = texts.take(&backwards);
            prop_assert_eq!(cells(&turned), expected.into_iter().rev().collect::<Vec<_>>());
        }
    }
}
