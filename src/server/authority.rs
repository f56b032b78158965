//! Certificates: a hospital's own authority says whose key it is, so that no key has to be added here.
//!
//! The SSH library has checked that whoever offers a certificate holds its key, its time, and that the authority that it
//! names signed it. Whether that is an authority of ours, and everything else, is checked here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Certificate, HashAlg, PublicKey};

/// What is wrong with the files of authorities.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", .path.display())]
pub struct BadAuthority {
    path: PathBuf,
    why: String,
}

/// Who may say whose key it is, and what they have taken back.
#[derive(Debug, Clone, Default)]
pub struct Authority {
    /// Fingerprints of the authorities.
    trusted: BTreeSet<String>,
    revoked: Revoked,
}

/// What is not trusted any more, whoever signed it.
#[derive(Debug, Clone, Default)]
struct Revoked {
    fingerprints: BTreeSet<String>,
    serials: BTreeSet<u64>,
    names: BTreeSet<String>,
}

/// Whom a certificate is for, as far as it is good.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Good {
    /// What the audit says of it.
    pub words: String,
}

impl Authority {
    /// The authorities whose public keys stand in a file, one a line as in a `.pub` file, and the list of what is revoked:
    /// a line each, `SHA256:…` of a key or an authority, `serial:NUMBER` or `id:NAME` of a certificate. Lines that begin
    /// with `#` say nothing.
    ///
    /// # Errors
    /// [`BadAuthority`]: which line of which file, and why.
    pub fn read(keys: Option<&Path>, revoked: Option<&Path>) -> Result<Authority, BadAuthority> {
        let mut authority = Authority::default();
        if let Some(path) = keys {
            for (number, line) in lines(path)? {
                let key = PublicKey::from_openssh(&line)
                    .map_err(|error| bad(path, number, &format!("not a public key: {error}")))?;
                let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
                authority.trusted.insert(fingerprint);
            }
        }
        if let Some(path) = revoked {
            for (number, line) in lines(path)? {
                authority.revoked.add(path, number, &line)?;
            }
        }
        Ok(authority)
    }

    /// Whether a key of a person is on the list of what is revoked.
    pub(super) fn revokes(&self, fingerprint: &str) -> bool {
        self.revoked.fingerprints.contains(fingerprint)
    }

    /// Whether a certificate is good for that user name; or why not, in words for the audit.
    pub(super) fn check(&self, user: &str, certificate: &Certificate) -> Result<Good, String> {
        let signer = certificate.signature_key().fingerprint(HashAlg::Sha256);
        let signer = signer.to_string();
        let key = certificate.public_key().fingerprint(HashAlg::Sha256);
        let key = key.to_string();
        let words = format!(
            "certificate '{}' serial {} of authority {signer} for key {key}",
            certificate.key_id(),
            certificate.serial(),
        );
        let not = |why: &str| Err(format!("{words}: {why}"));
        if !self.trusted.contains(&signer) {
            return not("not an authority of ours");
        }
        if certificate.cert_type() != CertType::User {
            return not("not a certificate of a person");
        }
        let principals = certificate.valid_principals();
        if principals.is_empty() {
            // OpenSSH would take it for anybody.
            return not("it names nobody");
        }
        if !principals.iter().any(|principal| principal == user) {
            return not("it is for somebody else");
        }
        if let Some((name, _)) = certificate.critical_options().iter().next() {
            // None is known here, and an unknown one must be refused (PROTOCOL.certkeys of OpenSSH).
            return not(&format!("it is bound to '{name}', which is not known here"));
        }
        let revoked = &self.revoked;
        if revoked.fingerprints.contains(&signer)
            || revoked.fingerprints.contains(&key)
            || revoked.serials.contains(&certificate.serial())
            || revoked.names.contains(certificate.key_id())
        {
            return not("revoked");
        }
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = since_1970.map_or(0, |now| now.as_secs());
        if now < certificate.valid_after() || now >= certificate.valid_before() {
            return not("not valid now");
        }
        Ok(Good { words })
    }
}

impl Revoked {
    fn add(&mut self, path: &Path, number: usize, line: &str) -> Result<(), BadAuthority> {
        if line.starts_with("SHA256:") {
            self.fingerprints.insert(line.to_owned());
        } else if let Some(serial) = line.strip_prefix("serial:") {
            let serial = serial.trim().parse();
            self.serials
                .insert(serial.map_err(|_| bad(path, number, "not a serial number"))?);
        } else if let Some(name) = line.strip_prefix("id:") {
            self.names.insert(name.trim().to_owned());
        } else {
            let why = "neither SHA256:FINGERPRINT nor serial:NUMBER nor id:NAME";
            return Err(bad(path, number, why));
        }
        Ok(())
    }
}

fn bad(path: &Path, number: usize, why: &str) -> BadAuthority {
    BadAuthority {
        path: path.to_owned(),
        why: format!("line {number}: {why}"),
    }
}

