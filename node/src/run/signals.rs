//! The process's signals: some stop the node, one reloads settings, and the others are logged.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::config::{Config, NotifyConfig, Overrides};
use crate::logging::LogLevel;
use node_core::sentence;

/// The settings that SIGHUP reloads: the log filter, the receivers of events, and the limits of listeners for miners. All others
/// take effect at the next start.
#[derive(Debug)]
pub(crate) struct Reload {
    overrides: Overrides,
    log: LogLevel,
    notify: watch::Sender<NotifyConfig>,
    limits: watch::Sender<stratum::Limits>,
    /// The current settings.
    config: Config,
}

impl Reload {
    /// Reloads the sources of `config`.
    #[must_use]
    pub(crate) fn new(config: &Config, overrides: Overrides, log: LogLevel) -> Self {
        let notify = watch::Sender::new(config.notify.clone());
        let limits = watch::Sender::new(config.stratum.limits());
        Self { overrides, log, notify, limits, config: config.clone() }
    }

    fn reloaded(&self) -> Reloaded {
        Reloaded { notify: self.notify.subscribe(), limits: self.limits.subscribe() }
    }

    /// Reads the settings again. Invalid ones change nothing.
    fn reload(&mut self) {
        let new = match Config::load(&self.overrides) {
            Ok(new) => new,
            Err(error) => {
                warn!(error = sentence(&error), "the settings are not valid; the current ones stay");
                return;
            }
        };
        if let Err(error) = self.log.set(&new.log) {
            warn!(error = sentence(&error), "the log filter is not valid; the current one stays");
            return;
        }
        self.notify.send_replace(new.notify.clone());
        let stratum = self.config.stratum.clone().limited_as(&new.stratum);
        self.limits.send_replace(stratum.limits());
        // Both with the same reloaded settings, so that the remaining differences need a restart.
        let in_force = Config { log: new.log.clone(), notify: new.notify.clone(), stratum, ..self.config.clone() };
        if format!("{in_force:?}") == format!("{new:?}") {
            info!(log = new.log, "log filter and notifications are read again, and limits for new miners");
        } else {
            info!(
                log = new.log,
                "log filter and notifications are read again, and limits for new miners; other changes take effect at the next start"
            );
        }
        self.config = in_force;
    }
}

/// The settings that SIGHUP reloads, as last loaded.
#[derive(Clone, Debug)]
pub(super) struct Reloaded {
    /// The receivers of events.
    pub(super) notify: watch::Receiver<NotifyConfig>,
    /// The limits of listeners for miners.
    pub(super) limits: watch::Receiver<stratum::Limits>,
}

/// The signals, handled from the start of the node.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hangup: Signal,
    user1: Signal,
    user2: Signal,
    reload: Reload,
}

impl Signals {
    pub(super) fn new(reload: Reload) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
            reload,
        })
    }

    pub(super) fn reloaded(&self) -> Reloaded {
        self.reload.reloaded()
    }

    /// Handles signals until one stops the node. Returns its name.
    pub(super) async fn stop(&mut self) -> &'static str {
        loop {
            let idle = tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.quit.recv() => return "SIGQUIT",
                _ = self.hangup.recv() => {
                    self.reload.reload();
                    continue;
                }
                _ = self.user1.recv() => "SIGUSR1",
                _ = self.user2.recv() => "SIGUSR2",
            };
            info!(signal = idle, "this signal does nothing; SIGHUP reloads settings, SIGTERM stops the node");
        }
    }
}
