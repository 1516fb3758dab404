use std::os::unix::fs::PermissionsExt;

use axum::http::{HeaderMap, HeaderValue, header};

use super::{TOKEN_FILE, Token};

fn carrying(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    headers
}

#[test]
fn a_token_is_made_once_and_only_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let token = Token::load(folder.path()).unwrap();
    assert_eq!(Token::load(folder.path()).unwrap(), token);
    let path = folder.path().join(TOKEN_FILE);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.trim();
    assert_eq!(text.len(), 32);
    assert!(token.is_in(&carrying(&format!("Bearer {text}"))));
    assert!(token.is_in(&carrying(&format!("bearer {text}"))));
    for wrong in [text.to_owned(), format!("Basic {text}"), "Bearer ".to_owned(), format!("Bearer {text}0")] {
        assert!(!token.is_in(&carrying(&wrong)), "{wrong}");
    }
    assert!(!token.is_in(&HeaderMap::new()));
}

#[test]
fn an_operator_may_choose_the_token_and_an_empty_file_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(TOKEN_FILE);
    std::fs::write(&path, "  a word of my own \n").unwrap();
    assert!(Token::load(folder.path()).unwrap().is_in(&carrying("Bearer a word of my own")));
    std::fs::write(&path, "\n").unwrap();
    assert!(!Token::load(folder.path()).unwrap().is_in(&carrying("Bearer ")));
}
