//! Parses a guide into its headings and code blocks, and generates a test for each sample.
//!
//! A sample is a code block that begins with ```` ```rust ````. The markdown shows what a reader
//! should see, and nothing else. What a sample needs besides stands in HTML comments directly
//! before or after it, which neither a code host nor rustdoc displays:
//!
//! ````text
//! <!-- sample
//! tables:
//!     CREATE TABLE tb_post (id int8 PRIMARY KEY);
//! before:
//!     migrate::<Post>(&pool).await;
//! -->
//! ```rust
//! sync_post(&pool, &[7]).await?;
//! ```
//! <!-- sample
//! after:
//!     assert!(Post::find(&pool, 7).await?.is_none());
//! -->
//! ````
//!
//! | key | meaning |
//! |---|---|
//! | `tables:` | SQL that is run on an empty database; the sample then has a `pool` on it. Without this key, a sample has no database |
//! | `before:` | Rust, inserted before the sample |
//! | `after:` | Rust, inserted after the sample; in a comment after the block |
//! | `name: shop` | the block is not a test: a `rust` block becomes a module, an `sql` block tables, for samples with `use: shop` |
//! | `use: shop` | in place of `tables:`: runs the SQL of that name, and imports that module |
//!
//! A sample is the body of an async function that returns a `Result` with a boxed error, in a
//! module that imports everything of this crate's library. Items and statements may be in any
//! order, as in any function. Of rustdoc's flags, `no_run` (only compiled) and `ignore` are known.
//!
//! The generated file of a guide has the guide's lines: what stands in line 53 of the guide stands
//! in line 53 of the file, so compiler errors and panics name the right line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

/// A guide: a file of markdown.
#[derive(Debug)]
pub struct Guide {
    /// The name of the file, without `.md`.
    pub name: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// Its headings, in order.
    pub headings: Vec<Heading>,
    /// Its code blocks, in order.
    pub blocks: Vec<Block>,
    /// The lines of HTML comments.
    pub comments: Vec<Range<usize>>,
}

/// A heading, outside of code blocks.
#[derive(Debug)]
pub struct Heading {
    /// The index of its line.
    pub line: usize,
    /// Its text, as markdown.
    pub text: String,
}

/// A code block with its comments.
#[derive(Debug)]
pub struct Block {
    /// What follows the fence, split at commas: the language, and flags.
    pub info: Vec<String>,
    /// The lines between the fences.
    pub code: Range<usize>,
    /// The text of the heading above.
    pub heading: String,
    /// The comments directly before and after it.
    pub comments: Vec<Comment>,
}

/// A comment that begins with `<!-- sample`.
#[derive(Debug, Clone, Default)]
pub struct Comment {
    /// The lines from `<!--` to `-->`, both included.
    pub lines: Range<usize>,
    /// The keys that stand on a line with their value.
    pub values: BTreeMap<String, String>,
    /// The keys that stand on a line of their own, with the lines below.
    pub sections: BTreeMap<String, Range<usize>>,
}

impl Comment {
    fn is_after(&self) -> bool {
        self.sections.contains_key("after")
    }
}

impl Block {
    /// The text between the fences.
    pub fn language(&self) -> &str {
        self.info.first().map_or("", String::as_str)
    }

    fn has(&self, flag: &str) -> bool {
        self.info.iter().any(|info| info == flag)
    }

    fn value(&self, key: &str) -> Option<&str> {
        let mut comments = self.comments.iter();
        comments.find_map(|comment| comment.values.get(key).map(String::as_str))
    }

    fn section(&self, key: &str) -> Option<Range<usize>> {
        let mut comments = self.comments.iter();
        comments.find_map(|comment| comment.sections.get(key).cloned())
    }

    fn first_line(&self) -> usize {
        let comments = self.comments.iter().map(|comment| comment.lines.start);
        comments.fold(self.code.start - 1, usize::min)
    }

    fn last_line(&self) -> usize {
        let comments = self.comments.iter().map(|comment| comment.lines.end - 1);
        comments.fold(self.code.end, usize::max)
    }
}

