//! The lines of a booster's text, and the values of their keys.

use std::{collections::HashMap, str::FromStr};

use super::{BoosterError, Fault};

/// More lines than LightGBM writes in any section.
const MOST_LINES: usize = 100;

/// The lines with their numbers, from 1.
pub(super) struct Lines<'a> {
    lines: std::iter::Peekable<std::iter::Zip<std::ops::RangeFrom<usize>, std::str::Lines<'a>>>,
    last: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (number, line) = self.lines.next()?;
        self.last = number;
        Some((number, line))
    }
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { lines: (1..).zip(text.lines()).peekable(), last: 1 }
    }

    pub(super) fn fault(&self, tree: Option<usize>, fault: Fault) -> BoosterError {
        BoosterError { line: self.last, tree, fault }
    }

    /// The lines up to the next empty one, and the empty ones after it.
    pub(super) fn section(&mut self, tree: Option<usize>) -> Result<Section<'a>, BoosterError> {
        let mut section = Section { tree, line: self.last, values: HashMap::new() };
        while let Some((number, line)) = self.next().filter(|(_, line)| !line.is_empty()) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            section.values.insert(key, (number, value));
            if section.values.len() > MOST_LINES {
                return Err(self.fault(tree, Fault::TooMany("lines in a section", MOST_LINES)));
            }
        }
        while self.lines.next_if(|(_, line)| line.is_empty()).is_some() {}
        Ok(section)
    }

    /// The section of a tree, which must be the next.
    pub(super) fn tree(&mut self, index: usize) -> Result<Section<'a>, BoosterError> {
        let number = self.next().and_then(|(_, line)| line.strip_prefix("Tree=")?.parse().ok());
        if number == Some(index) {
            return self.section(Some(index));
        }
        Err(self.fault(Some(index), Fault::Expected("Tree=")))
    }

    /// The end of the trees, after which nothing matters.
    pub(super) fn end(&mut self) -> Result<(), BoosterError> {
        match self.next() {
            Some((_, "end of trees")) => Ok(()),
            _ => Err(self.fault(None, Fault::Expected("end of trees"))),
        }
    }
}

/// The keys of the header or of a tree.
pub(super) struct Section<'a> {
    tree: Option<usize>,
    line: usize,
    values: HashMap<&'a str, (usize, &'a str)>,
}

impl<'a> Section<'a> {
    pub(super) fn find(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).map(|(_, value)| *value)
    }

    pub(super) fn text(&self, key: &'static str) -> Result<&'a str, BoosterError> {
        self.find(key).ok_or_else(|| self.fault(key, Fault::Absent(key)))
    }

    pub(super) fn number<T: FromStr>(&self, key: &'static str) -> Result<T, BoosterError> {
        self.text(key)?.parse().map_err(|_| self.value(key, "a whole number, not negative"))
    }

    pub(super) fn numbers<T: FromStr>(&self, key: &'static str, count: usize) -> Result<Vec<T>, BoosterError> {
        let numbers: Result<Vec<T>, _> =
            self.text(key)?.split_ascii_whitespace().take(count + 1).map(str::parse).collect();
        numbers.ok().filter(|numbers| numbers.len() == count).ok_or_else(|| self.value(key, format!("{count} numbers")))
    }

    pub(super) fn finite(&self, key: &'static str, count: usize) -> Result<Vec<f64>, BoosterError> {
        let numbers: Vec<f64> = self.numbers(key, count)?;
        let finite = numbers.iter().all(|number| number.is_finite());
        finite.then_some(numbers).ok_or_else(|| self.value(key, "finite"))
    }

    /// Counts of rows; none may be 0, for shares are taken of them.
    pub(super) fn rows(&self, key: &'static str, count: usize) -> Result<Vec<f64>, BoosterError> {
        let rows: Vec<u32> = self.numbers(key, count)?;
        let some = rows.iter().all(|rows| *rows > 0);
        some.then(|| rows.into_iter().map(f64::from).collect()).ok_or_else(|| self.value(key, "at least 1 everywhere"))
    }

    pub(super) fn at_most(&self, key: &str, what: &'static str, count: usize, most: usize) -> Result<(), BoosterError> {
        if count <= most { Ok(()) } else { Err(self.fault(key, Fault::TooMany(what, most))) }
    }

    pub(super) fn value(&self, key: &'static str, expected: impl Into<String>) -> BoosterError {
        self.fault(key, Fault::Value { key, expected: expected.into() })
    }

    pub(super) fn unsupported(&self, key: &str, what: &'static str) -> BoosterError {
        self.fault(key, Fault::Unsupported(what))
    }

    pub(super) fn fault(&self, key: &str, fault: Fault) -> BoosterError {
        let line = self.values.get(key).map_or(self.line, |(line, _)| *line);
        BoosterError { line, tree: self.tree, fault }
    }
}
