use std::io::ErrorKind;

use futures::io::Cursor;

use super::{is_garbage, read_frame, write_frame};
use p2p_proto::limits::REQUEST_BYTES_MAX;

#[tokio::test]
async fn frames_read_back() {
    let mut line = Cursor::new(Vec::new());
    write_frame(&mut line, b"a message").await.unwrap();
    let bytes = line.into_inner();
    assert_eq!(read_frame(&mut Cursor::new(bytes), REQUEST_BYTES_MAX).await.unwrap(), b"a message");
}

#[tokio::test]
async fn too_long_is_garbage_before_anything_is_read() {
    for length in [u32::try_from(REQUEST_BYTES_MAX).unwrap() + 1, u32::MAX] {
        let mut line = Cursor::new(length.to_le_bytes().to_vec());
        assert!(is_garbage(&read_frame(&mut line, REQUEST_BYTES_MAX).await.unwrap_err()));
    }
}

#[tokio::test]
async fn half_a_frame_is_a_broken_line_and_no_garbage() {
    for bytes in [vec![], vec![9, 0], vec![9, 0, 0, 0, 1, 2, 3]] {
        let error = read_frame(&mut Cursor::new(bytes), REQUEST_BYTES_MAX).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(!is_garbage(&error));
    }
}