impl Guide {
    /// Parses a guide.
    ///
    /// # Errors
    /// A deviation from the format in the module's documentation, with its line.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut guide = Self {
            name: name.to_owned(),
            lines,
            headings: Vec::new(),
            blocks: Vec::new(),
            comments: Vec::new(),
        };
        let mut pending: Option<Comment> = None;
        let mut index = 0;
        while index < guide.lines.len() {
            let line = guide.lines[index].clone();
            let lost = |comment: &Comment| {
                format!("{name}.md:{}: no block beside it", comment.lines.start + 1)
            };
            if let Some(info) = line.strip_prefix("```") {
                let end = guide.find(index + 1, |line| line == "```")?;
                guide.blocks.push(Block {
                    info: info.split(',').map(|part| part.trim().to_owned()).collect(),
                    code: index + 1..end,
                    heading: guide
                        .headings
                        .last()
                        .map_or(String::new(), |h| h.text.clone()),
                    comments: pending.take().into_iter().collect(),
                });
                index = end + 1;
            } else if line.starts_with("<!--") {
                let end = guide.find(index, |line| line.ends_with("-->"))? + 1;
                guide.comments.push(index..end);
                if line == "<!-- sample" {
                    let comment = guide.comment(index..end)?;
                    if !comment.is_after() {
                        if let Some(other) = pending.replace(comment) {
                            return Err(lost(&other));
                        }
                    } else if guide.is_adjacent(index) {
                        let block = guide.blocks.last_mut().ok_or_else(|| lost(&comment))?;
                        block.comments.push(comment);
                    } else {
                        return Err(lost(&comment));
                    }
                }
                index = end;
            } else {
                if let Some(comment) = pending.as_ref().filter(|_| !line.is_empty()) {
                    return Err(lost(comment));
                }
                if line.starts_with('#') {
                    let text = line.trim_start_matches('#').trim().to_owned();
                    guide.headings.push(Heading { line: index, text });
                }
                index += 1;
            }
        }
        match pending {
            Some(comment) => Err(format!(
                "{name}.md:{}: no block after it",
                comment.lines.start + 1
            )),
            None => Ok(guide),
        }
    }

    /// Whether only blank lines are between the last block and this line.
    fn is_adjacent(&self, line: usize) -> bool {
        let end = self.blocks.last().map_or(line, |block| block.code.end + 1);
        self.lines[end..line].iter().all(String::is_empty)
    }

    fn find(&self, from: usize, is_end: impl Fn(&str) -> bool) -> Result<usize, String> {
        let found = self.lines[from..].iter().position(|line| is_end(line));
        let found = found.map(|offset| from + offset);
        found.ok_or_else(|| format!("{}.md:{from}: has no end", self.name))
    }

    fn comment(&self, lines: Range<usize>) -> Result<Comment, String> {
        let mut comment = Comment {
            lines: lines.clone(),
            ..Comment::default()
        };
        let mut section: Option<(String, usize)> = None;
        for index in lines.start + 1..lines.end {
            let line = &self.lines[index];
            let is_text = line.is_empty() || line.starts_with(' ');
            if !is_text && let Some((key, start)) = section.take() {
                comment.sections.insert(key, start..index);
            }
            match line.split_once(':') {
                _ if is_text && section.is_some() || line == "-->" => {}
                Some((key @ ("tables" | "before" | "after"), "")) if !is_text => {
                    section = Some((key.to_owned(), index + 1));
                }
                Some((key @ ("name" | "use"), value)) if !is_text => {
                    comment
                        .values
                        .insert(key.to_owned(), value.trim().to_owned());
                }
                _ => return Err(format!("{}.md:{}: unknown key", self.name, index + 1)),
            }
        }
        Ok(comment)
    }

    /// The blocks that are compiled: `rust`, without `ignore`.
    pub fn samples(&self) -> impl Iterator<Item = &Block> {
        let is_sample = |block: &&Block| block.language() == "rust" && !block.has("ignore");
        self.blocks.iter().filter(is_sample)
    }

    /// A Rust file with a test for each sample, line by line.
    ///
    /// # Errors
    /// A block that cannot be generated, with its line.
    pub fn tests(&self) -> Result<String, String> {
        let mut out = vec![String::new(); self.lines.len()];
        let mut names = BTreeSet::new();
        let _ = write!(
            out[0],
            "#![doc = \"The samples of {}.md; lines are those of the guide.\"] \
             #[allow(unused_imports)] use fraiseql_guide_tests::*;",
            self.name
        );
        for block in &self.blocks {
            match (block.language(), block.value("name")) {
                _ if block.has("compile_fail") => {
                    let line = block.code.start;
                    let to = "what must not compile belongs into tests/compile";
                    return Err(format!("{}.md:{line}: {to}", self.name));
                }
                ("sql", Some(name)) => self.named_sql(block, name, &mut out),
                ("rust", Some(name)) => self.named_module(block, name, &mut out),
                ("rust", None) if !block.has("ignore") => {
                    self.test(block, &unique(&block.heading, &mut names), &mut out);
                }
                _ => {}
            }
        }
        Ok(out.join("\n") + "\n")
    }

    fn copy(&self, lines: Range<usize>, out: &mut [String]) {
        for index in lines {
            out[index] += &self.lines[index];
        }
    }

    /// SQL as a macro, for `concat!`.
    fn named_sql(&self, block: &Block, name: &str, out: &mut [String]) {
        let start = block.code.start - 1;
        let rows = block.section("after");
        let (before, after) = if rows.is_some() {
            ("concat!(", ")")
        } else {
            ("", "")
        };
        let _ = write!(
            out[start],
            "macro_rules! {name}_tables {{ () => {{ {before}r####\""
        );
        self.copy(block.code.clone(), out);
        out[block.code.end] += "\"####";
        if let Some(rows) = rows {
            out[rows.start - 1] += ", \"\\n\", r####\"";
            self.copy(rows.clone(), out);
            out[rows.end] += "\"####";
        }
        let _ = write!(out[block.last_line()], "{after} }} }}");
    }

    fn named_module(&self, block: &Block, name: &str, out: &mut [String]) {
        out[block.code.start - 1] += &format!("pub mod {name} {{");
        self.copy(block.code.clone(), out);
        out[block.code.end] += "}";
    }

    fn test(&self, block: &Block, name: &str, out: &mut [String]) {
        let first = block.first_line();
        out[first] += if block.has("no_run") {
            "#[allow(dead_code)] "
        } else {
            "#[test] "
        };
        let _ = write!(out[first], "fn {name}() {{ ");
        let shared = block.value("use");
        // A name may stand for tables only.
        let is_module = |name: &&str| {
            let mut blocks = self.blocks.iter();
            blocks.any(|it| it.language() == "rust" && it.value("name") == Some(*name))
        };
        let import = shared.filter(is_module);
        let import = import.map_or(String::new(), |name| format!(" use self::{name}::*;"));
        let body = format!("async |pool: PgPool| {{ let _ = &pool;{import} ");
        if let Some(tables) = block.section("tables") {
            out[tables.start - 1] += "on(r####\"";
            self.copy(tables.clone(), out);
            let _ = write!(out[tables.end], "\"####, {body}");
        } else if let Some(shared) = shared {
            let _ = write!(out[first], "on({shared}_tables!(), {body}");
        } else {
            let _ = write!(out[first], "run(async || {{{import} ");
        }
        for section in ["before", "after"] {
            if let Some(lines) = block.section(section) {
                self.copy(lines, out);
            }
        }
        self.copy(block.code.clone(), out);
        out[block.last_line()] += " Ok(()) }); }";
    }
}

/// The heading as the name of a function.
fn unique(heading: &str, names: &mut BTreeSet<String>) -> String {
    let words: Vec<String> = heading
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut name = words.join("_");
    if name.starts_with(|c: char| !c.is_ascii_alphabetic()) {
        name.insert_str(0, "step_");
    }
    const KEYWORDS: [&str; 6] = ["crate", "enum", "struct", "type", "use", "where"];
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    let mut candidate = name.clone();
    for number in 2.. {
        if names.insert(candidate.clone()) {
            break;
        }
        candidate = format!("{name}_{number}");
    }
    candidate
}
