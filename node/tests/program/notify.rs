//! `shoal notify test` as a process: each receiver gets what its service documents, and a real mail server gets the
//! mail.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A server that answers one request, and the request that it received.
fn server(answer: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taking = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
            request.push(byte[0]);
        }
        let head = String::from_utf8(request).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").unwrap();
        head + &String::from_utf8(body).unwrap()
    });
    (address, taking)
}

fn shoal(dir: &Path, settings: &str, arguments: &[&str]) -> Output {
    let file = dir.join("shoal.toml");
    let frame = "network = \"local\"\n[api]\nlisten = \"127.0.0.1:3380\"\n";
    fs::write(&file, format!("{frame}{settings}")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    // The trusted certificates.
    command.env_clear().env("HOME", dir).env("SSL_CERT_FILE", dir.join("ca.pem"));
    command.args(["notify", "test", "--config"]).arg(file).args(arguments).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

const TEXT: &str = "This is a test: events of this node arrive here\nhttp://127.0.0.1:3380/";

#[test]
fn each_receiver_gets_the_request_that_its_service_documents() {
    let dir = TempDir::new().unwrap();
    let servers = [(); 4].map(|()| server("200 OK"));
    let [ntfy, telegram, discord, slack] = servers.each_ref().map(|(address, _)| *address);
    let settings = format!(
        "[notify]\nntfy = [\"http://{ntfy}/my-topic\"]\nntfy_token = \"tk_hush\"\n\
         telegram_server = \"http://{telegram}\"\ntelegram_token = \"1:hush\"\ntelegram_chats = [\"-100123\"]\n\
         discord = [\"http://{discord}/api/webhooks/1/hush\"]\nslack = [\"http://{slack}/services/T/B/hush\"]\n"
    );
    make_ca(dir.path());
    let output = shoal(dir.path(), &settings, &["--json"]);
    assert!(output.status.success(), "{}", words(&output));
    assert!(!words(&output).contains("hush"), "{}", words(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds: Vec<&str> =
        report["receivers"].as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert_eq!((&report["ok"], &kinds[..]), (&json!(true), &["ntfy", "telegram", "discord", "slack"][..]));

    let requests = servers.map(|(_, taking)| taking.join().unwrap());
    let post = |path: &str, head: &str, host: SocketAddr, body: &str| {
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\n{head}accept: */*\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let head = "title: Shoal: test\r\ntags: test\r\nclick: http://127.0.0.1:3380/\r\nauthorization: Bearer tk_hush\r\n\
                content-type: text/plain; charset=utf-8\r\n";
    assert_eq!(requests[0], post("/my-topic", head, ntfy, TEXT));
    let text = TEXT.replace('\n', "\\n");
    let head = "content-type: application/json\r\n";
    let body = format!(
        r#"{{"chat_id":"-100123","link_preview_options":{{"is_disabled":true}},"text":"Shoal: test\n{text}"}}"#
    );
    assert_eq!(requests[1], post("/bot1:hush/sendMessage", head, telegram, &body));
    // For Discord, the sentence is plain text, and the link is a link.
    let escaped = text.replacen(':', r"\\:", 1);
    let body = format!(r#"{{"allowed_mentions":{{"parse":[]}},"content":"**Shoal: test**\n{escaped}"}}"#);
    assert_eq!(requests[2], post("/api/webhooks/1/hush", head, discord, &body));
    let body = format!(r#"{{"text":"*Shoal: test*\n{text}"}}"#);
    assert_eq!(requests[3], post("/services/T/B/hush", head, slack, &body));
}

#[test]
fn what_does_not_arrive_is_said_without_secrets() {
    let dir = TempDir::new().unwrap();
    make_ca(dir.path());
    let output = shoal(dir.path(), "", &[]);
    assert!(words(&output).contains("no receiver of events is configured"), "{}", words(&output));
    let (refuses, _taking) = server("401 Unauthorized");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = format!("[notify]\ndiscord = [\"http://{refuses}/hush\"]\nslack = [\"http://{closed}/hush\"]\n");
    let output = shoal(dir.path(), &settings, &[]);
    let said = words(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("✗ discord   127.0.0.1: the receiver answered 401 Unauthorized; check its URL"), "{said}");
    assert!(said.contains("✗ slack     127.0.0.1: the receiver cannot be reached: nothing listens there"), "{said}");
    assert!(!said.contains("hush"), "{said}");
}

fn openssl(dir: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate authority, and a server certificate for `localhost`.
fn make_ca(dir: &Path) {
    let authority = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl(dir, &[&authority[..], &["-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem"]].concat());
    let request =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"];
    openssl(dir, &[&request[..], &["-keyout", "server.key", "-out", "server.csr"]].concat());
    fs::write(dir.join("names"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n").unwrap();
    let sign =
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"];
    openssl(dir, &[&sign[..], &["-extfile", "names", "-out", "server.pem"]].concat());
}

/// A running mail server.
struct MailServer {
    child: Child,
    said: BufReader<ChildStdout>,
    port: u64,
}

impl MailServer {
    fn start(dir: &Path, mode: &str) -> Self {
        // Only Debian's Python has Debian's packages. Another one may come first in PATH.
        let python = if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" };
        let script =
            Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/program/notify_mail_server.py");
        let mut command = Command::new(python);
        command.arg(script).args([mode, "server.pem", "server.key"]).current_dir(dir);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, said, port: 0 };
        server.port = server.next().as_u64().expect("aiosmtpd runs: see .ci/deps.sh");
        server
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_default()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mail(smtp: &str, password: &str) -> String {
    format!(
        "[notify]\nmail_to = [\"a@example.org\", \"b@example.org\"]\nmail_from = \"Shoal <shoal@example.org>\"\n\
         smtp = \"{smtp}\"\nsmtp_user = \"shoal\"\nsmtp_password = \"{password}\"\n"
    )
}

#[test]
fn mail_reaches_a_real_server_by_tls_and_says_why_it_does_not() {
    let dir = TempDir::new().unwrap();
    make_ca(dir.path());
    for (mode, scheme) in [("starttls", "smtp"), ("smtps", "smtps")] {
        let mut server = MailServer::start(dir.path(), mode);
        let smtp = format!("{scheme}://localhost:{}", server.port);
        let output = shoal(dir.path(), &mail(&smtp, "hush"), &[]);
        assert!(output.status.success(), "{mode}: {}", words(&output));
        let taken = server.next();
        assert_eq!(
            [&taken["from"], &taken["to"], &taken["tls"], &taken["login"]],
            [&json!("shoal@example.org"), &json!(["a@example.org", "b@example.org"]), &json!(true), &json!(true)]
        );
        let written = taken["mail"].as_str().unwrap();
        for part in [
            "From: Shoal <shoal@example.org>",
            "Subject: Shoal: test",
            "Date: ",
            "Message-ID: ",
            &TEXT.replace('\n', "\r\n"),
        ] {
            assert!(written.contains(part), "{mode}: no {part:?} in {written}");
        }
        let said = words(&shoal(dir.path(), &mail(&smtp, "wrong-hush"), &[]));
        assert!(said.contains("the mail server rejects the user or the password: it answered 535"), "{said}");
        assert!(!said.contains("hush"), "{said}");
        // A name that is not in the certificate.
        let said = words(&shoal(dir.path(), &mail(&smtp.replace("localhost", "127.0.0.1"), "hush"), &[]));
        assert!(said.contains("certificate is not valid for its name"), "{said}");
    }
}

#[test]
fn a_password_never_leaves_the_machine_in_the_clear() {
    let dir = TempDir::new().unwrap();
    make_ca(dir.path());
    let mut server = MailServer::start(dir.path(), "plain");
    // A name could belong to another machine, even if it does not today.
    let said = words(&shoal(dir.path(), &mail(&format!("smtp://localhost:{}", server.port), "hush"), &[]));
    assert!(said.contains("offers no STARTTLS"), "{said}");
    let open = format!(
        "[notify]\nmail_to = [\"a@example.org\"]\nmail_from = \"b@example.org\"\nsmtp = \"smtp://127.0.0.1:{}\"\n",
        server.port
    );
    assert!(shoal(dir.path(), &open, &[]).status.success(), "a server on this machine needs no TLS");
    assert_eq!((&server.next()["tls"], server.port > 0), (&json!(false), true));
}

#[test]
fn a_mail_server_that_never_ends_a_line_fills_no_memory() {
    const BYTES_MAX: usize = 64 << 20;
    let dir = TempDir::new().unwrap();
    make_ca(dir.path());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let sending = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let part = vec![b'x'; 1 << 16];
        let mut sent = 0;
        while sent < BYTES_MAX && stream.write_all(&part).is_ok() {
            sent += part.len();
        }
        sent
    });
    let settings = format!(
        "[notify]\nmail_to = [\"a@example.org\"]\nmail_from = \"b@example.org\"\nsmtp = \"smtp://127.0.0.1:{port}\"\n"
    );
    let said = words(&shoal(dir.path(), &settings, &[]));
    assert!(said.contains("✗ mail"), "{said}");
    let sent = sending.join().unwrap();
    assert!(sent < BYTES_MAX, "the node read {sent} bytes and more of one line");
}
