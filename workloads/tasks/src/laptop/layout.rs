//! How an answer reads on a terminal: headings, and tables whose columns stand below each other.

use std::fmt;

/// Characters of the longest cell.
const WIDEST: usize = 72;

/// Rows of cells: the first column reads from the left, as do texts; numbers stand at the right.
#[derive(Clone, Debug)]
pub struct Table {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these names above its columns, of which the last `left` hold texts, as the first does.
    pub fn new<const N: usize>(names: [&str; N], left: usize) -> Self {
        Self { left, rows: vec![names.map(str::to_owned).to_vec()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| shortened(&cell)).to_vec());
    }

    /// Whether it has no row.
    pub const fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::from(" ");
            for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                let text = at == 0 || at + self.left >= columns;
                line.push(' ');
                line.push_str(&if text { format!("{cell}{pad}") } else { format!("{pad}{cell}") });
                line.push(' ');
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A heading with what stands below it; nothing where there is nothing.
#[must_use]
pub fn section(heading: &str, table: &Table) -> String {
    if table.is_empty() { String::new() } else { format!("\n{heading}\n{table}") }
}

/// 39786 as 39,786.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// .1425 as 14.3 %.
#[must_use]
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / whole as f64) }
}

/// What may be missing.
#[must_use]
pub fn maybe(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// On one line, and no longer than fits.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDEST {
        return line;
    }
    line.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Table, count, percent, section};

    #[test]
    fn stands_in_columns() {
        let mut table = Table::new(["", "loans", "why"], 1);
        assert_eq!(section("Rows", &table), "");
        table.row(["read".to_owned(), count(39_786), String::new()]);
        table.row(["not\nfinished".to_owned(), count(7), "Current".to_owned()]);
        let expected = "\nRows\n                 loans  why\n  read          39,786\n  not finished       7  Current\n";
        assert_eq!(section("Rows", &table), expected);
        assert_eq!((count(1_000_000), percent(1, 8), percent(0, 0)), ("1,000,000".into(), "12.5 %".into(), "–".into()));
    }
}
