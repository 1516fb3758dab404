use std::fs;
use std::net::Ipv4Addr;

use ed25519_dalek::SigningKey;
use p2p_proto::book::Book;
use p2p_proto::netgroup::Netgroup;
use p2p_proto::record::{Address, Record, Transport};

use super::BookFile;

const POOL: [u8; 32] = [7; 32];

/// A book with one node that was reached before.
fn book() -> Book {
    let mut book = Book::new([1; 32], [2; 16]);
    let address = Address::of_ip(Ipv4Addr::new(8, 8, 8, 8).into(), 3381, Transport::Tcp);
    let record =
        Record::sign(&SigningKey::from_bytes(&[3; 32]), POOL, &[address], "", (1_800_000_000, 86_400)).unwrap();
    book.add(record.clone(), Netgroup::Ip4([9, 9]), 1_800_000_000);
    book.reached(&record.peer, &address, 1_800_000_000);
    book
}

#[test]
fn a_book_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = BookFile::new(dir.path(), POOL);
    assert_eq!(file.load().unwrap().counts(), (0, 0));
    file.write(&book()).unwrap();
    assert_eq!(file.load().unwrap().encode(&POOL), book().encode(&POOL));
}

#[test]
fn a_damaged_book_is_set_aside_and_the_node_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = BookFile::new(dir.path(), POOL);
    file.write(&book()).unwrap();
    let path = dir.path().join("address-book");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(file.load().unwrap().counts(), (0, 0));
    assert!(!path.exists());
    assert_eq!(fs::read(path.with_extension("damaged")).unwrap(), bytes);
    // The node does not read the file of a write that a crash interrupted.
    file.write(&book()).unwrap();
    fs::write(path.with_extension("unfinished"), b"half").unwrap();
    assert_eq!(file.load().unwrap().counts(), (0, 1));
    // A file of another pool and a file that is far too large are not books, either.
    file.write(&book()).unwrap();
    assert_eq!(BookFile::new(dir.path(), [8; 32]).load().unwrap().counts(), (0, 0));
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(file.load().unwrap().counts(), (0, 0));
}
