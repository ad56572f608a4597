//! A problem of a read model and its database, before it becomes a public
//! [`Finding`](crate::check::Finding).

use crate::error::check_report::{FindingKind, Remedy, Severity};

/// Which statements a problem makes fail. Their own failure is then not reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Breaks {
    Nothing,
    /// Every statement that builds documents.
    Documents,
    /// The statements that read or write the view table.
    Storage,
    /// The statements that read or write the bookkeeping table of rebuilds.
    Bookkeeping,
}

/// A problem, without the view and the field in which it was found.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    pub(crate) severity: Severity,
    pub(crate) kind: FindingKind,
    /// Identifies the problem among those of its kind: if two fields have it, it is one finding.
    pub(crate) subject: String,
    pub(crate) message: String,
    pub(crate) remedies: Vec<Remedy>,
    pub(crate) breaks: Breaks,
}

impl Diagnostic {
    pub(crate) fn error(
        kind: FindingKind,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Error, kind, subject.into(), message.into())
    }

    pub(crate) fn warning(
        kind: FindingKind,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, kind, subject.into(), message.into())
    }

    fn new(severity: Severity, kind: FindingKind, subject: String, message: String) -> Self {
        Self {
            severity,
            kind,
            subject,
            message,
            remedies: Vec::new(),
            breaks: Breaks::Nothing,
        }
    }

    /// Adds remedies. Each of them alone repairs the problem.
    pub(crate) fn remedies(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.remedies.extend(remedies);
        self
    }

    /// Adds a statement as a remedy.
    pub(crate) fn sql(self, statement: String) -> Self {
        self.remedies([Remedy::Sql(statement)])
    }

    /// Adds Rust code as a remedy.
    pub(crate) fn rust(self, code: impl Into<String>) -> Self {
        self.remedies([Remedy::Rust(code.into())])
    }

    /// Adds a remedy in words.
    pub(crate) fn advice(self, text: impl Into<String>) -> Self {
        self.remedies([Remedy::Other(text.into())])
    }

    pub(crate) fn breaks(mut self, breaks: Breaks) -> Self {
        self.breaks = breaks;
        self
    }
}
