use super::*;

/// Runs `name` with `parameters`, and returns the result and whether it was worked for.
fn run(kept: &Kept, name: &str, parameters: &str, gives: f64) -> (Vec<f64>, bool) {
    let mut worked = false;
    let work = || {
        worked = true;
        vec![gives]
    };
    (kept.run(name, parameters, work), worked)
}

#[test]
fn a_finished_run_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs");
    let kept = Kept::open(&path).unwrap();
    assert_eq!(run(&kept, "attack", "seed 1", 0.5), (vec![0.5], true));
    assert_eq!(run(&kept, "attack", "seed 2", 0.25), (vec![0.25], true));
    let kept = Kept::open(&path).unwrap();
    assert_eq!(run(&kept, "attack", "seed 1", 7.0), (vec![0.5], false));
    assert_eq!(run(&kept, "attack", "seed 2", 7.0), (vec![0.25], false));
    assert_eq!(run(&kept, "attack", "seed 3", 7.0), (vec![7.0], true), "another seed is another run");
    assert_eq!(run(&kept, "loss", "seed 1", 7.0), (vec![7.0], true), "another experiment is another run");
}

#[test]
fn a_line_that_was_cut_off_is_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs");
    let kept = Kept::open(&path).unwrap();
    run(&kept, "attack", "seed 1", 0.5);
    run(&kept, "attack", "seed 2", 0.25);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 5]).unwrap();
    let kept = Kept::open(&path).unwrap();
    assert!(!run(&kept, "attack", "seed 1", 0.5).1);
    assert!(run(&kept, "attack", "seed 2", 0.25).1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_file_with_another_content_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs");
    std::fs::write(&path, "loss, attack\n").unwrap();
    assert_eq!(Kept::open(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "loss, attack\n");
}
