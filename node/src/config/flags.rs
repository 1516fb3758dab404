//! Flags and environment variables; every key has one of each.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::keys::{KEYS, Key, Shape};
use super::origin::Origin;
use super::settings::{Setting, Settings};

/// Flag and environment variable of the config file's path, the only setting that is not in the file.
pub(super) const FILE: (&str, &str) = ("config", "SHOAL_CONFIG");

/// Settings from flags and environment variables.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    file: Option<PathBuf>,
    settings: Settings,
}

impl Overrides {
    /// Path of the config file: the given one, or else the default one if it exists.
    pub(super) fn file(&self, home: Option<&Path>) -> Option<PathBuf> {
        self.file.clone().or_else(|| {
            let usual = home?.join(".shoal").join("shoal.toml");
            usual.exists().then_some(usual)
        })
    }

    /// Path of the config file, whether it exists or not: the given one, or else the default one. None without a home folder.
    pub(crate) fn target(&self) -> Option<PathBuf> {
        self.file.clone().or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".shoal").join("shoal.toml")))
    }

    /// Values of flags and environment variables, by key.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.settings.iter()
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl clap::Args for Overrides {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE.0)
            .long(FILE.0)
            .env(FILE.1)
            .value_name("FILE")
            .help("Config file [default: ~/.shoal/shoal.toml if it exists]")
            .value_parser(clap::value_parser!(PathBuf))
            .global(true);
        KEYS.iter().copied().map(flag).fold(command.arg(file), Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(key: &'static Key) -> Arg {
    let arg = Arg::new(key.name)
        .long(key.flag)
        .env(key.env)
        .value_name(key.value)
        .help(key.help)
        .help_heading("Configuration (each is also a key of the config file)")
        .hide_env_values(true)
        .global(true);
    match key.shape {
        Shape::One => arg,
        Shape::Many => arg.action(ArgAction::Append),
        Shape::Switch => arg.num_args(0..=1).require_equals(true).default_missing_value("true"),
    }
}

impl clap::FromArgMatches for Overrides {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut overrides = Self::default();
        overrides.update_from_arg_matches(matches)?;
        Ok(overrides)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>(FILE.0).cloned();
        for key in KEYS {
            let Some(values) = matches.get_many::<String>(key.name) else { continue };
            let origin = match matches.value_source(key.name) {
                Some(ValueSource::EnvVariable) => Origin::Env(key.env),
                _ => Origin::Flag(key.flag),
            };
            let values: Vec<String> = match key.shape {
                Shape::One | Shape::Switch => values.cloned().collect(),
                Shape::Many => values
                    .flat_map(|list| list.split(','))
                    .map(|item| item.trim().to_owned())
                    .filter(|item| !item.is_empty())
                    .collect(),
            };
            // `SHOAL_ADDRESS=` in a service file means "not set".
            let empty = values.iter().all(String::is_empty);
            if !(empty && matches!(origin, Origin::Env(_))) {
                self.settings.insert(key, Setting { values, origin });
            }
        }
        Ok(())
    }
}
