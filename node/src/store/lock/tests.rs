use super::{WriteLock, device, has_open, write_lock};

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

/// As for a lock whose device is another one than the file's. Another file system may have a file of the same number.
#[test]
fn a_process_is_asked_which_files_it_has_open() {
    let folder = tempfile::tempdir().unwrap();
    let [file, other] = ["LOCK", "OTHER"].map(|name| folder.path().join(name));
    std::fs::write(&other, "").unwrap();
    let own = std::process::id().to_string();
    let held = std::fs::File::create(&file).unwrap();
    assert!(has_open(&own, &file) && !has_open(&own, &other) && !has_open("4194304", &file));
    drop(held);
    assert!(!has_open(&own, &file));
}

#[test]
fn device_numbers_are_unpacked() {
    assert_eq!(device(0xfe00), (0xfe, 0));
    assert_eq!(device(0x10_0305), (3, 0x105));
}
