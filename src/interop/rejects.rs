//! The file of rows that were not taken: for the people who have to mend them, so it opens in a spreadsheet.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

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

/// Writes rejects to a file that is made with the first of them, under another name: it takes its place when it is
/// whole. So it is never written through a link that somebody else has put there, and only its owner may read it.
pub struct Rejects {
    path: PathBuf,
    writer: Option<csv::Writer<NamedTempFile>>,
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

    /// Whether a file may stand there: nothing does, or a file. A device or a folder is not replaced, nor a link to
    /// one, such as `/dev/stdout`.
    ///
    /// # Errors
    /// What stands there is something else.
    pub fn check(&self) -> io::Result<()> {
        let is_file = |found: io::Result<fs::Metadata>| match found {
            Ok(found) => found.is_file(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let link = fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_symlink());
        // A link that leads nowhere, or where one may not look, is replaced like one that leads to a file.
        if is_file(fs::metadata(&self.path)) || (link && fs::metadata(&self.path).is_err()) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is not a file, and cannot be replaced by one",
        ))
    }

    /// Adds one.
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        if self.writer.is_none() {
            self.check()?;
            let folder = self.path.parent().filter(|f| !f.as_os_str().is_empty());
            let file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            let mut writer = csv::Writer::from_writer(file);
            writer.write_record(["file", "line", "column", "value", "reason", "record"])?;
            self.writer = Some(writer);
        }
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let fault = &reject.fault;
        // What is shown is what is made harmless: a mark taken off the front may bare a formula.
        let cell = |text: &str| safe_cell(&visible(text)).into_owned();
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

    /// Puts the file in its place; whether there is one at all.
    ///
    /// # Errors
    /// What the system said.
    pub fn finish(self) -> io::Result<bool> {
        let Some(writer) = self.writer else {
            return Ok(false);
        };
        let file = writer.into_inner().map_err(|error| error.into_error())?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(true)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::fault::{Fault, Reason};
    use super::*;

    fn reject() -> Reject {
        let fault = Fault {
            file: "stock.csv",
            line: 2,
            column: "ward",
            value: String::new(),
            reason: Reason::Empty,
        };
        Reject {
            fault: Box::new(fault),
            raw: ",x,1,0".to_owned(),
        }
    }

    #[test]
    fn a_planted_link_is_replaced_and_what_it_leads_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (target, path) = (
            folder.path().join("target"),
            folder.path().join("rejects.csv"),
        );
        fs::write(&target, "mine").unwrap();
        symlink(&target, &path).unwrap();
        let mut rejects = Rejects::at(&path);
        rejects.write(&reject()).unwrap();
        assert!(rejects.finish().unwrap());
        assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
        let made = fs::symlink_metadata(&path).unwrap();
        assert!(made.is_file());
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/dev/null", &link).unwrap();
        for path in [folder.path(), Path::new("/dev/null"), &link] {
            assert!(Rejects::at(path).check().is_err(), "{}", path.display());
        }
        assert!(Rejects::at(folder.path().join("new")).check().is_ok());
    }
}
