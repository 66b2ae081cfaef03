//! Rows as texts, column by column: what every source comes to before anything is interpreted.
//!
//! Types are found later, by the code that reads requests, so that training and serving cannot differ.

use polars::prelude::{ChunkFullNull, DataFrame, DataType, NewChunkedArray, PolarsResult, StringChunked};

/// Rows as texts, column by column.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<StringChunked>,
    height: usize,
}

impl Table {
    /// Every cell of a frame as text; of a moment, its day.
    ///
    /// # Errors
    /// When a column holds lists or structures.
    pub fn from_frame(frame: &DataFrame) -> PolarsResult<Self> {
        let text = |column: &polars::prelude::Column| -> PolarsResult<StringChunked> {
            let column = match column.dtype() {
                DataType::Datetime(..) => column.cast(&DataType::Date)?,
                _ => column.clone(),
            };
            Ok(column.strict_cast(&DataType::String)?.str()?.rechunk().into_owned())
        };
        Ok(Self { columns: frame.columns().iter().map(text).collect::<PolarsResult<_>>()?, height: frame.height() })
    }

    /// A table of rows that all have a cell for each name.
    pub fn from_rows(names: &[&str], rows: &[Vec<Option<String>>]) -> Self {
        let cells = |at: usize| rows.iter().map(move |row| row.get(at).and_then(Option::as_deref));
        let column = |(at, name): (usize, &&str)| StringChunked::from_iter_options((*name).into(), cells(at));
        Self { columns: names.iter().enumerate().map(column).collect(), height: rows.len() }
    }

    /// How many rows there are.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The names of the columns, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name().as_str())
    }

    /// The texts of a column.
    pub fn column(&self, name: &str) -> Option<&StringChunked> {
        self.columns.iter().find(|column| column.name().as_str() == name)
    }

    /// The cells of a column, row by row; none where there is no such column.
    pub fn cells<'a>(&'a self, name: &str) -> impl Iterator<Item = Option<&'a str>> + use<'a> {
        self.column(name).into_iter().flat_map(|column| (0..column.len()).map(|row| column.get(row)))
    }

    /// Some of its rows, in the order given.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let take = |column: &StringChunked| {
            StringChunked::from_iter_options(column.name().clone(), rows.iter().map(|row| column.get(*row)))
        };
        Self { columns: self.columns.iter().map(take).collect(), height: rows.len() }
    }

    /// Adds the rows of another table; a column that only one of the two has is empty in the rows of the other.
    ///
    /// # Errors
    /// When polars runs out of what a column can hold.
    pub fn append(&mut self, other: &Self) -> PolarsResult<()> {
        for name in other.names().filter(|name| self.column(name).is_none()).map(str::to_owned).collect::<Vec<_>>() {
            self.columns.push(StringChunked::full_null(name.into(), self.height));
        }
        for column in &mut self.columns {
            let absent = || StringChunked::full_null(column.name().clone(), other.height);
            let more = other.column(column.name()).cloned().unwrap_or_else(absent);
            column.append(&more)?;
            *column = column.rechunk().into_owned();
        }
        self.height += other.height;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn appends_by_name() {
        let mut table = Table::from_rows(&["a", "b"], &[vec![Some("1".into()), None]]);
        table.append(&Table::from_rows(&["c", "b"], &[vec![Some("2".into()), Some("3".into())]])).unwrap();
        let column = |name| table.column(name).unwrap().iter().collect::<Vec<_>>();
        assert_eq!(table.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(
            (table.height(), column("a"), column("b"), column("c")),
            (2, vec![Some("1"), None], vec![None, Some("3")], vec![None, Some("2")])
        );
    }
}
