//! The contenders of `serve`.

use std::fmt;

use super::operation::Operation;

/// A server, or another way to execute the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Contender {
    /// fraiseql with documents stored as `json`.
    OursJson,
    /// fraiseql with documents stored as `jsonb`.
    OursJsonb,
    /// fraiseql with documents stored as `json`, and requests that name trusted documents.
    OursTrusted,
    /// Handlers of axum that return what `ours-json` stores, without GraphQL and without a selection.
    Axum,
    /// async-graphql over one hand-written statement, with nested `jsonb_build_object`, on base tables.
    ByHand,
    /// async-graphql with a `DataLoader`, on base tables.
    #[value(name = "dataloader")]
    DataLoader,
    /// The same, without the delay of a millisecond in which it collects keys.
    #[value(name = "dataloader-eager")]
    DataLoaderEager,
    /// PostGraphile 5.
    #[value(name = "postgraphile")]
    PostGraphile,
    /// The same as a cluster of two processes.
    #[value(name = "postgraphile-cluster")]
    PostGraphileCluster,
    /// A plain UPDATE with triggers that rebuild documents one by one. Writes only.
    Triggers,
    /// UPDATE and REFRESH MATERIALIZED VIEW CONCURRENTLY. Writes only.
    Matview,
    /// PostgreSQL without a server: `pgbench -M prepared` with the statements of `ours-json`.
    RawJson,
    /// The same with those of `ours-jsonb`.
    RawJsonb,
}

impl Contender {
    /// The name on the command line and in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OursJson => "ours-json",
            Self::OursJsonb => "ours-jsonb",
            Self::OursTrusted => "ours-trusted",
            Self::Axum => "axum",
            Self::ByHand => "by-hand",
            Self::DataLoader => "dataloader",
            Self::DataLoaderEager => "dataloader-eager",
            Self::PostGraphile => "postgraphile",
            Self::PostGraphileCluster => "postgraphile-cluster",
            Self::Triggers => "triggers",
            Self::Matview => "matview",
            Self::RawJson => "raw-json",
            Self::RawJsonb => "raw-jsonb",
        }
    }

    /// Whether it is PostgreSQL without a server in front.
    pub(crate) const fn is_raw(self) -> bool {
        matches!(self, Self::RawJson | Self::RawJsonb)
    }

    /// The number of PostGraphile processes, if it is PostGraphile.
    pub(crate) const fn postgraphile(self) -> Option<u32> {
        match self {
            Self::PostGraphile => Some(1),
            Self::PostGraphileCluster => Some(2),
            _ => None,
        }
    }

    /// The contender of which it is a variant, or itself.
    pub(crate) const fn alias(self) -> Self {
        match self {
            Self::PostGraphileCluster => Self::PostGraphile,
            Self::DataLoaderEager => Self::DataLoader,
            other => other,
        }
    }

    /// Whether it takes part in this operation.
    pub(crate) fn does(self, operation: Operation) -> bool {
        match operation {
            // Both DataLoader variants write in the same way.
            Operation::Rename => {
                !self.is_raw() && !matches!(self, Self::DataLoaderEager | Self::Axum)
            }
            // Its text has a key, and so is none of a few that are known before.
            Operation::PostConstant if self == Self::OursTrusted => false,
            _ => !matches!(self, Self::Triggers | Self::Matview),
        }
    }
}

impl serde::Serialize for Contender {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
