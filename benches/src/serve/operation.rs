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
    pub(crate) fn of(contender: Contender, operation: Operation, key: Uuid, name: &str) -> Self {
        if contender.postgraphile().is_some() {
            return Self::of_postgraphile(operation, key, name);
        }
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

    /// Its names, made ours by aliases; its lists, since they cost it less than its connections,
    /// which it needs for the count alone.
    fn of_postgraphile(operation: Operation, key: Uuid, name: &str) -> Self {
        const POST: &str = "id: rowId title author: tbUserByAuthorId { username fullName } \
            commentCount: tbCommentsByPostId { totalCount } \
            comments: tbCommentsByPostIdList(orderBy: [CREATED_AT_DESC, PRIMARY_KEY_ASC]) { \
            content author: tbUserByAuthorId { username } }";
        let posts = |limit: u32, fields: &str| {
            json!({ "query": format!(
                "{{ posts: allTbPostsList(first: {limit}, orderBy: [PRIMARY_KEY_ASC]) {{ {fields} }} }}"
            ) })
        };
        let body = match operation {
            Operation::Query => posts(5, POST),
            Operation::List => posts(50, "id: rowId title published"),
            Operation::Post => json!({
                "query": format!("query ($id: UUID!) {{ post: tbPostByRowId(rowId: $id) {{ {POST} }} }}"),
                "variables": { "id": key },
            }),
            Operation::Rename => json!({
                "query": "mutation ($id: UUID!, $fullName: String!) { renameUser: \
                          updateTbUserByRowId(input: {rowId: $id, tbUserPatch: {fullName: $fullName}}) \
                          { tbUser { id: rowId fullName } } }",
                "variables": { "id": key, "fullName": name },
            }),
        };
        Self {
            body,
            plain: plain_postgraphile,
        }
    }
}

/// `{"commentCount": {"totalCount": 7}}` is `{"commentCount": 7}`, and the user of a mutation's
/// payload is what was renamed. There is no other difference.
fn plain_postgraphile(mut data: Value) -> Value {
    let count = |post: &mut Value| {
        if let Some(count) = post.get_mut("commentCount") {
            *count = count["totalCount"].take();
        }
    };
    if let Some(posts) = data.get_mut("posts").and_then(Value::as_array_mut) {
        posts.iter_mut().for_each(count);
    }
    if let Some(post) = data.get_mut("post").filter(|post| !post.is_null()) {
        count(post);
    }
    if let Some(renamed) = data.get_mut("renameUser") {
        *renamed = renamed["tbUser"].take();
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_postgraphile_are_ours_but_for_counts_and_payloads() {
        let theirs =
            json!({"posts": [{"id": "1", "commentCount": {"totalCount": 7}}, {"id": "2"}]});
        let ours = json!({"posts": [{"id": "1", "commentCount": 7}, {"id": "2"}]});
        assert_eq!(plain_postgraphile(theirs), ours);
        let theirs = json!({"post": {"commentCount": {"totalCount": 7}}});
        assert_eq!(
            plain_postgraphile(theirs),
            json!({"post": {"commentCount": 7}})
        );
        let theirs = json!({"renameUser": {"tbUser": {"fullName": "Ada"}}});
        assert_eq!(
            plain_postgraphile(theirs),
            json!({"renameUser": {"fullName": "Ada"}})
        );
        assert_eq!(
            plain_postgraphile(json!({"post": null})),
            json!({"post": null})
        );
    }
}
