//! What is asked: the same of everybody, in the words of each.

use serde_json::{Value, json};
use uuid::Uuid;

use super::contender::Contender;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// Five posts with their authors, and their comments with theirs.
    Query,
    /// One post by its key, another one each time, with the same fields.
    Post,
    /// Fifty posts, three scalars each.
    List,
    /// An author with 100 posts gets another name.
    Rename,
}

/// The fields of a post that are asked for.
const POST: &str = "id title author { username fullName } commentCount \
                    comments { content author { username } }";

impl Operation {
    /// How it is called on the command line, and in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Post => "post",
            Self::List => "list",
            Self::Rename => "rename",
        }
    }

    /// How many posts a list has.
    pub(crate) const fn limit(self) -> Option<u32> {
        match self {
            Self::Query => Some(5),
            Self::List => Some(50),
            Self::Post | Self::Rename => None,
        }
    }
}

/// A GraphQL request, and how to find in the answer what everybody answers.
pub(crate) struct Asked {
    /// The body of a POST.
    pub(crate) body: Value,
    /// The answer's `data`, in the words of our schema.
    pub(crate) plain: fn(Value) -> Value,
}

impl Asked {
    /// A request of this contender. `key` is a post's, or that of a user who is renamed.
    pub(crate) fn of(_contender: Contender, operation: Operation, key: Uuid, name: &str) -> Self {
        let body = match operation {
            Operation::Query => json!({ "query": format!("{{ posts(limit: 5) {{ {POST} }} }}") }),
            Operation::List => json!({ "query": "{ posts(limit: 50) { id title published } }" }),
            Operation::Post => json!({
                "query": format!("query ($id: ID!) {{ post(id: $id) {{ {POST} }} }}"),
                "variables": { "id": key },
            }),
            Operation::Rename => json!({
                "query": "mutation ($id: ID!, $fullName: String!) { \
                          renameUser(id: $id, fullName: $fullName) { id fullName } }",
                "variables": { "id": key, "fullName": name },
            }),
        };
        Self {
            body,
            plain: |data| data,
        }
    }
}
