//! A snapshot of the database, as a text and as what a reader of changes asks of it.

use std::fmt;

/// A snapshot of the database: which transactions it does not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// All transactions from here on had not begun, or had not ended.
    pub(crate) end: u64,
    /// Those before `end` that had not ended.
    pub(crate) open: Vec<u64>,
}

impl Snapshot {
    /// Reads the text of a `pg_snapshot`: `10:20:10,14,15`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (_, end, open) = (parts.next()?, parts.next()?, parts.next()?);
        let open: Option<Vec<u64>> = open
            .split(',')
            .filter(|xid| !xid.is_empty())
            .map(|xid| xid.parse().ok())
            .collect();
        Some(Self {
            end: end.parse().ok()?,
            open: open?,
        })
    }

    /// The first transaction that it does not see.
    pub(crate) fn first_unseen(&self) -> u64 {
        let open = self.open.iter().copied();
        open.chain([self.end]).min().unwrap_or(self.end)
    }
}

impl fmt::Display for Snapshot {
    /// As PostgreSQL prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.first_unseen(), self.end)?;
        for (index, xid) in self.open.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{xid}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Snapshot;

    #[test]
    fn a_snapshot_is_read_and_written() {
        for text in ["10:20:10,14,15", "20:20:"] {
            let read = Snapshot::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(read.to_string(), text);
        }
        let read = Snapshot::parse("10:20:10,14,15");
        let read = read.map(|it| (it.first_unseen(), it.end, it.open));
        assert_eq!(read, Some((10, 20, vec![10, 14, 15])));
        assert_eq!(Snapshot::parse("20"), None);
    }
}
