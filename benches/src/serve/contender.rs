//! Who is compared.

use std::fmt;

use super::operation::Operation;

/// A way to answer the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contender {
    /// Documents that are stored as `json`.
    OursJson,
    /// Documents that are stored as `jsonb`.
    OursJsonb,
    /// PostgreSQL alone, `pgbench -M prepared`, with our statements: `json`.
    RawJson,
    /// The same, `jsonb`.
    RawJsonb,
}

impl Contender {
    /// How it is called on the command line, and in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OursJson => "ours-json",
            Self::OursJsonb => "ours-jsonb",
            Self::RawJson => "raw-json",
            Self::RawJsonb => "raw-jsonb",
        }
    }

    /// Whether it is PostgreSQL without a server before it.
    pub(crate) const fn is_raw(self) -> bool {
        matches!(self, Self::RawJson | Self::RawJsonb)
    }

    /// Whether it does this.
    pub(crate) const fn does(self, operation: Operation) -> bool {
        match operation {
            Operation::Rename => !self.is_raw(),
            _ => true,
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
