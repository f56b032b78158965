//! The server's own key, by which terminals know that it is the server they knew before.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};

/// Bytes of a key file at most.
const LONGEST: u64 = 64 * 1024;

/// Why there is no host key. A new one in its place would look to every terminal like an impostor, so none is made.
#[derive(Debug, thiserror::Error)]
pub enum NoHostKey {
    /// The file cannot be read or made.
    #[error("host key {}: {error}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others may read it.
    #[error("host key {}: others may read it (mode {mode:03o}): 'chmod 600' it, or, if it may have been read, replace it", .path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is no key of ours.
    #[error("host key {}: {why}", .path.display())]
    Bad {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// The key in that file, which is made, for this user only, if there is none yet.
///
/// # Errors
/// [`NoHostKey`].
pub fn load_or_make(path: &Path) -> Result<PrivateKey, NoHostKey> {
    let io = |error| NoHostKey::Io {
        path: path.to_owned(),
        error,
    };
    match File::open(path) {
        Ok(file) => read(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519);
            let key = key.map_err(|error| bad(path, &error))?;
            match write(path, &key) {
                // Another process was faster: its key is the key.
                Err(NoHostKey::Io { error, .. })
                    if error.kind() == io::ErrorKind::AlreadyExists =>
                {
                    read(path, File::open(path).map_err(io)?)
                }
                written => written.map(|()| key),
            }
        }
        Err(error) => Err(io(error)),
    }
}

fn bad(path: &Path, why: &impl ToString) -> NoHostKey {
    NoHostKey::Bad {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

fn read(path: &Path, file: File) -> Result<PrivateKey, NoHostKey> {
    let io = |error| NoHostKey::Io {
        path: path.to_owned(),
        error,
    };
    let mode = file.metadata().map_err(io)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(NoHostKey::Open {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(io)?;
    let key = PrivateKey::from_openssh(&text).map_err(|error| bad(path, &error))?;
    if key.is_encrypted() {
        return Err(bad(
            path,
            &"it has a passphrase, and nobody is there to type it",
        ));
    }
    if key.algorithm() != Algorithm::Ed25519 {
        let what = format!("it is a key of {}, not of Ed25519", key.algorithm());
        return Err(bad(path, &what));
    }
    Ok(key)
}

/// Writes it whole or not at all: a server that is cut off here must find no half key.
fn write(path: &Path, key: &PrivateKey) -> Result<(), NoHostKey> {
    let io = |error| NoHostKey::Io {
        path: path.to_owned(),
        error,
    };
    let text = key.to_openssh(LineEnding::LF);
    let text = text.map_err(|error| bad(path, &error))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let half = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half)
        .map_err(io)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        // Fails where there is a key already.
        .and_then(|()| std::fs::hard_link(&half, path));
    let removed = std::fs::remove_file(&half);
    written.and(removed).map_err(io)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_made_once_for_nobody_else_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/host_key");
        let made = load_or_make(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let again = load_or_make(&path).unwrap();
        assert_eq!(made.public_key(), again.public_key());
        let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1);
    }

    #[test]
    fn a_key_that_cannot_be_used_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host_key");
        std::fs::write(&path, "not a key").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        mode(0o644);
        let error = load_or_make(&path).unwrap_err().to_string();
        assert!(error.contains("others may read it (mode 644)"), "{error}");
        mode(0o600);
        assert!(matches!(load_or_make(&path), Err(NoHostKey::Bad { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a key");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(load_or_make(&path).is_err());
    }
}
