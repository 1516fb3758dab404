use super::{WriteLock, device, is_this_program, write_lock};

#[test]
fn lines_of_the_kernel_are_read() {
    let held = "4: POSIX  ADVISORY  WRITE 29909 fe:00:10011515 0 EOF";
    assert_eq!(write_lock(held), Some(WriteLock { pid: "29909", device: "fe:00", inode: "10011515" }));
    for other in [
        "4: -> POSIX  ADVISORY  WRITE 29909 fe:00:10011515 0 EOF",
        "4: POSIX  ADVISORY  READ 29909 fe:00:10011515 0 EOF",
        "4: FLOCK  ADVISORY  WRITE 29909 fe:00:10011515 0 EOF",
        "",
    ] {
        assert_eq!(write_lock(other), None, "{other}");
    }
}

/// As for a lock whose device is another one than the file's.
#[test]
fn the_program_of_a_process_is_compared_with_this_one() {
    assert!(is_this_program(&std::process::id().to_string()));
    assert!(!is_this_program("1") && !is_this_program("4194304"));
}

#[test]
fn device_numbers_are_unpacked() {
    assert_eq!(device(0xfe00), (0xfe, 0));
    assert_eq!(device(0x10_0305), (3, 0x105));
}
