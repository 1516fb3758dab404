use super::*;

#[test]
fn an_answer_gives_its_room_back_when_the_last_of_it_is_sent() {
    let room = Room::default();
    let all = ANSWERS_KIB_MAX as usize;
    let permit = Arc::clone(&room.kib).try_acquire_many_owned(512).unwrap();
    let mut bytes = Bytes::from_owner(Held { bytes: Bytes::from(vec![7; 512 << 10]), _room: permit });
    let sent = bytes.split_to(500 << 10);
    drop(sent);
    assert_eq!(room.kib.available_permits(), all - 512, "a part of it still waits");
    drop(bytes);
    assert_eq!(room.kib.available_permits(), all);
    let all_of_it = Arc::clone(&room.kib).try_acquire_many_owned(ANSWERS_KIB_MAX).unwrap();
    assert!(room.kib.try_acquire().is_err(), "no answer beyond the bound");
    drop(all_of_it);
}