fn lines(path: &Path) -> Result<Vec<(usize, String)>, BadAuthority> {
    let text = std::fs::read_to_string(path).map_err(|error| BadAuthority {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    let lines = text.lines().enumerate();
    Ok(lines
        .map(|(at, line)| (at + 1, line.trim().to_owned()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect())
}

#[cfg(test)]
pub(super) mod tests {
    use russh::keys::ssh_key::certificate::Builder;
    use russh::keys::{Algorithm, PrivateKey};

    use super::*;

    pub(in crate::server) fn key() -> PrivateKey {
        PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap()
    }

    /// A certificate that is valid now, with what else a test wants.
    pub(in crate::server) fn certificate(
        signer: &PrivateKey,
        holder: &PrivateKey,
        change: impl FnOnce(&mut Builder),
    ) -> Certificate {
        let mut rng = russh::keys::key::safe_rng();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut builder =
            Builder::new_with_random_nonce(&mut rng, holder.public_key(), now - 60, now + 600)
                .unwrap();
        builder.serial(7).unwrap();
        builder.key_id("badge 12").unwrap();
        change(&mut builder);
        builder.sign(signer).unwrap()
    }

    fn authority(signer: &PrivateKey, revoked: &str) -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let (keys, list) = (folder.path().join("ca.pub"), folder.path().join("revoked"));
        let line = signer.public_key().to_openssh().unwrap();
        std::fs::write(&keys, format!("# the hospital\n\n{line} badges\n")).unwrap();
        std::fs::write(&list, revoked).unwrap();
        Authority::read(Some(&keys), Some(&list)).unwrap()
    }

    fn for_amara(builder: &mut Builder) {
        builder.cert_type(CertType::User).unwrap();
        builder.valid_principal("amara").unwrap();
    }

    #[test]
    fn only_a_certificate_of_ours_for_that_person_is_good() {
        let (ours, theirs, holder) = (key(), key(), key());
        let trusted = authority(&ours, "");
        let good = trusted.check("amara", &certificate(&ours, &holder, for_amara));
        assert!(
            good.unwrap()
                .words
                .starts_with("certificate 'badge 12' serial 7 of")
        );
        let why = |certificate: &Certificate| trusted.check("amara", certificate).unwrap_err();
        for (certificate, words) in [
            (
                certificate(&theirs, &holder, for_amara),
                "not an authority of ours",
            ),
            (
                certificate(&ours, &holder, |builder| {
                    builder.cert_type(CertType::Host).unwrap();
                    builder.valid_principal("amara").unwrap();
                }),
                "not a certificate of a person",
            ),
            (
                certificate(&ours, &holder, |builder| {
                    builder.cert_type(CertType::User).unwrap();
                    builder.all_principals_valid().unwrap();
                }),
                "it names nobody",
            ),
            (
                certificate(&ours, &holder, |builder| {
                    builder.cert_type(CertType::User).unwrap();
                    builder.valid_principal("linh").unwrap();
                }),
                "it is for somebody else",
            ),
            (
                certificate(&ours, &holder, |builder| {
                    for_amara(builder);
                    builder.critical_option("force-command", "x").unwrap();
                }),
                "it is bound to 'force-command'",
            ),
        ] {
            assert!(why(&certificate).contains(words), "{words}");
        }
    }

    #[test]
    fn its_time_counts() {
        let (ours, holder) = (key(), key());
        let mut rng = russh::keys::key::safe_rng();
        let mut old = Builder::new_with_random_nonce(&mut rng, holder.public_key(), 5, 10).unwrap();
        for_amara(&mut old);
        let old = old.sign(&ours).unwrap();
        let why = authority(&ours, "").check("amara", &old).unwrap_err();
        assert!(why.ends_with("not valid now"), "{why}");
    }

    #[test]
    fn what_is_revoked_is_not_good_by_whatever_name() {
        let (ours, holder) = (key(), key());
        let good = certificate(&ours, &holder, for_amara);
        for line in [
            "serial:7".to_owned(),
            "id: badge 12".to_owned(),
            holder.fingerprint(HashAlg::Sha256).to_string(),
            ours.fingerprint(HashAlg::Sha256).to_string(),
        ] {
            let why = authority(&ours, &line).check("amara", &good).unwrap_err();
            assert!(why.ends_with("revoked"), "{line}: {why}");
        }
        assert!(
            authority(&ours, "serial:8\nid:other")
                .check("amara", &good)
                .is_ok()
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, "# list\nserial:x\n").unwrap();
        let error = Authority::read(None, Some(&path)).unwrap_err().to_string();
        assert!(
            error.ends_with("list: line 2: not a serial number"),
            "{error}"
        );
        let error = Authority::read(Some(&path), None).unwrap_err().to_string();
        assert!(error.contains("line 2: not a public key"), "{error}");
        let missing = folder.path().join("missing");
        assert!(Authority::read(Some(&missing), None).is_err());
    }
}
