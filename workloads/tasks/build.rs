//! Links LightGBM's C++ and OpenMP runtimes statically.
//!
//! `lightgbm3-sys` asks the linker for `libgomp.so` and `libstdc++.so`; in a static binary those crash at start.
//! A search folder that holds only the archives leaves the linker no other choice.

use std::{env, error::Error, fs, os::unix::fs::symlink, path::PathBuf, process::Command};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("archives");
    fs::create_dir_all(&folder)?;
    for archive in ["libstdc++.a", "libgomp.a"] {
        let link = folder.join(archive);
        let _ = fs::remove_file(&link);
        symlink(locate(archive)?, link)?;
    }
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}

/// Where the C compiler keeps one of its archives.
fn locate(archive: &str) -> Result<PathBuf, Box<dyn Error>> {
    let output = Command::new("gcc").arg(format!("-print-file-name={archive}")).output()?;
    let path = PathBuf::from(String::from_utf8(output.stdout)?.trim());
    if path.is_absolute() { Ok(path) } else { Err(format!("gcc has no {archive}: install g++ and libgomp").into()) }
}
