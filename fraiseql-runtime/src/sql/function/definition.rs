//! The definition of a function, with a name that contains the hash of its text.

use crate::sql::hash::fnv1a;
use crate::sql::identifier::shortened;
use crate::sql::text::{Sql, ident};

/// A function of the database, and the statements that create and drop it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDdl {
    /// The schema.
    pub schema: &'static str,
    /// The name, without the schema and unquoted.
    pub name: String,
    /// The types of its parameters: `int8[], text`.
    pub parameters: String,
    /// Creates the function, or replaces it.
    pub create: String,
    /// The body, as in `pg_proc.prosrc`.
    pub body: String,
    /// Drops the function.
    pub drop: String,
}

impl FunctionDdl {
    /// The name with the schema, quoted.
    #[must_use]
    pub fn qualified(&self) -> String {
        format!("{}.{}", ident(self.schema), ident(&self.name))
    }

    /// The function as `to_regprocedure` reads it.
    #[must_use]
    pub fn signature(&self) -> String {
        format!("{}({})", self.qualified(), self.parameters)
    }

    /// The lines of `create` before the body.
    fn clauses(&self) -> impl Iterator<Item = &str> {
        let lines = self.create.lines();
        lines.take_while(|line| !line.starts_with("AS "))
    }

    /// Whether it runs with the privileges of its owner.
    pub(crate) fn is_definer(&self) -> bool {
        self.clauses().any(|line| line == "SECURITY DEFINER")
    }

    /// The names of its settings, in lower case and in order.
    pub(crate) fn setting_names(&self) -> Vec<String> {
        let settings = self.clauses().filter_map(|line| line.strip_prefix("SET "));
        let mut names: Vec<String> = settings
            .map(|setting| setting.split([' ', '=']).next().unwrap_or_default())
            .map(|name| name.trim_matches('"').to_lowercase())
            .collect();
        names.sort_unstable();
        names
    }

    /// The statement after which only those may execute it to whom it is granted. None for a function that
    /// has the privileges of its caller.
    pub(crate) fn revoke(&self) -> Option<String> {
        self.is_definer()
            .then(|| format!("REVOKE ALL ON FUNCTION {} FROM PUBLIC", self.signature()))
    }
}

/// A function without its name.
pub(crate) struct FunctionText<'a> {
    /// What the name begins with: `sync_post`.
    pub(crate) stem: &'a str,
    pub(crate) schema: &'static str,
    /// The names and types of the parameters that a caller passes.
    pub(crate) parameters: &'a [(&'a str, &'a str)],
    /// What follows the list of parameters: `RETURNS void`, or nothing if `outputs` are returned.
    pub(crate) returns: String,
    /// The names and types of the values that it returns, if it returns one row.
    pub(crate) outputs: &'a [(&'a str, &'a str)],
    /// `SECURITY DEFINER`: it runs with the privileges of its owner.
    pub(crate) definer: bool,
    /// The SET clauses.
    pub(crate) settings: Vec<String>,
    pub(crate) body: String,
}

impl FunctionText<'_> {
    /// The definition, with a name that ends with the hash of the text.
    pub(crate) fn hashed(self) -> FunctionDdl {
        let text = self.definition("");
        let hash = fnv1a(&text);
        self.named(&format!("{hash:016x}"))
    }

    /// The definition, with a name that ends with `suffix`.
    pub(crate) fn named(self, suffix: &str) -> FunctionDdl {
        let name = shortened(&format!("fraiseql_{}", self.stem), &format!("_{suffix}"));
        let qualified = format!("{}.{}", ident(self.schema), ident(&name));
        let types: Vec<&str> = self.parameters.iter().map(|(_, ty)| *ty).collect();
        let parameters = types.join(", ");
        FunctionDdl {
            schema: self.schema,
            create: self.definition(&qualified),
            drop: format!("DROP FUNCTION IF EXISTS {qualified}({parameters})"),
            body: format!("\n{}\n", self.body),
            parameters,
            name,
        }
    }

    fn definition(&self, name: &str) -> String {
        let mut sql = Sql::new();
        let inputs = self
            .parameters
            .iter()
            .map(|(name, ty)| format!("{name} {ty}"));
        let outputs = self
            .outputs
            .iter()
            .map(|(name, ty)| format!("OUT {name} {ty}"));
        let list: Vec<String> = inputs.chain(outputs).collect();
        sql.line(format!(
            "CREATE OR REPLACE FUNCTION {name}({})",
            list.join(", ")
        ));
        if !self.returns.is_empty() {
            sql.line(&self.returns);
        }
        sql.line("LANGUAGE plpgsql VOLATILE");
        if self.definer {
            sql.line("SECURITY DEFINER");
        }
        for setting in &self.settings {
            sql.line(format!("SET {setting}"));
        }
        let quote = quote(&self.body);
        sql.line(format!("AS {quote}"));
        let mut text = sql.finish();
        text.push('\n');
        text.push_str(&self.body);
        text.push('\n');
        text.push_str(&quote);
        text
    }
}

/// A dollar quote that does not occur in a body, which may contain SQL of the user.
fn quote(body: &str) -> String {
    let quotes = (0..).map(|number| match number {
        0 => "$fraiseql$".to_owned(),
        _ => format!("$fraiseql{number}$"),
    });
    let mut free = quotes.filter(|quote| !body.contains(quote.as_str()));
    free.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn a_body_may_contain_the_quote() {
        assert_eq!(quote("BEGIN END"), "$fraiseql$");
        assert_eq!(quote("SELECT $fraiseql$ $fraiseql1$"), "$fraiseql2$");
    }
}
