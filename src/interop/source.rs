//! Where the six files come from.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::PathBuf;

use super::fault::FileError;

/// Six files: in a folder, or as texts in the program.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files of a folder, under their names.
    Folder(PathBuf),
    /// Name and text.
    Texts(Vec<(&'static str, String)>),
}

impl Source {
    /// Opens a file; gives it with its length in bytes (0 where that is not known).
    ///
    /// # Errors
    /// [`FileError::Open`].
    pub fn open(&self, file: &str) -> Result<(Box<dyn Read + Send>, u64), FileError> {
        let failed = |source| FileError::Open {
            file: file.to_owned(),
            source,
        };
        match self {
            Source::Folder(folder) => {
                let opened = File::open(folder.join(file)).map_err(failed)?;
                let length = opened.metadata().map_or(0, |about| about.len());
                Ok((Box::new(opened), length))
            }
            Source::Texts(texts) => {
                let text = texts.iter().find(|(name, _)| *name == file);
                let (_, text) = text.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
                let length = text.len() as u64;
                Ok((Box::new(Cursor::new(text.clone().into_bytes())), length))
            }
        }
    }
}
