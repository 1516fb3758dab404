use super::*;

#[test]
fn numbers_and_fields_are_as_protobuf_has_them() {
    assert_eq!((varint(0), varint(127), varint(300)), (vec![0], vec![0x7f], vec![0xac, 0x02]));
    assert_eq!(
        publish("/n", "t", b"ab"),
        [14, 0x12, 12, 0x12, 2, b'a', b'b', 0x22, 6, b'/', b'n', b'/', b't', b'/', b'2']
    );
    assert_eq!(proposal("/x"), b"\x13/multistream/1.0.0\n\x03/x\n");
}
