//! The packages of `make dist`, with the program that the tests built.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn top() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().to_owned()
}

fn run(program: &str, args: &[&str], folder: &Path) -> Output {
    Command::new(program).args(args).current_dir(folder).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn must(program: &str, args: &[&str], folder: &Path) -> String {
    let output = run(program, args, folder);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {args:?}:\n{out}{err}");
    out.into_owned()
}

fn make(out: &Path, key: &Path) {
    let tools =
        std::env::var("SHOAL_DIST_PATH").expect("`make test` sets SHOAL_DIST_PATH to the tools that make packages");
    let path = format!("{tools}:{}", std::env::var("PATH").unwrap());
    let program = env!("CARGO_BIN_EXE_shoal");
    // This program's folder, named after its profile, is in the folder of all build results.
    let target = Path::new(program).parent().unwrap().parent().unwrap();
    let output = Command::new(top().join(".ci/dist.sh"))
        .args([out, Path::new(program)])
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", target)
        .env("SHOAL_SIGN_KEY", key)
        .env("SHOAL_DIST_FAST", "1")
        // A commit between the two builds would change the time.
        .env("SOURCE_DATE_EPOCH", "1795824000")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

fn only<'a>(files: &'a BTreeMap<String, Vec<u8>>, ending: &str) -> &'a str {
    let mut found = files.keys().filter(|name| name.ends_with(ending));
    let name = found.next().unwrap_or_else(|| panic!("no {ending} in {:?}", files.keys()));
    assert!(found.next().is_none());
    name
}

/// Reproducible packages need no trust in the machine that built them.
#[test]
fn packages_of_one_build_are_the_same_bytes_signed_and_complete() {
    let work = TempDir::new().unwrap();
    let [first, second] = ["first", "second"].map(|name| work.path().join(name));
    let (key, public) = (work.path().join("key"), work.path().join("key.pub"));
    // A key for this test only. The release key is never on a machine that builds.
    must("minisign", &["-G", "-W", "-s", key.to_str().unwrap(), "-p", public.to_str().unwrap()], work.path());
    make(&first, &key);
    make(&second, &key);
    let made = files(&first);
    assert_eq!(made.keys().collect::<Vec<_>>(), files(&second).keys().collect::<Vec<_>>());
    for (name, bytes) in &made {
        // A signature contains its time.
        assert!(name.ends_with(".minisig") || files(&second)[name] == *bytes, "{name} differs");
    }
    must("sha256sum", &["--check", "--strict", "--quiet", "SHA256SUMS"], &first);
    let verify = ["-V", "-q", "-m", "SHA256SUMS", "-p", public.to_str().unwrap()];
    must("minisign", &verify, &first);
    fs::write(second.join("SHA256SUMS"), b"another list\n").unwrap();
    assert!(!run("minisign", &verify, &second).status.success(), "another list has no signature");

    let list = must("tar", &["--list", "--file", only(&made, ".tar.xz")], &first);
    for file in ["shoal", "man/shoal.1.gz", "completions/shoal.bash", "shoal.service", "docs/install.md", "LICENSE-MIT"]
    {
        assert!(
            list.lines().any(|line| line.split_once('/').is_some_and(|(_, rest)| rest == file)),
            "no {file}:\n{list}"
        );
    }
    let sbom: Value = serde_json::from_slice(&made[only(&made, ".sbom.json")]).unwrap();
    let named = |name: &str| sbom["components"].as_array().unwrap().iter().any(|component| component["name"] == name);
    assert!(named("libp2p") && named("rocksdb") && named("bitcoin"), "the list names what the program is made of");
    a_debian_package(&first, only(&made, ".deb"));
}

fn a_debian_package(folder: &Path, package: &str) {
    let fields = must("dpkg-deb", &["--field", package], folder);
    assert!(fields.contains("Package: shoal") && fields.contains("libc6 (>="), "{fields}");
    let contents = must("dpkg-deb", &["--contents", package], folder);
    for file in [
        "./usr/bin/shoal",
        "./usr/lib/systemd/system/shoal.service",
        "./etc/shoal/shoal.toml",
        "./usr/share/man/man1/shoal-run.1.gz",
        "./usr/share/bash-completion/completions/shoal",
    ] {
        assert!(contents.lines().any(|line| line.ends_with(file)), "no {file}:\n{contents}");
    }
    let control = must("dpkg-deb", &["--info", package, "conffiles"], folder);
    assert_eq!(control, "/etc/shoal/shoal.toml\n", "an upgrade keeps the operator's settings");
    let checked = run("lintian", &["--fail-on", "error,warning", package], folder);
    let words = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "lintian:\n{words}{}", String::from_utf8_lossy(&checked.stderr));
}
