//! `shoal setup`, as a process, on a real Bitcoin of this machine: it finds it, writes a configuration, checks it, and says
//! what to enter in a miner.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testnet::embedded::{Bitcoin, Config};

use crate::support::free_address;

const ADDRESS: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";

/// Runs `shoal setup` in a home folder, with these lines as answers.
fn setup(home: &Path, arguments: &[&str], lines: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).arg("setup").args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8([&output.stdout[..], &output.stderr].concat()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_finds_bitcoind_writes_a_configuration_and_never_overwrites_one() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let rpc = free_address();
    // Where bitcoind keeps the cookie of its signets.
    let data_dir = home.join(".bitcoin/signet");
    fs::create_dir_all(&data_dir).unwrap();
    let bitcoin =
        Bitcoin::start(Config { dir: data_dir.clone(), listen: rpc, transaction_interval: None }).await.unwrap();
    let (url, stratum, api, p2p) =
        (format!("--bitcoind-url=http://{rpc}"), free_address(), free_address(), free_address());
    let listen = [format!("--p2p-listen={p2p}"), format!("--data-dir={}", home.join("data").display())];
    let flags = [url.as_str(), &listen[0], &listen[1]];

    // Answers from someone at the keyboard: address, pool, miners, pages, first node.
    let lines = format!("{ADDRESS}\n\n{stratum}\n{api}\nnew\n");
    let output = setup(home, &flags, &lines);
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    let cookie = data_dir.join(".cookie");
    for part in [
        format!("on local at http://{rpc}/, by the cookie {}", cookie.display()),
        format!("URL       stratum+tcp://{stratum}"),
        format!("http://{api}/#pair="),
        "✓ template".to_owned(),
        "any name; a payout address".to_owned(),
    ] {
        assert!(said.contains(&part), "no {part:?}:\n{said}");
    }
    let file = home.join(".shoal/shoal.toml");
    let text = fs::read_to_string(&file).unwrap();
    for line in ["network = \"local\"", &format!("address = \"{ADDRESS}\""), "new_pool = true", "[stratum]"] {
        assert!(text.lines().any(|written| written == line), "no {line:?}:\n{text}");
    }
    assert_eq!(mode(&file), 0o644, "it holds no secret");

    let again = setup(home, &flags, &lines);
    assert!(!again.status.success() && words(&again).contains("exists; give another file"), "{}", words(&again));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);

    // Every answer is a flag; a secret makes the file private.
    let (stratum, api) = (format!("--stratum-listen={stratum}"), format!("--api-listen={api}"));
    let answers = ["--yes", "--force", "--new-pool", "--notify-ntfy=http://127.0.0.1:1/topic", &stratum, &api];
    let output = setup(home, &[&flags[..], &answers].concat(), "");
    assert!(output.status.success(), "{}", words(&output));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("[notify]\nntfy = [\"http://127.0.0.1:1/topic\"]") && !text.contains(ADDRESS), "{text}");
    assert_eq!(mode(&file), 0o600);

    let wrong = setup(home, &["--yes", "--force", "--address=tb1wrong"], "");
    assert!(
        !wrong.status.success() && words(&wrong).contains("the flag --address") | words(&wrong).contains("address")
    );
    assert!(!words(&wrong).contains("shoal.toml line"), "no file has it: {}", words(&wrong));
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "a wrong answer changes nothing");
    let typo = words(&setup(home, &["--config", "other.toml", &url], "nonsense\n"));
    assert!(typo.contains("`address` cannot be used: \"nonsense\"") && !typo.contains("other.toml"), "{typo}");
    let silent = setup(home, &["--config", "other.toml", &url], "");
    assert!(words(&silent).contains("no answer came for --address"), "{}", words(&silent));
    a_terminal_shows_a_pairing_link_until_a_browser_is_paired(home, &file).await;
    drop(bitcoin);
}

/// A node in a terminal of its own. It is stopped when dropped.
struct InTerminal {
    child: Child,
    dir: PathBuf,
}

impl InTerminal {
    fn start(home: &Path, config: &Path, name: &str) -> Self {
        let dir = home.join(name);
        fs::create_dir(&dir).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name("shoal");
        let run = format!(
            "echo $$ > {pid}; exec {program} run --config {config}",
            pid = dir.join("pid").display(),
            program = program.display(),
            config = config.display()
        );
        let mut command = Command::new("script");
        command.args(["--quiet", "--flush", "--command", &run]).arg(dir.join("screen"));
        // Without the settings of the tests themselves, which the program would refuse.
        let path = std::env::var_os("PATH").unwrap();
        command.env_clear().envs([("PATH", path.as_os_str()), ("HOME", home.as_os_str())]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { child, dir }
    }

    /// What the terminal shows, once it shows these words.
    async fn screen(&self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let shown = fs::read(self.dir.join("screen")).unwrap_or_default();
            let shown = String::from_utf8_lossy(&shown).into_owned();
            if shown.contains(words) {
                return shown;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no {words:?} on:\n{shown}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for InTerminal {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.dir.join("pid")).ok().and_then(|pid| pid.trim().parse().ok());
        let _ = pid.map(|pid| kill(Pid::from_raw(pid), Signal::SIGTERM));
        let _ = self.child.wait();
    }
}

async fn a_terminal_shows_a_pairing_link_until_a_browser_is_paired(home: &Path, config: &Path) {
    let node = InTerminal::start(home, config, "first");
    let shown = node.screen("the web pages and the HTTP API are up").await;
    let shown = if shown.contains("#pair=") { shown } else { node.screen("works once").await };
    let (link, rest) = shown.split_once("/#pair=").unwrap();
    let (url, code) = (link.lines().last().unwrap(), &rest[..32]);
    let asked = reqwest::Client::new().post(format!("{url}/api/v1/pair")).header("shoal-pairing-code", code);
    assert!(asked.send().await.unwrap().status().is_success(), "{shown}");
    drop(node);
    let again = InTerminal::start(home, config, "second");
    let shown = again.screen("the node is running").await;
    assert!(!shown.contains("#pair="), "a browser is paired:\n{shown}");
}
