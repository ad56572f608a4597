//! `WalPosition`: a point in the write-ahead log of a server.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::db::statement::Statement;
use crate::error::{Operation, Result};

/// A point in the write-ahead log of a server: everything that was committed before is in it.
///
/// A [mutation](crate::MutationReport::position) returns the position after its commit, and
/// [`Replicas::at_least`](crate::Replicas::at_least) reads from a replica that has replayed it. It
/// travels as opaque text, perhaps through a client: it is `Display` and `FromStr`, and serde writes
/// it as a string of at most 42 characters, which may stand in a header, a cookie or a URL.
///
/// ```
/// use fraiseql_runtime::WalPosition;
///
/// let text = "66f1a2b3c4d5e6f7-1-16b3748";
/// let position: WalPosition = text.parse()?;
/// assert_eq!(position.to_string(), text);
/// assert!("66f1a2b3c4d5e6f7-2-16b3749".parse::<WalPosition>()? != position);
/// assert!("garbage".parse::<WalPosition>().is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Two positions can be compared if they are of the same database system and of the same timeline:
/// a timeline is what a server writes from one promotion to the next.
///
/// ```
/// # use fraiseql_runtime::WalPosition;
/// # let position = |text: &str| text.parse::<WalPosition>().unwrap();
/// assert!(position("a-1-10") < position("a-1-20"));
/// assert_eq!(position("a-1-10").partial_cmp(&position("b-1-20")), None); // another system
/// assert_eq!(position("a-1-10").partial_cmp(&position("a-2-20")), None); // another timeline
/// ```
///
/// The text names the identifier of the database system and how much it has written. That is no
/// secret that gives access to anything, and a forged position only makes reads slower: they wait, and
/// then go to the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct WalPosition {
    /// The identifier that `initdb` gave to the system, and that its replicas have.
    pub(crate) system: u64,
    pub(crate) timeline: u32,
    pub(crate) lsn: u64,
}

/// The position of a primary, as columns of text. Each mutation reads it after its commit, where it is planned
/// again, so [`WalPosition::read`] computes what SQL could.
///
/// It is the *insert* position. With `synchronous_commit = off`, the record of a commit that has
/// returned may not have been written yet, and the write position, `pg_current_wal_lsn()`, is before
/// it. A setting of the session does not tell, because the transaction may have set it for itself.
pub(crate) const POSITION: &str = "\
SELECT pg_catalog.pg_control_system()::pg_catalog.text, at::pg_catalog.text,
    pg_catalog.pg_walfile_name_offset(at)::pg_catalog.text, pg_catalog.current_setting('wal_block_size')
FROM pg_catalog.pg_current_wal_insert_lsn() AS at";

/// The length of the header between the end of the last record and this offset in a file, where the next one begins.
///
/// If the last record ends with a page, the next one begins behind the header of the next page: 24
/// bytes, or 40 in the first page of a file. A replica that has replayed everything is at the end of
/// the last record, before that header, and would never reach the other position on an idle system.
const fn header_before(offset: u64, block: u64) -> u64 {
    match offset {
        40 => 40,
        offset if block > 0 && offset % block == 24 => 24,
        _ => 0,
    }
}

/// The identifier of a system in the text of (version, version of the catalog, identifier, time).
fn system(control: &str) -> Option<u64> {
    let system = control.split(',').nth(2)?.parse::<i64>().ok()?;
    Some(system.cast_unsigned())
}

/// A position that PostgreSQL prints, as a number.
fn number(lsn: &str) -> Option<u64> {
    let (high, low) = lsn.split_once('/')?;
    let half = |digits: &str| u32::from_str_radix(digits, 16).map(u64::from).ok();
    Some(half(high)? << 32 | half(low)?)
}

