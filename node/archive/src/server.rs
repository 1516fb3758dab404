//! A PostgreSQL server of its own, for tests and test networks: in a folder, reached through a Unix socket in it and through
//! nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::connect::ArchiveUrl;
use crate::error::ArchiveError;
use crate::limits::SOCKET_PATH_BYTES_MAX;

/// Name of the database.
const DATABASE: &str = "archive";

/// User of the server, and of the system where the caller is root: PostgreSQL does not run as root.
const USER: &str = "postgres";

/// PostgreSQL's programs that are used here.
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_isready", "createdb"];

/// Time in which a server starts, recovery included.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A running server. Dropped, it ends; its folder stays.
#[derive(Debug)]
pub struct LocalServer {
    folder: PathBuf,
    programs: PathBuf,
    settings: Vec<String>,
    process: Option<Child>,
}

fn failed(what: impl Into<String>) -> ArchiveError {
    ArchiveError::Server(what.into())
}

/// Folder of PostgreSQL's programs: `POSTGRES_BIN`, that of `postgres` in `PATH`, or the newest of Debian's.
fn programs() -> Result<PathBuf, ArchiveError> {
    if let Some(folder) = std::env::var_os("POSTGRES_BIN") {
        return Ok(folder.into());
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let is_whole = |folder: &Path| PROGRAMS.iter().all(|program| folder.join(program).is_file());
    if let Some(folder) = std::env::split_paths(&paths).find(|folder| is_whole(folder)) {
        return Ok(folder);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let version = |path: &Path| path.parent().and_then(Path::file_name)?.to_str()?.parse::<u32>().ok();
    let folders = versions.map(|entry| entry.path().join("bin")).filter(|bin| is_whole(bin));
    let newest = folders.max_by_key(|bin| version(bin));
    newest.ok_or_else(|| {
        failed("initdb is missing; install PostgreSQL (Debian: postgresql), or set POSTGRES_BIN to its folder")
    })
}

impl LocalServer {
    /// Creates a server in a folder that must not exist, and starts it. `settings` are like `shared_buffers=1GB`.
    ///
    /// # Errors
    /// PostgreSQL is missing, or does not start.
    pub fn create(folder: &Path, settings: &[&str]) -> Result<Self, ArchiveError> {
        let socket = folder.join(".s.PGSQL.5432");
        if socket.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
            let path = socket.display();
            return Err(failed(format!(
                "{path} is too long for a socket: {SOCKET_PATH_BYTES_MAX} bytes; take another folder"
            )));
        }
        fs::create_dir(folder).map_err(|error| failed(format!("{} cannot be created: {error}", folder.display())))?;
        let folder = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
        if is_root() {
            run(Command::new("chown").arg(format!("{USER}:")).arg(&folder))?;
        }
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { folder, programs: programs()?, settings, process: None };
        let mut initdb = server.program("initdb");
        // Trust: users who may enter the folder.
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username", USER, "--pgdata"]);
        run(initdb.arg(server.data()))?;
        server.start()?;
        let url = server.socket_folder();
        run(server.program("createdb").args(["--username", USER, "--host"]).arg(url).arg(DATABASE))?;
        Ok(server)
    }

    /// Starts a server in a folder that an earlier one used, or creates it.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn open_or_create(folder: &Path, settings: &[&str]) -> Result<Self, ArchiveError> {
        if !folder.join("data").exists() {
            return Self::create(folder, settings);
        }
        let folder = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { folder, programs: programs()?, settings, process: None };
        server.start()?;
        Ok(server)
    }

    /// The URL of the database.
    ///
    /// # Errors
    /// The folder's name cannot be part of a URL.
    pub fn url(&self) -> Result<ArchiveUrl, ArchiveError> {
        self.url_text().parse()
    }

    /// The URL as text.
    #[must_use]
    pub fn url_text(&self) -> String {
        let host = self.folder.display().to_string().replace('%', "%25").replace('/', "%2F").replace(' ', "%20");
        format!("postgres://{USER}@{host}/{DATABASE}")
    }

    /// Ends the server at once, as a crash does: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _gone = process.kill().is_err();
            let _status = process.wait();
        }
    }

    /// Starts the server, and waits until it answers.
    ///
    /// # Errors
    /// It does not start in time.
    pub fn start(&mut self) -> Result<(), ArchiveError> {
        let began = Instant::now();
        loop {
            let process = self.spawn()?;
            self.process = Some(process);
            while self.is_running() {
                if self.answers() {
                    return Ok(());
                }
                if began.elapsed() > STARTS_WITHIN {
                    self.kill();
                    return Err(failed(format!("it does not answer; see {}", self.log().display())));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // After a crash, the last processes of the old server may still be there.
            if began.elapsed() > STARTS_WITHIN {
                return Err(failed(format!("it ends; see {}", self.log().display())));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn spawn(&self) -> Result<Child, ArchiveError> {
        let log = fs::File::options().create(true).append(true).open(self.log());
        let log = log.map_err(|error| failed(error.to_string()))?;
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(self.data()).args(["-c", "listen_addresses=", "-c"]);
        postgres.arg(format!("unix_socket_directories={}", self.folder.display()));
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        let process = postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        process.map_err(|error| failed(error.to_string()))
    }

    fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    fn answers(&self) -> bool {
        let mut ready = self.program("pg_isready");
        ready.args(["--quiet", "--host"]).arg(self.socket_folder());
        ready.status().is_ok_and(|status| status.success())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where the server writes its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn socket_folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// One of PostgreSQL's programs, which ends with its caller.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if is_root() {
            command.args(["--reuid", USER, "--regid", USER, "--init-groups"]);
        }
        command.arg("--").arg(self.programs.join(name)).current_dir(&self.folder);
        command
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn run(command: &mut Command) -> Result<(), ArchiveError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(format!("{name}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
