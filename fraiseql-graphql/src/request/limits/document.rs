//! Fields, arguments, aliases and nesting of a parsed document, counted with its fragments expanded
//! before it is validated.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Positioned, ServerError};

use crate::error::error;
use crate::request::limits::document_limits::{DocumentLimits, exceeded};
use crate::request::limits::introspection;
use crate::request::limits::text::TextSize;

/// The maximum for an estimate of how many errors about differing arguments async-graphql reports.
/// It reports one for each argument that a repetition of a field lacks: for a thousand repetitions
/// and a thousand arguments, a gigabyte of errors.
const MAX_ARGUMENT_CONFLICTS: usize = 5_000;

/// The size of a selection with its fragments expanded.
#[derive(Clone, Copy, Default)]
struct SelectionSize {
    /// Fields and fragments. A fragment counts even if it is empty, since it is visited.
    fields: usize,
    /// Arguments and directives.
    arguments: usize,
    aliases: usize,
    /// Levels of nested fields and fragments.
    height: usize,
    /// Levels of nested lists of introspection.
    lists: usize,
}

/// The size of a selection, of which each part has limits of its own.
#[derive(Clone, Copy, Default)]
struct Sizes {
    data: SelectionSize,
    /// What is selected below `__schema` and `__type`, with these fields.
    introspection: SelectionSize,
}

impl SelectionSize {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.arguments = self.arguments.saturating_add(other.arguments);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.height = self.height.max(other.height);
        self.lists = self.lists.max(other.lists);
    }

    /// The size one level further up.
    fn nested(mut self) -> Self {
        // A selection without fields has no levels.
        self.height += usize::from(self.fields > 0);
        self
    }
}

impl Sizes {
    fn add(&mut self, other: Self) {
        self.data.add(other.data);
        self.introspection.add(other.introspection);
    }

    /// The sizes one level further up.
    fn nested(self) -> Self {
        Self {
            data: self.data.nested(),
            introspection: self.introspection.nested(),
        }
    }
}

impl DocumentLimits {
    /// Counts fields, arguments and aliases. `text` is the size of the document's text.
    pub(crate) fn check_document(
        &self,
        document: &ExecutableDocument,
        text: TextSize,
    ) -> Result<(), ServerError> {
        let mut counter = Counter {
            limits: self,
            document,
            fragments: HashMap::new(),
            arguments: HashMap::new(),
        };
        let mut total = Sizes::default();
        // The whole document counts: operations that are not executed are validated, too, and so are
        // fragments that are not spread.
        for (_, operation) in document.operations.iter() {
            let mut sizes = counter.selection(&operation.node.selection_set.node, 1)?;
            let own =
                operation.node.variable_definitions.len() + arguments(&operation.node.directives);
            let has_data = sizes.data.fields > 0;
            let part = if has_data {
                &mut sizes.data
            } else {
                &mut sizes.introspection
            };
            part.arguments += own;
            total.add(sizes);
        }
        for (name, fragment) in &document.fragments {
            // A fragment that is spread is part of the total already, so the maximum is taken.
            let size = counter.fragment(name, 1)?.data;
            let is_introspection = fragment.node.type_condition.node.on.node.starts_with("__");
            let part = if is_introspection {
                &mut total.introspection
            } else {
                &mut total.data
            };
            part.fields = part.fields.max(size.fields);
            part.arguments = part.arguments.max(size.arguments);
        }
        self.check_introspection(total.introspection)?;
        if total.data.fields > 0 {
            self.check_data(total.data, text)?;
        }
        counter.check_conflicts()
    }

    fn check_data(&self, size: SelectionSize, text: TextSize) -> Result<(), ServerError> {
        if text.tokens > self.max_tokens {
            return Err(exceeded(self.max_tokens, "tokens"));
        }
        if size.height.max(text.nesting) > self.max_nesting {
            return Err(exceeded(self.max_nesting, "levels of nesting"));
        }
        if size.fields > self.max_fields {
            return Err(exceeded(self.max_fields, "fields and fragments"));
        }
        if size.arguments > self.max_fields {
            return Err(exceeded(self.max_fields, "arguments"));
        }
        if size.aliases > self.max_aliases {
            return Err(exceeded(self.max_aliases, "aliases"));
        }
        Ok(())
    }

