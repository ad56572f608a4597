//! A document is counted with its fragments put in, before it is validated.

use std::collections::HashMap;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Positioned, ServerError};

use crate::error::error;
use crate::request::limits::{DocumentLimits, exceeded};

/// The validator names every argument of a field each time that the same field comes without it;
/// a thousand times a thousand of these are a gigabyte.
const MOST_CONFLICTS: usize = 5_000;

/// What is in a selection, fragments put in.
#[derive(Clone, Copy, Default)]
struct Size {
    /// Fields, and the places where fragments are put in: these cost where they are empty, too.
    fields: usize,
    /// Arguments and directives.
    arguments: usize,
    aliases: usize,
    /// Fields and fragments within each other.
    height: usize,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.arguments = self.arguments.saturating_add(other.arguments);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.height = self.height.max(other.height);
    }

    fn above(mut self) -> Self {
        self.height += 1;
        self
    }
}

impl DocumentLimits {
    /// Counts fields, arguments and aliases.
    pub(crate) fn check_document(&self, document: &ExecutableDocument) -> Result<(), ServerError> {
        let mut counter = Counter {
            limits: self,
            document,
            fragments: HashMap::new(),
            arguments: HashMap::new(),
        };
        let mut total = Size::default();
        // All that there is: the validator goes through operations that are not executed, and
        // through fragments that nobody names.
        for (_, operation) in document.operations.iter() {
            total.arguments += operation.node.variable_definitions.len();
            total.arguments += arguments(&operation.node.directives);
            total.add(counter.selection(&operation.node.selection_set.node, 1)?);
        }
        for name in document.fragments.keys() {
            let size = counter.fragment(name, 1)?;
            total.fields = total.fields.max(size.fields);
            total.arguments = total.arguments.max(size.arguments);
        }
        if total.height > self.max_nesting {
            return Err(exceeded(self.max_nesting, "levels of nesting"));
        }
        if total.fields > self.max_fields {
            return Err(exceeded(self.max_fields, "fields and fragments"));
        }
        if total.arguments > self.max_fields {
            return Err(exceeded(self.max_fields, "arguments"));
        }
        if total.aliases > self.max_aliases {
            return Err(exceeded(self.max_aliases, "aliases"));
        }
        counter.check_conflicts()
    }
}

struct Counter<'a> {
    limits: &'a DocumentLimits,
    document: &'a ExecutableDocument,
    /// `None` while it is being counted: who meets it then is within itself.
    fragments: HashMap<&'a str, Option<Size>>,
    /// Of each name in the answer: how often it is there, the fewest and the most arguments.
    arguments: HashMap<&'a str, (usize, usize, usize)>,
}

impl<'a> Counter<'a> {
    fn selection(
        &mut self,
        selection: &'a SelectionSet,
        depth: usize,
    ) -> Result<Size, ServerError> {
        // Fragments within fragments: the brackets of the text do not bound these.
        if depth > self.limits.max_nesting {
            return Err(exceeded(self.limits.max_nesting, "levels of nesting"));
        }
        let mut size = Size::default();
        for item in &selection.items {
            size.fields += 1;
            size.arguments += arguments(item.node.directives());
            let inner = match &item.node {
                Selection::Field(field) => {
                    self.field(&field.node, &mut size);
                    self.selection(&field.node.selection_set.node, depth + 1)?
                }
                Selection::InlineFragment(fragment) => {
                    self.selection(&fragment.node.selection_set.node, depth + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, depth + 1)?
                }
            };
            size.add(inner.above());
        }
        Ok(size)
    }

    fn field(&mut self, field: &'a Field, size: &mut Size) {
        let count = field.arguments.len();
        size.arguments += count;
        size.aliases += usize::from(field.alias.is_some());
        let key = field.response_key().node.as_str();
        let (times, fewest, most) = self.arguments.entry(key).or_insert((0, count, count));
        *times += 1;
        *fewest = count.min(*fewest);
        *most = count.max(*most);
    }

    /// A fragment is counted once.
    fn fragment(&mut self, name: &str, depth: usize) -> Result<Size, ServerError> {
        // One that is not there is the validator's to name.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Size::default());
        };
        match self.fragments.get(name.as_str()) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let what = format!("Cannot spread fragment \"{name}\" within itself");
                return Err(error(what, "GRAPHQL_VALIDATION_FAILED"));
            }
            None => {}
        }
        self.fragments.insert(name, None);
        let mut size = self.selection(&fragment.node.selection_set.node, depth)?;
        size.arguments += arguments(&fragment.node.directives);
        self.fragments.insert(name, Some(size));
        Ok(size)
    }

    fn check_conflicts(&self) -> Result<(), ServerError> {
        let counts = self.arguments.values();
        let conflicts = counts
            .filter(|(_, fewest, most)| fewest != most)
            .map(|(times, _, most)| times.saturating_mul(*most))
            .fold(0, usize::saturating_add);
        if conflicts > MOST_CONFLICTS {
            let what = "the same fields are asked for many times, with different arguments";
            return Err(error(what, "DOCUMENT_TOO_LARGE"));
        }
        Ok(())
    }
}

/// Directives and their arguments.
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
            .check_document(&document)
            .map_err(|error| error.message)
    }

    #[test]
    fn a_fragment_counts_each_time_that_it_is_named() {
        let text = "{a {...F} b {...F}} fragment F on T {c d e {f}}";
        let limits = DocumentLimits::default();
        assert_eq!(check(limits.fields(12), text), Ok(()));
        let error = check(limits.fields(11), text).unwrap_err();
        assert!(error.contains("11 fields"), "{error}");
    }

    #[test]
    fn fragments_that_double_are_counted_and_not_put_in() {
        // 2^30 fields.
        let mut text = String::from("{...F0}");
        for number in 0..30 {
            let next = number + 1;
            write!(text, "fragment F{number} on T {{...F{next} ...F{next}}}").unwrap();
        }
        text.push_str("fragment F30 on T {a}");
        let error = check(DocumentLimits::default(), &text).unwrap_err();
        assert!(error.contains("5000 fields"), "{error}");
        // As many without a single field.
        let text = text.replace("{a}", "{...G}") + "fragment G on T {...None}";
        let error = check(DocumentLimits::default(), &text).unwrap_err();
        assert!(error.contains("5000 fields"), "{error}");
    }

    #[test]
    fn a_fragment_within_itself_is_named() {
        let text = "{...A} fragment A on T {b {...B}} fragment B on T {...A}";
        let error = check(DocumentLimits::default(), text).unwrap_err();
        assert!(error.contains("within itself"), "{error}");
        // Nobody names it.
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
        // Also where its end was counted before its beginning.
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
    fn a_conflict_of_many_arguments_with_many_fields_is_not_spelled_out() {
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