impl WalPosition {
    /// The position of the server that a connection leads to, for writes that are not those of a
    /// mutation. Everything that was committed before the call is in it, so it is called after the
    /// commit:
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// use fraiseql_runtime::WalPosition;
    ///
    /// let mut connection = pool.acquire().await?;
    /// let before = WalPosition::current(&mut connection).await?;
    /// sqlx::query("INSERT INTO tb_post VALUES (7, 'Notes')").execute(&mut *connection).await?;
    /// let after = WalPosition::current(&mut connection).await?;
    /// assert!(before < after);
    /// # Ok(()) }) }
    /// ```
    ///
    /// # Errors
    /// If the query fails, as it does on a replica.
    pub async fn current(connection: &mut PgConnection) -> Result<Self> {
        Statement::new(POSITION, Operation::ReadPosition)
            .fetch_one(connection, Self::read)
            .await
    }

    /// Reads a row of [`POSITION`].
    pub(crate) fn read(row: &PgRow) -> sqlx::Result<Self> {
        let [control, lsn, file, block] = [0, 1, 2, 3].map(|column| row.try_get(column));
        let [control, lsn, file, block]: [String; 4] = [control?, lsn?, file?, block?];
        Self::written(&control, &lsn, &file, &block).ok_or_else(|| {
            let unexpected = format!("position {control} {lsn} {file} {block}");
            sqlx::Error::Decode(unexpected.into())
        })
    }

    /// The end of the last record of a primary, from the texts of `pg_control_system()`, the position where the next
    /// one begins, its `pg_walfile_name_offset()` and the size of a page.
    pub(crate) fn written(control: &str, lsn: &str, file: &str, block: &str) -> Option<Self> {
        // (name, offset)
        let (name, offset) = file
            .trim_start_matches('(')
            .trim_end_matches(')')
            .split_once(',')?;
        let header = header_before(offset.parse().ok()?, block.parse().ok()?);
        Some(Self {
            system: system(control)?,
            timeline: u32::from_str_radix(name.get(..8)?, 16).ok()?,
            lsn: number(lsn)?.checked_sub(header)?,
        })
    }

    /// What a replica has replayed, from the texts of `pg_control_system()`, the position and the timeline.
    pub(crate) fn replayed(control: &str, lsn: &str, timeline: &str) -> Option<Self> {
        Some(Self {
            system: system(control)?,
            timeline: timeline.parse().ok()?,
            lsn: number(lsn)?,
        })
    }

    /// The later one of two positions: that of the later timeline, whichever was written first. Those of two
    /// systems cannot be compared, and it is the second.
    #[doc(hidden)]
    #[must_use]
    pub fn or_later(self, other: Option<Self>) -> Self {
        let is_later = |other: &Self| {
            self.system == other.system && (self.timeline, self.lsn) > (other.timeline, other.lsn)
        };
        match other {
            Some(other) if !is_later(&other) => other,
            _ => self,
        }
    }
}

impl PartialOrd for WalPosition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let is_comparable = (self.system, self.timeline) == (other.system, other.timeline);
        is_comparable.then(|| self.lsn.cmp(&other.lsn))
    }
}

impl fmt::Display for WalPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}-{:x}", self.system, self.timeline, self.lsn)
    }
}

/// A text is not a [`WalPosition`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a position that the server has returned")]
pub struct ParsePositionError;

impl FromStr for WalPosition {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> std::result::Result<Self, ParsePositionError> {
        let mut parts = text.split('-').map(digits);
        let mut part = || parts.next().flatten().ok_or(ParsePositionError);
        let (system, timeline, lsn) = (part()?, part()?, part()?);
        let timeline = u32::try_from(timeline).map_err(|_| ParsePositionError)?;
        match parts.next() {
            None => Ok(Self {
                system,
                timeline,
                lsn,
            }),
            Some(_) => Err(ParsePositionError),
        }
    }
}

/// A number as `Display` writes it: lower case, without sign and leading zeros.
fn digits(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_canonical = text.len() == 1 || !text.starts_with('0');
    let is_number = !text.is_empty() && text.len() <= 16 && text.bytes().all(is_digit);
    (is_number && is_canonical).then(|| u64::from_str_radix(text, 16).ok())?
}