    /// Checks the limits of introspection, or those of the application where they are higher.
    fn check_introspection(&self, size: SelectionSize) -> Result<(), ServerError> {
        if size.lists > introspection::MAX_LISTS {
            let message = "Maximum introspection depth exceeded";
            return Err(error(message, "DOCUMENT_TOO_LARGE"));
        }
        for (found, max, unit) in [
            (
                size.height,
                introspection::MAX_NESTING,
                "levels of introspection",
            ),
            (
                size.fields,
                introspection::MAX_FIELDS,
                "fields of introspection",
            ),
            (
                size.arguments,
                introspection::MAX_FIELDS,
                "arguments of introspection",
            ),
            (
                size.aliases,
                introspection::MAX_ALIASES,
                "aliases of introspection",
            ),
        ] {
            if found > max {
                return Err(exceeded(max, unit));
            }
        }
        Ok(())
    }
}

struct Counter<'a> {
    limits: &'a DocumentLimits,
    document: &'a ExecutableDocument,
    /// The sizes of fragments. `None` while a fragment is being counted: a spread of it is a cycle.
    fragments: HashMap<&'a str, Option<Sizes>>,
    /// The use of arguments by response key.
    arguments: HashMap<&'a str, ArgumentUse>,
}

/// How the fields of one response key use arguments.
struct ArgumentUse {
    fields: usize,
    min_arguments: usize,
    max_arguments: usize,
}

impl<'a> Counter<'a> {
    fn selection(
        &mut self,
        selection: &'a SelectionSet,
        depth: usize,
    ) -> Result<Sizes, ServerError> {
        // The nesting of brackets in the text does not limit fragments that spread fragments. This
        // check also limits the recursion of this function.
        if depth > self.limits.parsed_nesting() {
            return Err(exceeded(self.limits.max_nesting, "levels of nesting"));
        }
        let mut sizes = Sizes::default();
        for item in &selection.items {
            let mut own = SelectionSize {
                fields: 1,
                arguments: arguments(item.node.directives()),
                height: 1,
                ..SelectionSize::default()
            };
            let inner = match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    self.field(field, &mut own);
                    let inner = self.selection(&field.selection_set.node, depth + 1)?;
                    let name = field.name.node.as_str();
                    if introspection::is_root(name) {
                        own.add(inner.data.nested());
                        sizes.introspection.add(own);
                        continue;
                    }
                    own.lists = inner.data.lists + usize::from(introspection::is_list(name));
                    inner
                }
                Selection::InlineFragment(fragment) => {
                    self.selection(&fragment.node.selection_set.node, depth + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, depth + 1)?
                }
            };
            // A fragment around introspection alone is part of it.
            let is_introspection = inner.introspection.fields > 0 && inner.data.fields == 0;
            if is_introspection {
                sizes.introspection.add(own);
            } else {
                sizes.data.add(own);
            }
            sizes.add(inner.nested());
        }
        Ok(sizes)
    }

    fn field(&mut self, field: &'a Field, size: &mut SelectionSize) {
        let count = field.arguments.len();
        size.arguments += count;
        size.aliases += usize::from(field.alias.is_some());
        let key = field.response_key().node.as_str();
        let arguments = self.arguments.entry(key).or_insert(ArgumentUse {
            fields: 0,
            min_arguments: count,
            max_arguments: count,
        });
        arguments.fields += 1;
        arguments.min_arguments = arguments.min_arguments.min(count);
        arguments.max_arguments = arguments.max_arguments.max(count);
    }

    /// The size of a fragment. It is counted once and its size is added at each spread, so that
    /// fragments that double in size cost nothing.
    fn fragment(&mut self, name: &str, depth: usize) -> Result<Sizes, ServerError> {
        // The validation reports unknown fragments.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Sizes::default());
        };
        match self.fragments.get(name.as_str()) {
            Some(Some(sizes)) => return Ok(*sizes),
            Some(None) => {
                let message = format!("Cannot spread fragment \"{name}\" within itself");
                return Err(error(message, "GRAPHQL_VALIDATION_FAILED"));
            }
            None => {}
        }
        self.fragments.insert(name, None);
        let mut sizes = self.selection(&fragment.node.selection_set.node, depth)?;
        sizes.data.arguments += arguments(&fragment.node.directives);
        self.fragments.insert(name, Some(sizes));
        Ok(sizes)
    }

    fn check_conflicts(&self) -> Result<(), ServerError> {
        let conflicts = self
            .arguments
            .values()
            .filter(|arguments| arguments.min_arguments != arguments.max_arguments)
            .map(|arguments| arguments.fields.saturating_mul(arguments.max_arguments))
            .fold(0, usize::saturating_add);
        if conflicts > MAX_ARGUMENT_CONFLICTS {
            let message = "the same fields are selected many times, with different arguments";
            return Err(error(message, "DOCUMENT_TOO_LARGE"));
        }
        Ok(())
    }
}

