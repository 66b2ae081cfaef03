//! Damaged files of every format: never a panic, and always a failure that names the file.
//!
//! Two hundred of each kind; `UNDERWRITER_FULL=1` tries a hundred times as many.

use std::{io::Write as _, sync::LazyLock};

use flate2::{Compression, write::GzEncoder};
use polars::prelude::{ParquetWriter, df};
use proptest::{prelude::*, sample::Index};
use underwriter_tasks::train::source;

const NAME: &str = "s3://loans/part-1";

fn config() -> ProptestConfig {
    let cases = if std::env::var_os("UNDERWRITER_FULL").is_some() { 20_000 } else { 200 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

static CSV: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let row =
        |at: usize| format!("{at},Dec-20{:02},\" {} months\",\"a, \"\"{at}\"\"\r\nb\",1{at}.5%\r\n", at % 20, at % 60);
    let rows: String = (0..200).map(row).collect();
    format!("\u{feff}id,issue_d,term,title,int_rate\r\n{rows}").into_bytes()
});

static PARQUET: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let numbers: Vec<Option<f64>> = (0..500).map(|at| (at % 7 != 0).then(|| f64::from(at) / 3.0)).collect();
    let texts: Vec<String> = (0..500).map(|at| format!("level {}", at % 5)).collect();
    let ids: Vec<i32> = (0..500).collect();
    let mut frame = df!("x" => numbers, "purpose" => texts, "id" => ids).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
});

static GZIP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&CSV).unwrap();
    encoder.finish().unwrap()
});

static ZSTD: LazyLock<Vec<u8>> = LazyLock::new(|| zstd::encode_all(CSV.as_slice(), 1).unwrap());

static ZIP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("loans.csv", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(&CSV).unwrap();
    writer.finish().unwrap().into_inner()
});

/// Some bytes are others, and some are gone or come twice.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let file = prop::sample::select(vec![&CSV, &PARQUET, &GZIP, &ZSTD, &ZIP]);
    let bytes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..6);
    let cut = prop::option::of((any::<Index>(), any::<Index>(), any::<bool>()));
    (file, bytes, cut).prop_map(|(file, bytes, cut)| {
        let mut damaged = file.to_vec();
        let length = damaged.len();
        bytes.into_iter().for_each(|(at, byte)| damaged[at.index(length)] = byte);
        if let Some((from, to, twice)) = cut {
            let (from, to) = (from.index(length), to.index(length));
            let span = from.min(to)..from.max(to);
            let more = if twice { damaged[span.clone()].repeat(2) } else { Vec::new() };
            damaged.splice(span, more);
        }
        damaged
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn damaged_files_are_read_or_named(bytes in damaged()) {
        if let Err(failure) = source::read(&[(NAME.to_owned(), bytes)]) {
            prop_assert!(failure.to_string().starts_with("DataInvalid: "), "{}", failure);
            prop_assert!(failure.to_string().contains(NAME), "{}", failure);
        }
    }
}

#[test]
fn whole_files_are_read() {
    for file in [&CSV, &PARQUET, &GZIP, &ZSTD, &ZIP] {
        let source = source::read(&[(NAME.to_owned(), file.as_slice())]).unwrap();
        assert!(source.table.height() >= 200 && source.broken == 0);
    }
}
