//! Who gets in, by what, and who does not.

use russh::keys::Certificate;
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::certificate::CertType;

use super::super::authority::tests::certificate;
use super::*;

#[tokio::test]
async fn a_nurse_signs_in_by_pin_and_gives_a_dose() {
    let hospital = Hospital::open().await;
    let mut terminal = Terminal::opens(hospital.by_pin("amara").await, "xterm-256color").await;
    identifies(&mut terminal).await;
    terminal.types(SIGN).await;
    terminal.sees("GIVEN at ").await;
    terminal.types("\x1b").await;
    terminal.sees("1 today").await;
    terminal.types("\x03").await;
    let (status, _) = terminal.ends().await;
    assert_eq!(status, Some(0));
    assert!(
        terminal.bytes.ends_with(b"\x1b[?1049l\x1b[?25h"),
        "given back"
    );
    let began = hospital.audit_has("session began", 1).await;
    assert!(
        began[0].contains("by PIN as nurse at xterm-256color 80x24"),
        "{began:?}"
    );
    let ended = hospital.audit_has("session ended", 1).await;
    assert!(ended[0].ends_with("s: left"), "{ended:?}");
}

#[tokio::test]
async fn a_wrong_pin_is_told_and_waited_for() {
    let hospital = Hospital::open().await;
    let mut client = hospital.connects().await;
    let said = try_pin(&mut client, "amara", "0000").await.unwrap_err();
    assert_eq!(said, "The name or the PIN is wrong.");
    // Nobody's name is told in the same words.
    let mut client = hospital.connects().await;
    let unknown = try_pin(&mut client, "nobody", PIN).await.unwrap_err();
    assert_eq!(unknown, said);
    let mut client = hospital.connects().await;
    let odd = try_pin(&mut client, "a\0b", PIN).await.unwrap_err();
    assert_eq!(odd, said);
    assert_eq!(hospital.audit("sign-in failed").await.len(), 3);
}

#[tokio::test]
async fn a_key_lets_its_owner_in_and_nobody_else() {
    let hospital = Hospital::open().await;
    let amaras = hospital.gives_key("amara").await;
    let mut terminal = Terminal::opens(hospital.by_key("amara", &amaras).await, "vt100").await;
    terminal.sees("OVERDUE").await;
    let fingerprint = amaras.fingerprint(HashAlg::Sha256).to_string();
    let signed_in = hospital.audit_has("signed in", 1).await;
    assert!(
        signed_in[0].contains(&format!("by key {fingerprint}")),
        "{signed_in:?}"
    );
    for (username, key) in [("tomas", &amaras), ("amara", &key()), ("nobody", &amaras)] {
        let mut client = hospital.connects().await;
        assert!(
            !try_key(&mut client, username, key).await.success(),
            "{username}"
        );
        // The next method is still open.
        assert_eq!(try_pin(&mut client, "tomas", PIN).await, Ok(()));
    }
    hospital
        .ward
        .change("amara", async |tx, id| {
            accounts::set_disabled(tx.link(), id, true).await
        })
        .await;
    let mut client = hospital.connects().await;
    assert!(!try_key(&mut client, "amara", &amaras).await.success());
    client
        .disconnect(russh::Disconnect::ByApplication, "", "")
        .await
        .unwrap();
    let failed = hospital.audit_has("sign-in failed", 1).await;
    assert!(failed[0].contains("a name of length 5"), "{failed:?}");
}

/// Signs with another key than the one that it offers.
struct Trickster(PrivateKey);

impl russh::Signer for Trickster {
    type Error = russh::AgentAuthError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        _hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        use russh::keys::signature::Signer;
        use russh::keys::ssh_encoding::Encode;
        let signature = self.0.try_sign(&to_sign).unwrap();
        let mut signed = to_sign;
        Vec::<u8>::try_from(signature)
            .unwrap()
            .encode(&mut signed)
            .unwrap();
        Ok(signed)
    }
}

