use std::path::Path;
use std::time::Duration;

use super::*;

fn parsed(text: &str) -> Result<BitcoindConfig, &'static str> {
    fallback(text, Duration::from_secs(30), Some(Path::new("/home/miner")))
}

#[test]
fn a_fallback_is_a_url_with_its_login() {
    let second = parsed("http://10.0.0.5:8332 user=shoal password=a=b zmq=tcp://10.0.0.5:28332").unwrap();
    assert_eq!(second.url.as_str(), "http://10.0.0.5:8332/");
    assert_eq!(second.zmq.as_deref(), Some("10.0.0.5:28332"));
    let BitcoindAuth::User { name, password } = second.auth else { panic!("no user") };
    assert_eq!((name.as_str(), password.expose()), ("shoal", "a=b"));
    let third = parsed("unix:/run/third.sock cookie_file=~/third/.cookie").unwrap();
    assert_eq!(third.url.path(), "/run/third.sock");
    let BitcoindAuth::Cookie(cookie) = third.auth else { panic!("no cookie") };
    assert_eq!(cookie, Path::new("/home/miner/third/.cookie"));
    let sealed = parsed("https://b.example cookie_file=/c tls_ca=/etc/ca.pem").unwrap();
    assert_eq!(sealed.tls_ca.as_deref(), Some(Path::new("/etc/ca.pem")));
}

#[test]
fn what_is_no_fallback_is_refused_with_an_example() {
    for text in [
        "",
        "10.0.0.5:8332 user=a password=b",
        "http://a:1",
        "http://a:1 user=a",
        "http://a:1 user=a password=",
        "http://a:1 user=a password=b cookie_file=/c",
        "http://a:1 cookie_file=/c cookie_file=/d",
        "http://a:1 cookie=/c",
        "http://u:p@a:1 cookie_file=/c",
        "unix:run/x cookie_file=/c",
    ] {
        assert_eq!(parsed(text).unwrap_err(), FALLBACK, "{text:?}");
    }
    assert_eq!(parsed("http://a:1 cookie_file=/c tls_ca=/d").unwrap_err(), NO_CA);
    assert_eq!(parsed("http://a:1 cookie_file=/c zmq=ipc:///d").unwrap_err(), ZMQ);
}

#[test]
fn addresses_of_zmq_are_as_bitcoind_takes_them() {
    assert_eq!(zmq("tcp://127.0.0.1:28332").as_deref(), Some("127.0.0.1:28332"));
    assert_eq!(zmq("tcp://[::1]:28332").as_deref(), Some("[::1]:28332"));
    for text in
        ["127.0.0.1:28332", "tcp://:28332", "tcp://a", "tcp://a:0", "tcp://a:99999", "ipc:///tmp/x", "tcp://u@a:1"]
    {
        assert_eq!(zmq(text), None, "{text}");
    }
}
