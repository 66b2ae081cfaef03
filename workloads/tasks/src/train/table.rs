//! Rows as texts, column by column: what every source comes to before anything is interpreted.
//!
//! Types are found later, by the code that reads requests, so that training and serving cannot differ.

use super::texts::Texts;

/// Rows as texts, column by column.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Texts>,
    height: usize,
}

impl Table {
    /// A table of columns that all have so many rows.
    pub const fn new(columns: Vec<Texts>, height: usize) -> Self {
        Self { columns, height }
    }

    /// A table of rows that all have a cell for each name.
    pub fn from_rows(names: &[&str], rows: &[Vec<Option<String>>]) -> Self {
        let cells = |at: usize| rows.iter().map(move |row| row.get(at).and_then(Option::as_deref));
        let columns = names.iter().enumerate().map(|(at, name)| Texts::new(*name, cells(at))).collect();
        Self { columns, height: rows.len() }
    }

    /// How many rows there are.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(Texts::name)
    }

    /// The texts of a column.
    pub fn column(&self, name: &str) -> Option<&Texts> {
        self.columns.iter().find(|column| column.name() == name)
    }

    /// The cells of a column, row by row; none where there is no such column.
    pub fn cells<'a>(&'a self, name: &str) -> impl Iterator<Item = Option<&'a str>> + use<'a> {
        self.column(name).into_iter().flat_map(Texts::iter)
    }

    /// Some of its rows, in the order given.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        Self { columns: self.columns.iter().map(|column| column.take(rows)).collect(), height: rows.len() }
    }

    /// Adds the rows of another table; a column that only one of the two has is empty in the rows of the other. Names
    /// that differ in the case of letters only are one column.
    pub fn append(&mut self, mut other: Self) {
        if self.columns.is_empty() && self.height == 0 {
            *self = other;
            return;
        }
        for name in self.names().map(str::to_owned).collect::<Vec<_>>() {
            other.spell(&name);
        }
        for name in other.names().filter(|name| self.column(name).is_none()).map(str::to_owned).collect::<Vec<_>>() {
            self.columns.push(Texts::empty(name, self.height));
        }
        for column in &mut self.columns {
            let absent = || Texts::empty("", other.height);
            column.append(&other.column(column.name()).cloned().unwrap_or_else(absent));
        }
        self.height += other.height;
    }

    /// Gives a column the spelling `name` where it is there in other letters: `Loan_Status` for `loan_status`. Nothing
    /// changes where there is a column of that very name, or more than one it could be.
    pub fn spell(&mut self, name: &str) {
        let alike = |column: &&mut Texts| column.name().trim().eq_ignore_ascii_case(name.trim());
        if self.column(name).is_some() {
            return;
        }
        let mut found = self.columns.iter_mut().filter(alike);
        if let (Some(column), None) = (found.next(), found.next()) {
            *column = std::mem::take(column).renamed(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    fn row(cells: &[&str]) -> Vec<Option<String>> {
        cells.iter().map(|cell| Some((*cell).to_owned()).filter(|cell| !cell.is_empty())).collect()
    }

    #[test]
    fn appends_by_name() {
        let mut table = Table::from_rows(&["a", "b"], &[row(&["1", ""])]);
        table.append(Table::from_rows(&["c", "B"], &[row(&["2", "3"])]));
        let column = |name| table.column(name).unwrap().iter().collect::<Vec<_>>();
        assert_eq!(table.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(
            (table.height(), column("a"), column("b"), column("c")),
            (2, vec![Some("1"), None], vec![None, Some("3")], vec![None, Some("2")])
        );
    }

    #[test]
    fn spells_a_column_as_it_is_asked_for() {
        let mut table = Table::from_rows(&["Loan_Status", "dti", "DTI", "Grade", "GRADE"], &[]);
        for name in ["loan_status", "dti", "grade", "none"] {
            table.spell(name);
        }
        assert_eq!(table.names().collect::<Vec<_>>(), ["loan_status", "dti", "DTI", "Grade", "GRADE"]);
    }
}
