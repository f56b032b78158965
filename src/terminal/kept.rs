//! What people have set about their terminals, kept from one sign-in to the next: a file of few lines, which whoever looks
//! after the machine can read and change too.
//!
//! A terminal is known by where it is and what it calls itself: `192.0.2.7 vt220` over the network, `user 1004 xterm` for
//! who joins from this machine, `here linux` at the local terminal. It belongs to a place and not to a person, because a
//! thin terminal on a counter is the same for everybody who stands before it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::tui::Look;

/// Terminals that are kept. A hospital has fewer; whoever makes up names does not fill a disk.
const MOST: usize = 5000;
/// Stands at the top of the file.
const HEAD: &str = "# What people have set about their terminals, on the page 'Terminal'. Empty: as the terminal says.\n\
                    # colours: none, 8, 16, 256, true; charset: utf-8, latin-1, vt, ascii; plain: true, false.\n\n";

/// One entry of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    #[serde(skip_serializing_if = "String::is_empty")]
    colours: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    charset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plain: Option<bool>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", .path.display())]
pub struct BadKept {
    path: PathBuf,
    why: String,
}

/// The terminals of which something is kept.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    looks: Mutex<BTreeMap<String, Look>>,
}

impl Kept {
    /// Reads the file; one that is not there keeps nothing yet.
    ///
    /// # Errors
    /// [`BadKept`].
    pub fn open(path: PathBuf) -> Result<Kept, BadKept> {
        let looks = Mutex::new(read(&path)?);
        Ok(Kept { path, looks })
    }

    /// Reads the file again. What cannot be read changes nothing.
    ///
    /// # Errors
    /// [`BadKept`].
    pub fn reread(&self) -> Result<(), BadKept> {
        let looks = read(&self.path)?;
        *self.looks() = looks;
        Ok(())
    }

    /// What is kept of a terminal.
    pub fn look(&self, place: &str) -> Look {
        self.looks().get(place).copied().unwrap_or_default()
    }

    /// Keeps it, on disk, before it returns; nothing is kept of one that is to be as it says.
    ///
    /// # Errors
    /// [`BadKept`]: it is as it was.
    pub fn keep(&self, place: &str, look: Look) -> Result<(), BadKept> {
        let mut looks = self.looks();
        // Another program of this user, or a person, may have changed it.
        let mut changed = read(&self.path)?;
        if look == Look::default() {
            changed.remove(place);
        } else {
            changed.insert(place.to_owned(), look);
        }
        if changed.len() > MOST {
            return Err(self.bad(format!("{MOST} terminals are kept already")));
        }
        self.write(&changed)
            .map_err(|error| self.bad(error.to_string()))?;
        *looks = changed;
        Ok(())
    }

    /// All of it or nothing: whoever reads it meanwhile reads what was there before.
    fn write(&self, looks: &BTreeMap<String, Look>) -> io::Result<()> {
        let entries: BTreeMap<&String, Entry> = looks
            .iter()
            .map(|(place, look)| {
                let (colours, charset, _) = look.words();
                let entry = Entry {
                    colours: colours.to_owned(),
                    charset: charset.to_owned(),
                    plain: look.plain,
                };
                (place, entry)
            })
            .collect();
        let text = toml::to_string(&entries).map_err(io::Error::other)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(HEAD.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    fn bad(&self, why: String) -> BadKept {
        BadKept {
            path: self.path.clone(),
            why,
        }
    }

    fn looks(&self) -> MutexGuard<'_, BTreeMap<String, Look>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Look>, BadKept> {
    let bad = |why: String| BadKept {
        path: path.to_owned(),
        why,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(bad(error.to_string())),
    };
    let entries: BTreeMap<String, Entry> =
        toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let mut looks = BTreeMap::new();
    for (place, entry) in entries {
        let mut look = Look::of_words(&entry.colours, &entry.charset, "");
        look.plain = entry.plain;
        if look.words().0 != entry.colours || look.words().1 != entry.charset {
            let why = format!("'{place}' has colours or a charset that there are not");
            return Err(bad(why));
        }
        looks.insert(place, look);
    }
    Ok(looks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/terminals.toml");
        let kept = Kept::open(path.clone()).unwrap();
        assert_eq!(kept.look("here linux"), Look::default());
        let look = Look::of_words("8", "latin-1", "true");
        kept.keep("192.0.2.7 vt220", look).unwrap();
        kept.keep("here \"linux\"]\n", Look::of_words("", "", "false"))
            .unwrap();
        let again = Kept::open(path.clone()).unwrap();
        assert_eq!(again.look("192.0.2.7 vt220"), look);
        assert_eq!(again.look("here \"linux\"]\n").plain, Some(false));
        // One of two programs forgets nothing of the other's.
        kept.keep("192.0.2.7 vt220", Look::default()).unwrap();
        again.keep("here xterm", look).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with('#') && !text.contains("192.0.2.7"),
            "{text}"
        );
        kept.reread().unwrap();
        assert_eq!(kept.look("here xterm"), look);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terminals.toml");
        for (text, words) in [
            ("[", "terminals.toml"),
            (
                "['a b']\ncolours = 'pink'",
                "'a b' has colours or a charset",
            ),
            ("['a b']\nbell = true", "bell"),
        ] {
            let kept = Kept::open(folder.path().join("none.toml")).unwrap();
            std::fs::write(&path, text).unwrap();
            let error = Kept::open(path.clone()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            drop(kept);
        }
        let kept = Kept::open(folder.path().join("none.toml")).unwrap();
        std::fs::write(folder.path().join("none.toml"), "[").unwrap();
        assert!(kept.reread().is_err());
        assert!(kept.keep("here x", Look::of_words("8", "", "")).is_err());
        let left = std::fs::read_to_string(folder.path().join("none.toml")).unwrap();
        assert_eq!(left, "[", "what a person wrote is not written over");
    }
}
