//! Writing a page to a file of the person's own, at their own machine.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Writes a new file that only its user may read; a name without a folder is put into `folder`. Gives where it is. What is
/// there already is never written over, and a file that could not be written whole does not stay.
///
/// # Errors
/// In words for the person, who may type another name.
pub fn write_new(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let typed = Path::new(name.trim());
    if typed.file_name().is_none() {
        return Err("Type the name of a file.".to_owned());
    }
    let plain = typed.components().count() == 1;
    let path = if plain {
        folder.join(typed)
    } else {
        typed.to_owned()
    };
    let told = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!(
                "{} is there already, and stays as it is: type another name.",
                path.display()
            )
        }
        _ => format!("{} could not be written: {error}.", path.display()),
    };
    if plain && !folder.is_dir() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(told)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(told)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        // A part of a page would be taken for the whole; that it cannot be taken away is told by the same words.
        let _ = fs::remove_file(&path);
        return Err(told(error));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_page_is_a_new_file_of_its_users_own() {
        let folder = std::env::temp_dir().join(format!("valmed-files-{}", uuid::Uuid::now_v7()));
        let path = write_new(&folder, " record.txt ", "one").unwrap();
        assert_eq!(path, folder.join("record.txt"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
        let why = write_new(&folder, "record.txt", "two").unwrap_err();
        assert!(why.contains("is there already"), "{why}");
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "one",
            "it stays as it is"
        );
        let elsewhere = folder.join("x.txt").display().to_string();
        write_new(Path::new("/nowhere"), &elsewhere, "three").unwrap();
        for wrong in ["", " ", "..", "/"] {
            assert!(write_new(&folder, wrong, "x").is_err(), "{wrong:?}");
        }
        let why = write_new(&folder, "no/such/folder.txt", "x").unwrap_err();
        assert!(why.contains("could not be written"), "{why}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