/// The number of directives and of their arguments.
fn arguments(directives: &[Positioned<Directive>]) -> usize {
    let arguments = directives.iter().map(|it| it.node.arguments.len());
    directives.len() + arguments.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use async_graphql::parser::parse_query;

    use super::*;

    fn check(limits: DocumentLimits, text: &str) -> Result<(), String> {
        let document = parse_query(text).unwrap();
        limits
            .check_document(&document, TextSize::default())
            .map_err(|error| error.message)
    }

    #[test]
    fn a_fragment_counts_at_each_spread() {
        let text = "{a {...F} b {...F}} fragment F on T {c d e {f}}";
        let limits = DocumentLimits::default();
        assert_eq!(check(limits.fields(12), text), Ok(()));
        let error = check(limits.fields(11), text).unwrap_err();
        assert!(error.contains("11 fields"), "{error}");
    }

    #[test]
    fn fragments_that_double_are_counted_without_expanding_them() {
        // 2^30 fields.
        let mut text = String::from("{...F0}");
        for number in 0..30 {
            let next = number + 1;
            write!(text, "fragment F{number} on T {{...F{next} ...F{next}}}").unwrap();
        }
        text.push_str("fragment F30 on T {a}");
        let error = check(DocumentLimits::default(), &text).unwrap_err();
        assert!(error.contains("5000 fields"), "{error}");
        // The same number of spreads without a single field.
        let text = text.replace("{a}", "{...G}") + "fragment G on T {...None}";
        let error = check(DocumentLimits::default(), &text).unwrap_err();
        assert!(error.contains("5000 fields"), "{error}");
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused() {
        let text = "{...A} fragment A on T {b {...B}} fragment B on T {...A}";
        let error = check(DocumentLimits::default(), text).unwrap_err();
        assert!(error.contains("within itself"), "{error}");
        // It is not spread.
        let text = "{a} fragment A on T {...A}";
        assert!(check(DocumentLimits::default(), text).is_err());
    }

    #[test]
    fn a_long_chain_of_fragments_is_deep() {
        let mut text = String::from("{...F0}");
        for number in 0..2000 {
            write!(text, "fragment F{number} on T {{...F{}}}", number + 1).unwrap();
        }
        text.push_str("fragment F2000 on T {a}");
        let error = check(DocumentLimits::default(), &text).unwrap_err();
        assert!(error.contains("64 levels"), "{error}");
        // Also if the end of the chain was counted before its beginning.
        let limits = DocumentLimits::default().nesting(4);
        let text = "{...C ...A} fragment A on T {...B} fragment B on T {...C} \
                    fragment C on T {a {b}}";
        let error = check(limits, text).unwrap_err();
        assert!(error.contains("4 levels"), "{error}");
    }

    #[test]
    fn aliases_are_counted() {
        let limits = DocumentLimits::default().aliases(2);
        assert_eq!(check(limits, "{a: x b: x c(d: 1)}"), Ok(()));
        let error = check(limits, "{a: x b: x c: x}").unwrap_err();
        assert!(error.contains("2 aliases"), "{error}");
    }

    #[test]
    fn arguments_and_directives_are_counted() {
        let limits = DocumentLimits::default().fields(3);
        assert_eq!(check(limits, "{a(b: 1, c: 2) @d}"), Ok(()));
        assert!(check(limits, "{a(b: 1, c: 2) @d(e: 1)}").is_err());
        assert!(check(limits, "query($a: Int, $b: Int, $c: Int, $d: Int) {a}").is_err());
        assert!(check(limits, "{...F @a @a @a @a} fragment F on T {b}").is_err());
    }

    #[test]
    fn a_conflict_of_many_arguments_in_many_fields_is_refused() {
        let arguments: String = (0..1000).map(|number| format!("a{number}: 1 ")).collect();
        let text = format!("{{f({arguments}) {}}}", "f ".repeat(1000));
        let error = check(DocumentLimits::default(), &text).unwrap_err();
        assert!(error.contains("different arguments"), "{error}");
        assert_eq!(
            check(DocumentLimits::default(), "{a {b(c: 1)} d {b}}"),
            Ok(())
        );
    }
}
