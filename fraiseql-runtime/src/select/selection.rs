//! Which fields of a document are wanted.

use std::str::FromStr;

/// Which fields of a document are wanted, in which order, and under which names.
///
/// It knows no types: [`Projection`](crate::Projection) compiles it against those of a struct.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    fields: Vec<Selected>,
}

/// A field that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Its name in the document, or `__typename`.
    pub name: String,
    /// Its name in the answer, where that is another.
    pub alias: Option<String>,
    /// What is wanted of it, where it is an object or a list of objects.
    pub fields: Option<Selection>,
}

impl Selected {
    /// Its name in the answer.
    #[must_use]
    pub fn response_key(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// Why a selection cannot be: it cannot be read, or the struct has no such field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SelectionError {
    pub(crate) message: String,
}

impl Selection {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field with a value of its own: a scalar.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.push(Selected {
            name: name.into(),
            alias: None,
            fields: None,
        });
        self
    }

    /// Adds a field that is an object or a list of objects, with what is wanted of these.
    #[must_use]
    pub fn nested(mut self, name: impl Into<String>, fields: Self) -> Self {
        self.push(Selected {
            name: name.into(),
            alias: None,
            fields: Some(fields),
        });
        self
    }

    /// Adds a field.
    pub fn push(&mut self, field: Selected) {
        self.fields.push(field);
    }

    /// The fields, in the order of the answer. One name of the answer may stand there more
    /// than once.
    #[must_use]
    pub fn fields(&self) -> &[Selected] {
        &self.fields
    }

    /// Reads the text of a selection: `{ id title author { username } }`. Outer braces and
    /// commas may be there or not.
    ///
    /// # Errors
    /// When it cannot be read; the error says where.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        let mut tokens = Vec::new();
        let mut word = String::new();
        for char in text.chars() {
            if char == '_' || char.is_ascii_alphanumeric() {
                word.push(char);
                continue;
            }
            if !word.is_empty() {
                tokens.push(std::mem::take(&mut word));
            }
            if "{}:".contains(char) {
                tokens.push(char.to_string());
            }
        }
        if !word.is_empty() {
            tokens.push(word);
        }
        let mut tokens = tokens.into_iter().peekable();
        tokens.next_if(|token| token == "{");
        Ok(Self::read(&mut tokens))
    }

    fn read(tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>) -> Self {
        let mut selection = Self::new();
        while let Some(mut name) = tokens.next() {
            if name == "}" {
                break;
            }
            let mut alias = None;
            if tokens.next_if(|token| token == ":").is_some() {
                alias = Some(name);
                name = tokens.next().unwrap_or_default();
            }
            let fields = tokens
                .next_if(|token| token == "{")
                .map(|_| Self::read(tokens));
            selection.push(Selected {
                name,
                alias,
                fields,
            });
        }
        selection
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, SelectionError> {
        Self::parse(text)
    }
}
