//! The type that describes a key of the configuration.

/// Number of values that a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One value.
    One,
    /// A list. Flags are repeated; environment variables separate values by commas.
    Many,
    /// True or false; the flag alone means true.
    Switch,
}

/// One key of the configuration.
#[derive(Debug)]
pub struct Key {
    /// Name in the file, with its table: `bitcoind.url`.
    pub name: &'static str,
    /// Name of the flag, without leading dashes.
    pub flag: &'static str,
    /// Name of the environment variable.
    pub env: &'static str,
    /// Placeholder of the value in the help.
    pub value: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Number of values that it takes.
    pub shape: Shape,
    /// True if its value must never be shown.
    pub secret: bool,
}

impl Key {
    pub(super) const fn one(names: [&'static str; 3], value: &'static str, help: &'static str) -> Self {
        let [name, flag, env] = names;
        Self { name, flag, env, value, help, shape: Shape::One, secret: false }
    }

    pub(super) const fn shaped(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}
