//! The file of rows that were not taken: for the people who have to mend them, so it opens in a spreadsheet.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::records::Reject;
use crate::domain::text::visible;

/// A cell that a spreadsheet shows and does not run: one that begins like a formula gets an apostrophe in front.
/// Source: OWASP, "CSV Injection".
pub fn safe_cell(text: &str) -> Cow<'_, str> {
    // The full-width forms are signs to some spreadsheets too.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if formula {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Writes rejects to a file that is made with the first of them.
pub struct Rejects {
    path: PathBuf,
    writer: Option<csv::Writer<File>>,
}

impl Rejects {
    /// Will write to `path`, in place of whatever stands there.
    pub fn at(path: impl Into<PathBuf>) -> Rejects {
        Rejects {
            path: path.into(),
            writer: None,
        }
    }

    /// Where.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds one.
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let mut writer = csv::Writer::from_writer(File::create(&self.path)?);
                writer.write_record(["file", "line", "column", "value", "reason", "record"])?;
                none.insert(writer)
            }
        };
        let fault = &reject.fault;
        // The neutral cell is made first: what stands in front of a formula is not to be its replacement.
        let cell = |text: &str| visible(&safe_cell(text)).into_owned();
        writer.write_record([
            fault.file.to_owned(),
            fault.line.to_string(),
            fault.column.to_owned(),
            cell(&fault.value),
            cell(&fault.reason.to_string()),
            cell(&reject.raw),
        ])?;
        Ok(())
    }

    /// Writes out what is still held; whether there is a file at all.
    ///
    /// # Errors
    /// What the system said.
    pub fn finish(mut self) -> io::Result<bool> {
        if let Some(writer) = &mut self.writer {
            writer.flush()?;
        }
        Ok(self.writer.is_some())
    }
}
