//! Who is compared.

use std::fmt;

use super::operation::Operation;

/// A way to answer the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Contender {
    /// Documents that are stored as `json`.
    OursJson,
    /// Documents that are stored as `jsonb`.
    OursJsonb,
    /// async-graphql over one statement by hand, with nested `jsonb_build_object`, on base tables.
    ByHand,
    /// async-graphql with a `DataLoader`, on base tables.
    #[value(name = "dataloader")]
    DataLoader,
    /// The same, which does not wait a millisecond for more keys.
    #[value(name = "dataloader-eager")]
    DataLoaderEager,
    /// PostGraphile 5.
    #[value(name = "postgraphile")]
    PostGraphile,
    /// The same as a cluster of two processes.
    #[value(name = "postgraphile-cluster")]
    PostGraphileCluster,
    /// A plain UPDATE, where triggers rebuild documents one by one. It writes only.
    Triggers,
    /// UPDATE and REFRESH MATERIALIZED VIEW CONCURRENTLY. It writes only.
    Matview,
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

    /// Whether it is PostgreSQL without a server before it.
    pub(crate) const fn is_raw(self) -> bool {
        matches!(self, Self::RawJson | Self::RawJsonb)
    }

    /// How many processes of PostGraphile it is.
    pub(crate) const fn postgraphile(self) -> Option<u32> {
        match self {
            Self::PostGraphile => Some(1),
            Self::PostGraphileCluster => Some(2),
            _ => None,
        }
    }

    /// The one that it is another form of, or itself.
    pub(crate) const fn alias(self) -> Self {
        match self {
            Self::PostGraphileCluster => Self::PostGraphile,
            Self::DataLoaderEager => Self::DataLoader,
            other => other,
        }
    }

    /// Whether it does this.
    pub(crate) fn does(self, operation: Operation) -> bool {
        match operation {
            // Both loaders write in one way.
            Operation::Rename => !self.is_raw() && self != Self::DataLoaderEager,
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
