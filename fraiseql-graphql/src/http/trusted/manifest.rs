//! The formats of manifests: an object of texts by identifiers, and that of Apollo's tools.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::clip;
use crate::http::trusted::declared::{Declared, DeclaredOperation};
use crate::http::trusted::errors::{TrustedError, TrustedErrors};

const APOLLO: &str = "apollo-persisted-query-manifest";

/// Reads a manifest of any format. All of its errors are reported.
pub(super) fn read(manifest: &str) -> Result<Vec<Declared>, TrustedErrors> {
    let entries: Entries<'_> = serde_json::from_str(manifest)
        .map_err(|error| TrustedError::of_manifest(format!("not a JSON object: {error}")))?;
    match entries.is_apollo() {
        true => of_apollo(manifest),
        false => of_texts(&entries),
    }
}

/// The entries of an object, in their order, with those whose key occurs again.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl Entries<'_> {
    /// Whether an object is a manifest of Apollo's tools. `format` alone may be an identifier.
    fn is_apollo(&self) -> bool {
        let has = |key: &str, begin: char| {
            let mut entries = self.0.iter();
            entries.any(|(name, value)| name == key && value.get().starts_with(begin))
        };
        has("format", '"') && has("operations", '[')
    }
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfObject;

        impl<'de> Visitor<'de> for OfObject {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of documents by their identifiers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(OfObject)
    }
}

fn of_texts(entries: &Entries<'_>) -> Result<Vec<Declared>, TrustedErrors> {
    let mut errors = Vec::new();
    let mut documents = Vec::with_capacity(entries.0.len());
    for (id, value) in &entries.0 {
        match serde_json::from_str(value.get()) {
            Ok(text) => documents.push(Declared {
                id: id.clone(),
                text,
                operation: None,
            }),
            Err(_) => errors.push(TrustedError::of(id, "the text of a document is a string")),
        }
    }
    TrustedErrors::none(errors)?;
    Ok(documents)
}

#[derive(Deserialize)]
struct ApolloManifest {
    format: String,
    version: u32,
    operations: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    body: String,
    name: String,
    #[serde(rename = "type")]
    ty: String,
}

fn of_apollo(manifest: &str) -> Result<Vec<Declared>, TrustedErrors> {
    let manifest: ApolloManifest = serde_json::from_str(manifest)
        .map_err(|error| TrustedError::of_manifest(error.to_string()))?;
    if manifest.format != APOLLO || manifest.version != 1 {
        let message = format!("its `format` is not `{APOLLO}` with `version` 1");
        return Err(TrustedError::of_manifest(message).into());
    }
    let mut errors = Vec::new();
    let mut documents = Vec::with_capacity(manifest.operations.len());
    for (index, operation) in manifest.operations.iter().enumerate() {
        match serde_json::from_str::<ApolloOperation>(operation.get()) {
            Ok(ApolloOperation { id, body, name, ty }) => documents.push(Declared {
                id,
                text: body,
                operation: Some(DeclaredOperation { name, ty }),
            }),
            Err(error) => {
                let mut message = format!("`operations[{index}]`: {error}");
                clip(&mut message);
                errors.push(TrustedError::of_manifest(message));
            }
        }
    }
    TrustedErrors::none(errors)?;
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(manifest: &str) -> Result<Vec<(String, String)>, String> {
        let declared = read(manifest).map_err(|errors| errors.to_string())?;
        let pair = |declared: Declared| (declared.id, declared.text);
        Ok(declared.into_iter().map(pair).collect())
    }

    #[test]
    fn both_formats_are_read() {
        let expected = vec![
            ("a".to_owned(), "{ a }".to_owned()),
            ("b".to_owned(), "query B { \"b\" }".to_owned()),
        ];
        let texts = r#"{"a": "{ a }", "b": "query B { \"b\" }"}"#;
        assert_eq!(read_all(texts).unwrap(), expected);
        let apollo = r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            {"id": "a", "name": "A", "type": "query", "body": "{ a }"},
            {"id": "b", "name": "B", "type": "query", "body": "query B { \"b\" }", "more": 1}]}"#;
        assert_eq!(read_all(apollo).unwrap(), expected);
        assert_eq!(read_all("{}").unwrap(), []);
        // A key may be an identifier.
        let format = r#"{"format": "{ a }", "operations": "{ b }"}"#;
        assert_eq!(read_all(format).unwrap().len(), 2);
    }

    #[test]
    fn an_entry_that_occurs_twice_is_not_lost() {
        let twice = r#"{"a": "{ a }", "a": "{ b }"}"#;
        assert_eq!(read_all(twice).unwrap().len(), 2);
    }

    #[test]
    fn all_errors_of_a_manifest_are_reported() {
        let error = read_all(r#"{"a": 1, "b": "{ b }", "c": null}"#).unwrap_err();
        assert!(
            error.contains("`a`: the text of a document is a string"),
            "{error}"
        );
        assert!(
            error.contains("`c`: the text of a document is a string"),
            "{error}"
        );
        let operations = r#"[{"id": "a"}, {"id": "b", "name": "B", "type": "query", "body": 1}]"#;
        let apollo = format!(
            r#"{{"format": "apollo-persisted-query-manifest", "version": 1, "operations": {operations}}}"#
        );
        let error = read_all(&apollo).unwrap_err();
        assert!(
            error.contains("`operations[0]`: missing field `body`"),
            "{error}"
        );
        assert!(
            error.contains("`operations[1]`: invalid type: integer"),
            "{error}"
        );
    }

    #[test]
    fn a_manifest_of_another_form_is_refused() {
        for (manifest, what) in [
            ("", "not a JSON object"),
            ("[]", "not a JSON object"),
            ("{\"a\": \"{ a }\"", "not a JSON object"),
            (
                r#"{"format": "other", "version": 1, "operations": []}"#,
                "its `format` is not",
            ),
            (
                r#"{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}"#,
                "`version` 1",
            ),
            (
                r#"{"format": "apollo-persisted-query-manifest", "operations": []}"#,
                "missing field `version`",
            ),
        ] {
            let error = read_all(manifest).unwrap_err();
            assert!(error.contains(what), "{manifest}: {error}");
        }
    }
}
