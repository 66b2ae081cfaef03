//! Writes the CRDs to the folder given: `make crds` keeps `crds/yaml` and the chart's copy current with it.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("usage: underwriter-crds FOLDER")?);
    fs::create_dir_all(&folder)?;
    for (file, crd) in underwriter_crds::all()? {
        fs::write(folder.join(file), underwriter_crds::to_yaml(&crd)?)?;
    }
    Ok(())
}
