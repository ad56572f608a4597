//! What the server itself must be.

use crate::error::check_report::{FindingKind, Remedy, Severity};
use crate::ops::check::catalog::Server;
use crate::ops::check::findings::{Breaks, Fault};
use crate::sql::probe;

/// The oldest version with `xid8` and `pg_visible_in_snapshot` that is still tested.
const OLDEST: i32 = 140_000;

/// The server's faults.
pub(crate) fn faults(server: &Server) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |severity, kind, message: String, remedy| {
        faults.push(Fault {
            severity,
            kind,
            subject: String::new(),
            message,
            remedies: vec![remedy],
            breaks: Breaks::Nothing,
        });
    };
    let default = |setting, value| {
        Remedy::Sql(probe::set_default(
            &server.role,
            &server.database,
            setting,
            value,
        ))
    };
    if server.version_number < OLDEST {
        add(
            Severity::Error,
            FindingKind::ServerVersion,
            format!(
                "PostgreSQL {} is too old: sync needs 14 or newer",
                server.version
            ),
            Remedy::Other("upgrade the server".to_owned()),
        );
    } else if !server.lz4 {
        add(
            Severity::Warning,
            FindingKind::NoLz4,
            "the server cannot compress with lz4, so documents are stored with pglz, and writing \
             them is slower by a fifth"
                .to_owned(),
            Remedy::Other("use a PostgreSQL that was built --with-lz4".to_owned()),
        );
    }
    if server.encoding != "UTF8" {
        let (severity, why) = if server.encoding == "SQL_ASCII" {
            (
                Severity::Error,
                "bytes that are no UTF-8 are stored unseen, and make documents unreadable",
            )
        } else {
            (
                Severity::Warning,
                "characters that it does not have cannot be stored",
            )
        };
        add(
            severity,
            FindingKind::Encoding,
            format!(
                "the encoding of the database {} is {}: {why}",
                server.database, server.encoding
            ),
            Remedy::Other(
                "dump the database, and restore it into one that was created with \
                 ENCODING 'UTF8' TEMPLATE template0"
                    .to_owned(),
            ),
        );
    }
    if server.isolation == "repeatable read" {
        add(
            Severity::Error,
            FindingKind::Isolation,
            "transactions begin as REPEATABLE READ here (default_transaction_isolation), and a \
             sync inside such a transaction is refused, because it would lose concurrent changes"
                .to_owned(),
            default("default_transaction_isolation", "read committed"),
        );
    }
    if server.standby {
        add(
            Severity::Error,
            FindingKind::ReadOnly,
            "the server is a standby: documents can be read here, but not synced".to_owned(),
            Remedy::Other("connect to the primary to sync".to_owned()),
        );
    } else if server.read_only {
        add(
            Severity::Error,
            FindingKind::ReadOnly,
            "transactions begin as READ ONLY here (default_transaction_read_only), so nothing can \
             be synced"
                .to_owned(),
            default("default_transaction_read_only", "off"),
        );
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Server {
        Server {
            version_number: 150_004,
            version: "15.4".to_owned(),
            encoding: "UTF8".to_owned(),
            isolation: "read committed".to_owned(),
            read_only: false,
            standby: false,
            lz4: true,
            role: "app".to_owned(),
            database: "blog".to_owned(),
        }
    }

    fn found(server: &Server) -> Vec<(Severity, FindingKind)> {
        faults(server)
            .iter()
            .map(|fault| (fault.severity, fault.kind))
            .collect()
    }

    #[test]
    fn a_good_server_has_no_faults() {
        assert_eq!(found(&good()), []);
        let serializable = Server {
            isolation: "serializable".to_owned(),
            ..good()
        };
        assert_eq!(found(&serializable), []);
    }

    #[test]
    fn an_old_server_is_one_error() {
        let server = Server {
            version_number: 130_012,
            version: "13.12".to_owned(),
            lz4: false,
            ..good()
        };
        assert_eq!(
            found(&server),
            [(Severity::Error, FindingKind::ServerVersion)]
        );
        let server = Server {
            version_number: 140_000,
            ..good()
        };
        assert_eq!(found(&server), []);
    }

    #[test]
    fn a_server_without_lz4_is_a_warning() {
        let server = Server {
            lz4: false,
            ..good()
        };
        assert_eq!(found(&server), [(Severity::Warning, FindingKind::NoLz4)]);
    }

    #[test]
    fn a_standby_is_read_only_once() {
        let server = Server {
            standby: true,
            read_only: true,
            ..good()
        };
        assert_eq!(found(&server), [(Severity::Error, FindingKind::ReadOnly)]);
    }

    #[test]
    fn an_encoding_of_few_characters_is_a_warning() {
        let server = Server {
            encoding: "LATIN1".to_owned(),
            ..good()
        };
        assert_eq!(found(&server), [(Severity::Warning, FindingKind::Encoding)]);
    }
}
