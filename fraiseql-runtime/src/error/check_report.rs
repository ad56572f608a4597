//! The report of a check.

use std::fmt;

use crate::schema::View;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Syncing or reading would fail, or documents would be wrong.
    Error,
    /// Everything works, but slowly, or it depends on something that the database does not
    /// guarantee, or a rebuild has not been run yet.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// The kind of problem that a finding reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// The server is older than PostgreSQL 14.
    ServerVersion,
    /// The server cannot compress documents with lz4.
    NoLz4,
    /// The database does not store text as UTF-8.
    Encoding,
    /// Transactions begin as REPEATABLE READ, in which sync fails.
    Isolation,
    /// The server is a standby, or transactions begin as READ ONLY.
    ReadOnly,
    /// A schema does not exist.
    MissingSchema,
    /// A base table does not exist.
    MissingTable,
    /// A column of a base table does not exist.
    MissingColumn,
    /// A type that a field names does not exist.
    MissingType,
    /// A base table is a view, a materialized view or a foreign table.
    NotATable,
    /// A base table is unlogged, and the view table is not.
    Unlogged,
    /// Row level security may hide rows from this role.
    RowSecurity,
    /// This role may not read a base table, or may not write a view table.
    Privilege,
    /// This role may not lock the rows of a base table.
    LockPrivilege,
    /// The field's type does not fit the column's, or the expression's.
    Type,
    /// The key's type does not fit the column's.
    KeyType,
    /// A label of an enum type has no variant in the field's enum.
    EnumLabel,
    /// Two columns that are joined have types that cannot be compared.
    LinkType,
    /// A promoted column cannot store the values of the base table's column.
    PromotedType,
    /// A column can be null, and the field is not an `Option`.
    Nullable,
    /// A `one` field is not an `Option`, and its foreign key can be null.
    NullableLink,
    /// A `one` field is not an `Option`, and no foreign key guarantees the row.
    NoForeignKey,
    /// A `one` field is not an `Option`, and the part's filter can exclude the row.
    FilteredOne,
    /// A column that identifies a row is not unique.
    NotUnique,
    /// A column by which rows are looked up has no index.
    MissingIndex,
    /// The server refuses a `filter` or `expr`.
    Fragment,
    /// A `filter` or `expr` has a value that changes while its row does not: it reads the time, the
    /// role, or a function that is not IMMUTABLE.
    ChangingFragment,
    /// The value of a `filter` or `expr` depends on settings of the session. All documents have the
    /// value of the same settings; SQL of your own may have another.
    SessionFragment,
    /// A list is ordered by a column whose type has no order.
    OrderBy,
    /// The server refuses a whole statement, for a reason that no other finding explains.
    Statement,
    /// A view table does not exist.
    MissingViewTable,
    /// A view table lacks columns, indexes or the bookkeeping table of rebuilds, which `migrate`
    /// would add.
    OutdatedViewTable,
    /// A column of a view table has another type than the struct's field.
    ViewColumnType,
    /// The bounds of a view table's partitions are not in the order of the database's collation.
    PartitionBounds,
    /// A view table has no unique key.
    ViewKey,
    /// The text search configuration of an index does not exist.
    TextSearch,
    /// An index of a view table is not valid.
    InvalidIndex,
    /// A function of the read model does not exist, or has another text, which `migrate` would repair.
    MissingFunction,
    /// A trigger that captures changes does not exist, or is another one, which `migrate` would repair.
    MissingTrigger,
    /// A trigger that captures changes is disabled.
    DisabledTrigger,
    /// Triggers cannot capture some changes: a base table is a view, a `filter` reads other tables, sessions run no
    /// triggers, logical replication writes a base table.
    NotCaptured,
    /// A view table lacks documents of rows that exist, which a rebuild would insert.
    Unfilled,
}

/// What repairs a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Remedy {
    /// An SQL statement to run.
    Sql(String),
    /// Rust code to write at the field or on the struct.
    Rust(String),
    /// Call [`ReadModel::migrate`](crate::ReadModel::migrate).
    Migrate,
    /// Call [`ReadModel::rebuild`](crate::ReadModel::rebuild).
    Rebuild,
    /// Any other repair, described in words.
    Other(String),
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(sql) => write!(f, "{sql};"),
            Self::Rust(text) => write!(f, "write `{text}`"),
            Self::Other(text) => f.write_str(text),
            Self::Migrate => f.write_str("run ReadModel::migrate"),
            Self::Rebuild => f.write_str("run ReadModel::rebuild"),
        }
    }
}

