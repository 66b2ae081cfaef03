//! The paper that reports are printed on: one file, readable in any browser, dark where the reader wants it so.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Nothing is loaded, nothing runs: a page that data has found a way into could still do nothing.
const HEAD: PreEscaped<&str> = PreEscaped(
    "<meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
     <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>",
);
const STYLE: PreEscaped<&str> = PreEscaped(include_str!("page.css"));

/// A report.
#[derive(Debug)]
pub struct Page {
    /// What kind of report.
    pub kind: &'static str,
    /// Of what.
    pub title: String,
    /// In a sentence.
    pub lead: String,
    /// What matters most.
    pub tiles: Vec<Tile>,
    /// The rest.
    pub sections: Vec<Section>,
    /// Last line.
    pub footer: String,
}

/// One figure that matters.
#[derive(Debug)]
pub struct Tile {
    /// What it is.
    pub name: String,
    /// The figure.
    pub value: String,
    /// What should be known of it.
    pub note: String,
}

/// One section.
#[derive(Debug)]
pub struct Section {
    /// For links, without spaces.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it says.
    pub body: Markup,
}

impl Page {
    /// The whole file.
    pub fn render(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head { (HEAD) title { (self.title) " · " (self.kind) } style { (STYLE) } }
                body { main { (self.head()) @for section in &self.sections { (section.render()) } footer { (self.footer) } } }
            }
        };
        page.into_string()
    }

    fn head(&self) -> Markup {
        html! {
            p.kicker { (self.kind) }
            h1 { (self.title) }
            p.lead { (self.lead) }
            div.tiles { @for tile in &self.tiles { div.tile { span { (tile.name) } b { (tile.value) } span { (tile.note) } } } }
            nav { @for section in &self.sections { a href={ "#" (section.id) } { (section.title) } } }
        }
    }
}

impl Section {
    fn render(&self) -> Markup {
        html! { section id=(self.id) { h2 { (self.title) } (self.body) } }
    }
}

/// A cell of a table.
#[derive(Debug)]
pub enum Cell {
    /// Running text.
    Text(String),
    /// A name from the data or the configuration.
    Name(String),
    /// A number.
    Number(String),
    /// A digest or the like.
    Code(String),
}

impl Cell {
    fn render(&self) -> Markup {
        match self {
            Self::Text(text) => html! { td { (text) } },
            Self::Name(text) => html! { td.name { (text) } },
            Self::Number(text) => html! { td.n { (text) } },
            Self::Code(text) => html! { td { code { (text) } } },
        }
    }
}

/// Text of a cell.
pub fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

/// A name from the data or the configuration.
pub fn name(text: impl Into<String>) -> Cell {
    Cell::Name(text.into())
}

/// A number of a cell.
pub fn number(text: impl Into<String>) -> Cell {
    Cell::Number(text.into())
}

/// A table whose headings stand as the cells of its first row do.
pub fn table(headings: &[&str], rows: &[Vec<Cell>]) -> Markup {
    let is_number =
        |at: usize| rows.first().and_then(|row| row.get(at)).is_some_and(|cell| matches!(cell, Cell::Number(_)));
    html! {
        div.scroll { table {
            thead { tr { @for (at, heading) in headings.iter().enumerate() {
                @if is_number(at) { th.n { (heading) } } @else { th { (heading) } }
            } } }
            tbody { @for row in rows { tr { @for cell in row { (cell.render()) } } } }
        } }
    }
}

/// Names and what they are.
pub fn facts(rows: &[(&str, Cell)]) -> Markup {
    html! { div.scroll { table { tbody { @for (name, cell) in rows { tr { th { (name) } (cell.render()) } } } } } }
}

/// A drawing with its title and what it shows.
pub fn figure(title: &str, explanation: &str, drawing: Markup) -> Markup {
    html! { figure { figcaption { b { (title) } span { (explanation) } } (drawing) } }
}

/// The same, over the whole width.
pub fn wide_figure(title: &str, explanation: &str, drawing: Markup) -> Markup {
    html! { figure.whole { figcaption { b { (title) } span { (explanation) } } (drawing) } }
}