impl From<WalPosition> for String {
    fn from(position: WalPosition) -> Self {
        position.to_string()
    }
}

impl TryFrom<String> for WalPosition {
    type Error = ParsePositionError;

    fn try_from(text: String) -> std::result::Result<Self, ParsePositionError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: WalPosition = WalPosition {
        system: u64::MAX,
        timeline: u32::MAX,
        lsn: u64::MAX,
    };

    #[test]
    fn a_position_is_written_and_read_as_the_same_text() {
        for position in [
            LARGEST,
            WalPosition {
                system: 7,
                timeline: 1,
                lsn: 0,
            },
        ] {
            let text = position.to_string();
            assert!(text.len() <= 42);
            assert_eq!(text.parse(), Ok(position));
            let json = serde_json::to_string(&position).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(
                serde_json::from_str::<WalPosition>(&json).unwrap(),
                position
            );
        }
    }

    #[test]
    fn the_end_of_the_last_record_is_before_the_header_of_a_page() {
        let control = "(1300,202107181,-7612345678901234567,\"2026-11-28 09:00:00+00\")";
        let at = |lsn: &str, offset: u64, block: &str| {
            let file = format!("(0000000A0000001200000034,{offset})");
            WalPosition::written(control, lsn, &file, block)
        };
        let position = |lsn| WalPosition {
            system: (-7_612_345_678_901_234_567_i64).cast_unsigned(),
            timeline: 10,
            lsn,
        };
        for (lsn, offset, block, end) in [
            ("12/34001234", 0x1234, "8192", 0x12_3400_1234),
            ("12/34000028", 40, "8192", 0x12_3400_0000),
            ("12/34002018", 8_216, "8192", 0x12_3400_2000),
            ("12/34000018", 24, "8192", 0x12_3400_0000),
            ("12/34002018", 8_216, "16384", 0x12_3400_2018),
            ("FFFFFFFF/FFFFFFFF", 0xff_ffff, "8192", u64::MAX),
        ] {
            assert_eq!(
                at(lsn, offset, block),
                Some(position(end)),
                "{lsn} {offset} {block}"
            );
        }
        for (lsn, block) in [
            ("12", "8192"),
            ("12/x", "8192"),
            ("12/34000000", ""),
            ("0/0", "8192"),
        ] {
            assert_eq!(at(lsn, 40, block), None, "{lsn} {block}");
        }
    }

    #[test]
    fn any_other_text_is_refused() {
        let long = "f".repeat(17);
        for text in [
            "",
            "-",
            "--",
            "1",
            "1-1",
            "1-1-",
            "-1-1-1",
            "1-1-1-1",
            "1-1-1-",
            "+1-1-1",
            "1-0x1-1",
            "A-1-1",
            "01-1-1",
            "1-100000000-1",
            " 1-1-1",
            "1-1-1 ",
            "1-1-1\n",
            "1-1-g",
            "١-1-1",
            "1--1",
            "0/16B3748",
        ] {
            assert_eq!(
                text.parse::<WalPosition>(),
                Err(ParsePositionError),
                "{text:?}"
            );
        }
        assert!(format!("{long}-1-1").parse::<WalPosition>().is_err());
        assert!(serde_json::from_str::<WalPosition>("7").is_err());
    }

    #[test]
    fn the_later_position_wins_and_the_second_if_they_cannot_be_compared() {
        let position = |text: &str| text.parse::<WalPosition>().unwrap();
        let [early, late, promoted] = ["a-1-1", "a-1-2", "a-2-1"].map(position);
        let other = position("b-1-1");
        assert_eq!(late.or_later(Some(promoted)), promoted);
        assert_eq!(promoted.or_later(Some(late)), promoted);
        assert_eq!(early.or_later(Some(late)), late);
        assert_eq!(late.or_later(Some(early)), late);
        assert_eq!(late.or_later(Some(other)), other);
        assert_eq!(late.or_later(None), late);
    }
}