/// One problem that a check found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The severity.
    pub severity: Severity,
    /// The kind of problem.
    pub kind: FindingKind,
    /// The view in which it was found first; `None` if it is about the server.
    pub view: Option<&'static View>,
    /// The field that causes it: `Post.comments.author`. The struct's name if it is about the whole
    /// view, empty if it is about the server.
    pub path: String,
    /// The other fields that cause the same problem.
    pub also: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What repairs it. Each remedy alone is enough.
    pub remedies: Vec<Remedy>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.severity)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if !self.also.is_empty() {
            write!(f, "\n  also for: {}", self.also.join(", "))?;
        }
        for (index, remedy) in self.remedies.iter().enumerate() {
            let label = if index == 0 { "remedy" } else { "    or" };
            write!(f, "\n  {label}: {remedy}")?;
        }
        Ok(())
    }
}

/// The findings of [`ReadModel::check`](crate::ReadModel::check). Its `Display` has a section for
/// each view.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// use fraiseql_runtime::check::{FindingKind, Remedy};
///
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub titel: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// let model = ReadModel::builder().view::<Post>().build()?;
/// let report = model.check(&pool).await?;
/// for finding in report.errors() {
///     match finding.kind {
///         FindingKind::MissingViewTable => assert_eq!(finding.remedies, [Remedy::Migrate]),
///         _ => println!("{}: {finding}", finding.path), // Post.titel: error: ..
///     }
/// }
/// # assert!(report.errors().any(|finding| finding.kind == FindingKind::MissingColumn && finding.path == "Post.titel"));
/// # assert!(report.errors().any(|finding| finding.kind == FindingKind::MissingViewTable));
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CheckReport {
    findings: Vec<Finding>,
}

impl CheckReport {
    /// Sorts the findings: the server's first, then view by view, errors before warnings.
    pub(crate) fn new(mut findings: Vec<Finding>, views: &[&'static View]) -> Self {
        findings.sort_by_key(|finding| {
            let position = finding
                .view
                .and_then(|view| views.iter().position(|other| std::ptr::eq(*other, view)));
            (position, finding.severity)
        });
        Self { findings }
    }

    /// Whether there are no errors. There can be warnings.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.errors().next().is_none()
    }

    /// All findings: those about the server first, then view by view; errors before warnings.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The errors.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.of(Severity::Error)
    }

    /// The warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.of(Severity::Warning)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.severity == severity)
    }

    /// Removes the findings that `accepted` returns true for.
    ///
    /// ```
    /// # use fraiseql_runtime::check::FindingKind;
    /// # use fraiseql_runtime::check::CheckReport;
    /// # fn example(report: CheckReport) -> fraiseql_runtime::Result<()> {
    /// let report = report.accept(|finding| {
    ///     finding.kind == FindingKind::NoLz4 || finding.path == "Post.comments"
    /// });
    /// report.into_result()?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn accept(mut self, accepted: impl Fn(&Finding) -> bool) -> Self {
        self.findings.retain(|finding| !accepted(finding));
        self
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize, word: &str| match count {
            1 => format!("1 {word}"),
            _ => format!("{count} {word}s"),
        };
        write!(
            f,
            "check: {}, {}",
            plural(self.errors().count(), "error"),
            plural(self.warnings().count(), "warning")
        )?;
        let mut group: Option<Option<&'static View>> = None;
        for finding in &self.findings {
            let same = match (group, finding.view) {
                (Some(Some(a)), Some(b)) => std::ptr::eq(a, b),
                (Some(None), None) => true,
                _ => false,
            };
            if !same {
                group = Some(finding.view);
                match finding.view {
                    Some(view) => write!(
                        f,
                        "\n\n{} ({}.{})",
                        view.shape.name, view.table.schema, view.table.name
                    )?,
                    None => write!(f, "\n\nServer")?,
                }
            }
            for line in finding.to_string().lines() {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}
