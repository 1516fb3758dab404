use std::net::SocketAddr;

use bitcoin::hex::{DisplayHex, FromHex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::{COOKIE_BYTES, Control, SERVER_KEY, TorError, code, value};
use crate::config::Secret;

const SAID: &str = "AUTHCHALLENGE SERVERHASH=aa SERVERNONCE=bb";

#[test]
fn values_are_found_with_and_without_quotes() {
    assert_eq!(value(SAID, "SERVERHASH"), Some("aa"));
    assert_eq!(value(SAID, "SERVERNONCE"), Some("bb"));
    let auth = "AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/run/tor/control auth cookie\"";
    assert_eq!(value(auth, "METHODS"), Some("COOKIE,SAFECOOKIE"));
    assert_eq!(value(auth, "COOKIEFILE"), Some("/run/tor/control auth cookie"));
    assert_eq!(value(auth, "OTHER"), None);
}

/// A port that answers each line with the next of these replies. In a reply, `{}` becomes the answer to a cookie
/// challenge from a program that knows `cookie`. The tests of whole networks use the real Tor.
async fn port(replies: Vec<String>, cookie: [u8; COOKIE_BYTES]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.split();
        let mut lines = BufReader::new(read).lines();
        for reply in replies {
            let Some(asked) = lines.next_line().await.unwrap() else { return };
            let nonce = asked.rsplit(' ').next().and_then(|text| <[u8; COOKIE_BYTES]>::from_hex(text).ok());
            let proof = code(SERVER_KEY, [&cookie, &nonce.unwrap_or_default(), &[7; COOKIE_BYTES]]);
            let proof =
                format!("SERVERHASH={} SERVERNONCE={}", proof.to_lower_hex_string(), [7; 32].to_lower_hex_string());
            write.write_all(reply.replace("{}", &proof).as_bytes()).await.unwrap();
        }
    });
    address
}

fn with_cookie(folder: &tempfile::TempDir, cookie: [u8; COOKIE_BYTES]) -> Vec<String> {
    let path = folder.path().join("cookie");
    std::fs::write(&path, cookie).unwrap();
    vec![
        format!(
            "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"{}\"\r\n250 OK\r\n",
            path.display()
        ),
        "250 AUTHCHALLENGE {}\r\n".to_owned(),
        "250 OK\r\n".to_owned(),
    ]
}

#[tokio::test]
async fn a_program_that_does_not_know_the_cookie_gets_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut tor = Control::connect(port(with_cookie(&folder, [1; 32]), [1; 32]).await).await.unwrap();
    tor.authenticate(None).await.unwrap();
    let mut impostor = Control::connect(port(with_cookie(&folder, [1; 32]), [2; 32]).await).await.unwrap();
    assert!(matches!(impostor.authenticate(None).await, Err(TorError::Impostor)));
}

#[tokio::test]
async fn replies_are_bounded() {
    for reply in ["250-x\r\n".repeat(100_000), format!("250 {}", "x".repeat(100_000))] {
        let mut port = Control::connect(port(vec![reply], [0; 32]).await).await.unwrap();
        assert!(matches!(port.authenticate(None).await, Err(TorError::Malformed)));
    }
    let mut port =
        Control::connect(port(vec!["515 Authentication failed\r\n".to_owned()], [0; 32]).await).await.unwrap();
    let refused = port.authenticate(Some(&Secret::new("x"))).await;
    assert!(matches!(refused, Err(TorError::Refused { command: "AUTHENTICATE", .. })));
}
