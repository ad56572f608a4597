//! The index: which articles have a word. It is a file, and so survives the program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use fraiseql_runtime::feed::sink::{Sink, SinkDocument};
use serde::{Deserialize, Serialize};

use crate::Words;

/// An index of words.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
    /// The keys of the entries that have a word.
    words: BTreeMap<String, BTreeSet<String>>,
}

/// What is known of one document. A deleted one keeps its version, so that an older write does not bring it back.
#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    version: u64,
    text: Option<String>,
}

/// Why the index cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the index {}", path.display())]
pub struct IndexError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl Index {
    /// Opens the index in a file, or begins an empty one.
    ///
    /// # Errors
    /// If the file cannot be read, or is no index.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let mut index = Self {
            path: path.to_owned(),
            entries: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        let entries: BTreeMap<String, Entry> = match std::fs::read(path) {
            Ok(bytes) => {
                let entries = serde_json::from_slice(&bytes);
                entries.map_err(|error| index.error(error.into()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(index.error(error)),
        };
        for (key, entry) in entries {
            index.put(key, entry);
        }
        Ok(index)
    }

    /// The keys of the documents that have all of these words, in order.
    #[must_use]
    pub fn search(&self, query: &str) -> Vec<&str> {
        let found = words(query).map(|word| self.words.get(&word).cloned().unwrap_or_default());
        let common = found
            .reduce(|some, others| &some & &others)
            .unwrap_or_default();
        let keys = common.into_iter();
        keys.filter_map(|key| {
            self.entries
                .get_key_value(&key)
                .map(|(key, _)| key.as_str())
        })
        .collect()
    }

    /// The number of documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries
            .values()
            .filter(|entry| entry.text.is_some())
            .count()
    }

    /// Whether there are no documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn put(&mut self, key: String, entry: Entry) {
        self.remove(&key);
        for word in entry.text.as_deref().into_iter().flat_map(words) {
            self.words.entry(word).or_default().insert(key.clone());
        }
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &str) {
        let Some(Entry {
            text: Some(text), ..
        }) = self.entries.remove(key)
        else {
            return;
        };
        for word in words(&text) {
            if let Some(keys) = self.words.get_mut(&word) {
                keys.remove(key);
            }
        }
    }

    /// Writes the file: what was written is there also after a crash.
    fn save(&self) -> Result<(), IndexError> {
        let save = || -> std::io::Result<()> {
            let directory = self.path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(directory)?;
            serde_json::to_writer(&mut file, &self.entries)?;
            file.flush()?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        save().map_err(|error| self.error(error))
    }

    fn error(&self, source: std::io::Error) -> IndexError {
        IndexError {
            path: self.path.clone(),
            source,
        }
    }
}

impl Sink for Index {
    type Error = IndexError;

    async fn write(&mut self, documents: &[SinkDocument]) -> Result<(), IndexError> {
        for document in documents {
            let known = self.entries.get(&document.key);
            if known.is_some_and(|known| known.version > document.version) {
                continue;
            }
            let words: Option<Words> =
                document.parse().map_err(|error| self.error(error.into()))?;
            let entry = Entry {
                version: document.version,
                text: words.map(|words| words.text()),
            };
            self.put(document.key.clone(), entry);
        }
        self.save()
    }

    async fn remove_older(&mut self, _view: &'static str, version: u64) -> Result<(), IndexError> {
        let older = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.version < version);
        let older: Vec<String> = older.map(|(key, _)| key.clone()).collect();
        older.iter().for_each(|key| self.remove(key));
        self.entries.retain(|_, entry| entry.version >= version);
        self.save()
    }
}

/// The words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}
