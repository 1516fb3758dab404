use super::{device, is_write_lock_of};

#[test]
fn lines_of_the_kernel_are_read() {
    let held = "4: POSIX  ADVISORY  WRITE 29909 fe:00:10011515 0 EOF";
    assert!(is_write_lock_of(held, "fe:00:10011515"));
    assert!(!is_write_lock_of(held, "fe:00:1001151"));
    for other in [
        "4: -> POSIX  ADVISORY  WRITE 29909 fe:00:10011515 0 EOF",
        "4: POSIX  ADVISORY  READ 29909 fe:00:10011515 0 EOF",
        "4: FLOCK  ADVISORY  WRITE 29909 fe:00:10011515 0 EOF",
        "",
    ] {
        assert!(!is_write_lock_of(other, "fe:00:10011515"), "{other}");
    }
}

#[test]
fn device_numbers_are_unpacked() {
    assert_eq!(device(0xfe00), (0xfe, 0));
    assert_eq!(device(0x10_0305), (3, 0x105));
}
