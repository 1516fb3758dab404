use qrcodegen::{QrCode, QrCodeEcc};

use super::*;

const TEXT: &str = "stratum+tcp://192.168.1.20:3333";

fn dark(ecc: QrCodeEcc) -> (usize, i32) {
    let code = QrCode::encode_text(TEXT, ecc).unwrap();
    let all = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    (all.filter(|(x, y)| code.get_module(*x, *y)).count(), code.size())
}

#[test]
fn an_image_draws_each_dark_module_once() {
    let (size, path) = path(TEXT);
    let runs = path.split('h').skip(1).map(|run| run.split('v').next().unwrap().parse::<usize>().unwrap());
    let (dark, wanted) = dark(QrCodeEcc::Medium);
    assert_eq!((runs.sum::<usize>(), size), (dark, wanted.unsigned_abs()));
    assert!(path.starts_with("M0 0h7v1H0z"), "the corner mark: {path}");
    assert_eq!(super::path(&"a".repeat(5_000)), (0, String::new()));
}

#[test]
fn a_terminal_shows_each_dark_module_once() {
    let text = lines(TEXT);
    let light = |c: char| match c {
        '\u{2588}' => 2,
        ' ' | '\n' => 0,
        _ => 1,
    };
    let (dark, size) = dark(QrCodeEcc::Low);
    let side = usize::try_from(size + 2 * QUIET).unwrap();
    assert!(text.lines().all(|line| line.chars().count() == side), "{text}");
    // The last line has a row below the code, which is all light.
    let rows = 2 * text.lines().count();
    assert_eq!(text.chars().map(light).sum::<usize>(), rows * side - dark);
    assert!(lines(&"a".repeat(5_000)).is_empty());
}
