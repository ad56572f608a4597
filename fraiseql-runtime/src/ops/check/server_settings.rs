//! Checks the server: version, lz4, encoding, and defaults of transactions.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::ServerInfo;
use crate::ops::check::diagnostic::Diagnostic;
use crate::sql::probe;

/// The oldest supported version. It has `xid8` and `pg_visible_in_snapshot`.
const MIN_VERSION: i32 = 140_000;

/// The problems of the server.
pub(crate) fn diagnostics(server: &ServerInfo) -> Vec<Diagnostic> {
    [
        version_or_lz4(server),
        encoding(server),
        isolation(server),
        read_only(server),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn version_or_lz4(server: &ServerInfo) -> Option<Diagnostic> {
    if server.version_number < MIN_VERSION {
        return Some(
            Diagnostic::error(
                FindingKind::ServerVersion,
                "",
                format!(
                    "PostgreSQL {} is too old: sync needs 14 or newer",
                    server.version
                ),
            )
            .advice("upgrade the server"),
        );
    }
    // A server that is too old has no lz4 either, which is not worth a finding of its own.
    (!server.lz4).then(|| {
        Diagnostic::warning(
            FindingKind::NoLz4,
            "",
            "the server cannot compress with lz4, so documents are stored with pglz, and writing \
             them is slower by a fifth",
        )
        .advice("use a PostgreSQL that was built --with-lz4")
    })
}

fn encoding(server: &ServerInfo) -> Option<Diagnostic> {
    let message = |consequence| {
        format!(
            "the encoding of the database {} is {}: {consequence}",
            server.database, server.encoding
        )
    };
    let kind = FindingKind::Encoding;
    let diagnostic = match server.encoding.as_str() {
        "UTF8" => return None,
        "SQL_ASCII" => Diagnostic::error(
            kind,
            "",
            message("bytes that are not UTF-8 are stored unchecked, and make documents unreadable"),
        ),
        _ => Diagnostic::warning(
            kind,
            "",
            message("characters that it does not have cannot be stored"),
        ),
    };
    Some(diagnostic.advice(
        "dump the database, and restore it into one that was created with \
         ENCODING 'UTF8' TEMPLATE template0",
    ))
}

fn isolation(server: &ServerInfo) -> Option<Diagnostic> {
    (server.isolation == "repeatable read").then(|| {
        Diagnostic::error(
            FindingKind::Isolation,
            "",
            "transactions begin as REPEATABLE READ here (default_transaction_isolation), and a \
             sync inside such a transaction is refused, because it would lose concurrent changes",
        )
        .remedies([set_default(
            server,
            "default_transaction_isolation",
            "read committed",
        )])
    })
}

fn read_only(server: &ServerInfo) -> Option<Diagnostic> {
    let kind = FindingKind::ReadOnly;
    // Transactions of a standby are read-only, too: one finding is enough.
    if server.standby {
        return Some(
            Diagnostic::error(
                kind,
                "",
                "the server is a standby: documents can be read here, but not synced",
            )
            .advice("connect to the primary to sync"),
        );
    }
    server.read_only.then(|| {
        Diagnostic::error(
            kind,
            "",
            "transactions begin as READ ONLY here (default_transaction_read_only), so nothing can \
             be synced",
        )
        .remedies([set_default(server, "default_transaction_read_only", "off")])
    })
}

fn set_default(server: &ServerInfo, setting: &str, value: &str) -> Remedy {
    Remedy::Sql(probe::set_default(
        &server.role,
        &server.database,
        setting,
        value,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::check_report::Severity;

    fn suitable() -> ServerInfo {
        ServerInfo {
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

    fn found(server: &ServerInfo) -> Vec<(Severity, FindingKind)> {
        diagnostics(server)
            .iter()
            .map(|diagnostic| (diagnostic.severity, diagnostic.kind))
            .collect()
    }

    #[test]
    fn a_suitable_server_has_no_findings() {
        assert_eq!(found(&suitable()), []);
        let serializable = ServerInfo {
            isolation: "serializable".to_owned(),
            ..suitable()
        };
        assert_eq!(found(&serializable), []);
    }

    #[test]
    fn an_old_server_is_one_error_even_without_lz4() {
        let server = ServerInfo {
            version_number: 130_012,
            version: "13.12".to_owned(),
            lz4: false,
            ..suitable()
        };
        assert_eq!(
            found(&server),
            [(Severity::Error, FindingKind::ServerVersion)]
        );
        let server = ServerInfo {
            version_number: 140_000,
            ..suitable()
        };
        assert_eq!(found(&server), []);
    }

    #[test]
    fn a_server_without_lz4_is_a_warning() {
        let server = ServerInfo {
            lz4: false,
            ..suitable()
        };
        assert_eq!(found(&server), [(Severity::Warning, FindingKind::NoLz4)]);
    }

    #[test]
    fn a_standby_is_one_error() {
        let server = ServerInfo {
            standby: true,
            read_only: true,
            ..suitable()
        };
        assert_eq!(found(&server), [(Severity::Error, FindingKind::ReadOnly)]);
    }

    #[test]
    fn an_encoding_with_few_characters_is_a_warning() {
        let server = ServerInfo {
            encoding: "LATIN1".to_owned(),
            ..suitable()
        };
        assert_eq!(found(&server), [(Severity::Warning, FindingKind::Encoding)]);
    }
}