/// Whoever stored at the offer who somebody is would let anybody in as anybody: public keys are public.
#[tokio::test]
async fn offering_somebodys_key_makes_nobody_somebody() {
    let hospital = Hospital::open().await;
    let (amaras, tomas) = (
        hospital.gives_key("amara").await,
        hospital.gives_key("tomas").await,
    );
    let mut client = hospital.connects().await;
    let tried = client
        .authenticate_publickey_with(
            "amara",
            amaras.public_key().clone(),
            None,
            &mut Trickster(tomas.clone()),
        )
        .await;
    assert!(!tried.unwrap().success());
    // And whoever then proves to be Tomas is Tomas.
    assert!(try_key(&mut client, "tomas", &tomas).await.success());
    let mut terminal = Terminal::opens(client, "xterm").await;
    terminal.sees("OVERDUE").await;
    let sessions = hospital.server.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].username, "tomas");
}

fn with_authority(authority: &PrivateKey, revoked: &str) -> Settings {
    Settings {
        rules: trusting(authority, revoked),
        ..settings()
    }
}

fn trusting(authority: &PrivateKey, revoked: &str) -> Rules {
    Rules {
        authority: trusted(authority, revoked),
        certificates: true,
        ..rules()
    }
}

fn trusted(authority: &PrivateKey, revoked: &str) -> Authority {
    let folder = tempfile::tempdir().unwrap();
    let (keys, list) = (folder.path().join("keys"), folder.path().join("revoked"));
    std::fs::write(&keys, authority.public_key().to_openssh().unwrap()).unwrap();
    std::fs::write(&list, revoked).unwrap();
    Authority::read(Some(&keys), Some(&list)).unwrap()
}

async fn try_certificate(
    hospital: &Hospital,
    username: &str,
    key: &PrivateKey,
    certificate: Certificate,
) -> (Handle<Client>, bool) {
    let mut client = hospital.connects().await;
    let tried = client
        .authenticate_openssh_cert(username, Arc::new(key.clone()), certificate)
        .await;
    (client, tried.unwrap().success())
}

#[tokio::test]
async fn a_certificate_of_our_authority_lets_its_person_in() {
    let (ours, theirs, holder) = (key(), key(), key());
    let hospital = Hospital::with(with_authority(&ours, "")).await;
    let signed = |by: &PrivateKey| {
        certificate(by, &holder, |builder| {
            builder.cert_type(CertType::User).unwrap();
            builder.valid_principal("amara").unwrap();
        })
    };
    let (client, let_in) = try_certificate(&hospital, "amara", &holder, signed(&ours)).await;
    assert!(let_in);
    let mut terminal = Terminal::opens(client, "linux").await;
    terminal.sees("OVERDUE").await;
    let began = hospital.audit_has("session began", 1).await;
    assert!(
        began[0].contains("certificate 'badge 12' serial 7"),
        "{began:?}"
    );
    for (username, by) in [("tomas", &ours), ("amara", &theirs), ("nobody", &ours)] {
        let (_, let_in) = try_certificate(&hospital, username, &holder, signed(by)).await;
        assert!(!let_in, "{username}");
    }
    // The bare key of the certificate is nobody's.
    let mut client = hospital.connects().await;
    assert!(!try_key(&mut client, "amara", &holder).await.success());
    hospital.server.reread(trusting(&ours, "serial:7"));
    let (_, let_in) = try_certificate(&hospital, "amara", &holder, signed(&ours)).await;
    assert!(!let_in, "revoked");
}

#[tokio::test]
async fn tries_on_one_connection_are_few() {
    let hospital = Hospital::open().await;
    let mut client = hospital.connects().await;
    let mut tries = 0;
    while client
        .authenticate_publickey("amara", PrivateKeyWithHashAlg::new(Arc::new(key()), None))
        .await
        .is_ok_and(|tried| !tried.success())
        && !client.is_closed()
    {
        tries += 1;
        assert!(tries <= TRIES, "it goes on");
    }
    assert!(
        tries > 6,
        "an agent with many keys leaves room for a PIN: {tries}"
    );
}

#[tokio::test]
async fn pins_that_one_connection_tries_are_few() {
    use russh::client::KeyboardInteractiveAuthResponse::InfoRequest;
    let hospital = Hospital::open().await;
    let mut client = hospital.connects().await;
    let mut tries = 0;
    while let Ok(InfoRequest { .. }) = client
        .authenticate_keyboard_interactive_start("amara", None)
        .await
    {
        tries += 1;
        assert!(tries < 20, "it goes on");
        let wrong = vec!["0000".to_owned()];
        if client
            .authenticate_keyboard_interactive_respond(wrong)
            .await
            .is_err()
        {
            break;
        }
    }
    assert!((3..=6).contains(&tries), "{tries}");
}
