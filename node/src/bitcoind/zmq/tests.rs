//! A publisher's bytes according to ZeroMQ's RFC 23, and hostile bytes.

use proptest::prelude::*;
use tokio::io::duplex;

use super::*;

fn publisher_greeting() -> Vec<u8> {
    let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    greeting.extend_from_slice(b"NULL");
    greeting.resize(GREETING_BYTES, 0);
    greeting
}

const PUBLISHER_READY: &[u8] = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB";

fn message(topic: &[u8], hash: [u8; 32]) -> Vec<u8> {
    [frame(MORE, topic), frame(MORE, &hash), frame(0, &[7, 0, 0, 0])].concat()
}

async fn hear(bytes: &[u8]) -> io::Result<BlockHash> {
    let (mut near, mut far) = duplex(1 << 16);
    far.write_all(bytes).await.unwrap();
    drop(far);
    next(&mut near).await
}

#[tokio::test]
async fn a_subscriber_says_what_a_publisher_expects() {
    let (mut near, mut far) = duplex(1 << 12);
    far.write_all(&[&publisher_greeting()[..], PUBLISHER_READY].concat()).await.unwrap();
    subscribe(&mut near).await.unwrap();
    drop(near);
    let mut said = Vec::new();
    far.read_to_end(&mut said).await.unwrap();
    assert_eq!(said[..12], [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0]);
    assert_eq!(said[64..], [&b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB"[..], b"\0\x0a\x01hashblock"].concat());
}

#[tokio::test]
async fn hashes_are_read_and_other_topics_are_not() {
    let mut hash = [0; 32];
    hash[31] = 1;
    let bytes = [frame(COMMAND, b"\x04PING"), message(b"hashtx", [9; 32]), message(b"hashblock", hash)].concat();
    let heard = hear(&bytes).await.unwrap();
    assert_eq!(heard.to_string(), format!("{:064x}", 1));
}

#[tokio::test]
async fn what_is_not_a_publisher_ends_the_connection() {
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0; 64], &[0xff; 64], &publisher_greeting()] {
        let (mut near, mut far) = duplex(1 << 12);
        far.write_all(bytes).await.unwrap();
        drop(far);
        assert!(subscribe(&mut near).await.is_err());
    }
    let too_large = [&[LONG][..], &u64::MAX.to_be_bytes()].concat();
    assert_eq!(hear(&too_large).await.unwrap_err().kind(), ErrorKind::InvalidData);
    let endless = frame(MORE, b"x").repeat(1_000);
    assert_eq!(hear(&endless).await.unwrap_err().kind(), ErrorKind::InvalidData);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // The reader returns a hash, an error, or the end of the bytes.
        let _ = runtime.block_on(hear(&bytes));
    }
}
