//! How numbers are written.

/// Between a number and its unit: narrow, and no line ends there.
const SPACE: char = '\u{202f}';

/// `14.5 %`; below a tenth of a percent with as many decimals as it takes.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let decimals = if percent == 0.0 || percent.abs() >= 0.095 { 1 } else { 3 };
    format!("{percent:.decimals$}{SPACE}%")
}

/// `39,717`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let separated = digits.char_indices().flat_map(|(at, digit)| {
        let separator = at > 0 && (digits.len() - at).is_multiple_of(3);
        separator.then_some(',').into_iter().chain([digit])
    });
    separated.collect()
}

/// Three decimals.
pub fn decimal(number: f64) -> String {
    // no sign where nothing is left of the number
    format!("{:.3}", if number.abs() < 0.000_5 { 0.0 } else { number }).replace('-', "−")
}

/// With its sign, as `+0.25`.
pub fn signed(number: f64) -> String {
    if number.abs() < 0.005 { "0.00".to_owned() } else { format!("{number:+.2}").replace('-', "−") }
}

/// As short as three digits allow: `0.35`, `12.5`, `8,200`, `1.5M`.
pub fn short(number: f64) -> String {
    let size = number.abs();
    let sign = if number < 0.0 { "−" } else { "" };
    let digits = match size {
        0.0 => "0".to_owned(),
        size if size >= 9.995e8 => format!("{}bn", trimmed(size / 1e9, 2)),
        size if size >= 9.995e5 => format!("{}M", trimmed(size / 1e6, 2)),
        size if size >= 9999.5 => format!("{}k", trimmed(size / 1e3, 1)),
        size if size >= 999.5 => count(size.round() as u64),
        size if size >= 99.95 => trimmed(size, 0),
        size if size >= 9.995 => trimmed(size, 1),
        size if size >= 0.01 => trimmed(size, 2),
        size => format!("{size:.1e}"),
    };
    format!("{sign}{digits}")
}

fn trimmed(number: f64, decimals: usize) -> String {
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// At most so many characters.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{count, cut, decimal, percent, short, signed};

    #[test]
    fn numbers_are_short_and_plain() {
        assert_eq!(percent(0.1451), "14.5\u{202f}%");
        assert_eq!(percent(0.0004), "0.040\u{202f}%");
        assert_eq!(
            (count(999), count(1000), count(39_717), count(1_234_567)),
            ("999".into(), "1,000".into(), "39,717".into(), "1,234,567".into())
        );
        let numbers = [0.0, 0.254, 0.0001, 9.999, 12.5, 100.0, 999.6, 8200.0, 10_000.0, 1_500_000.0, -2.5, 2e9];
        assert_eq!(
            numbers.map(short),
            ["0", "0.25", "1.0e-4", "10", "12.5", "100", "1,000", "8,200", "10k", "1.5M", "−2.5", "2bn"]
        );
        assert_eq!((signed(-0.25), signed(0.5), signed(-0.001)), ("−0.25".into(), "+0.50".into(), "0.00".into()));
        assert_eq!((decimal(-1.9374), decimal(-0.0001)), ("−1.937".into(), "0.000".into()));
        assert_eq!((cut("abcdef", 6), cut("abcdefg", 6)), ("abcdef".into(), "abcde…".into()));
    }
}
