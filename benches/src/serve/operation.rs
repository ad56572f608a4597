//! The operations, as requests to each contender.

use serde_json::{Value, json};
use uuid::Uuid;

use super::contender::Contender;

/// An operation that all contenders execute.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// Five posts with their authors, and their comments with theirs.
    Query,
    /// One post by its key, a different one each time by a variable, with the same fields.
    Post,
    /// The same by a constant: one post each time, which the query has in its text.
    PostConstant,
    /// Fifty posts, three scalars each.
    List,
    /// Rename an author with 100 posts.
    Rename,
}

/// The selected fields of a post.
const POST: &str = "id title author { username fullName } commentCount \
                    comments { content author { username } }";

impl Operation {
    /// The name on the command line and in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Post => "post",
            Self::PostConstant => "post-constant",
            Self::List => "list",
            Self::Rename => "rename",
        }
    }

    /// The number of posts of a list.
    pub(crate) const fn limit(self) -> Option<u32> {
        match self {
            Self::Query => Some(5),
            Self::List => Some(50),
            Self::Post | Self::PostConstant | Self::Rename => None,
        }
    }

    /// The text of the GraphQL document, in the schema that all contenders but PostGraphile have. The
    /// identifier of the trusted document is the name.
    pub(crate) fn text(self, key: Uuid) -> String {
        match self {
            Self::Query => format!("{{ posts(limit: 5) {{ {POST} }} }}"),
            Self::List => "{ posts(limit: 50) { id title published } }".to_owned(),
            Self::Post => format!("query ($id: ID!) {{ post(id: $id) {{ {POST} }} }}"),
            Self::PostConstant => format!("{{ post(id: \"{key}\") {{ {POST} }} }}"),
            Self::Rename => "mutation ($id: ID!, $fullName: String!) { \
                             renameUser(id: $id, fullName: $fullName) { id fullName } }"
                .to_owned(),
        }
    }
}

/// A GraphQL request, and the conversion of its response to the common form.
pub(crate) struct OperationRequest {
    /// The body of a POST.
    pub(crate) body: Value,
    /// Converts the response's `data` to the form of the fraiseql schema.
    pub(crate) normalize: fn(Value) -> Value,
}

impl OperationRequest {
    /// The request to this contender. `key` is that of a post, or of the user to rename.
    pub(crate) fn of(contender: Contender, operation: Operation, key: Uuid, name: &str) -> Self {
        if contender.postgraphile().is_some() {
            return Self::of_postgraphile(operation, key, name);
        }
        if contender == Contender::Axum {
            return Self::of_axum(operation, key);
        }
        let mut body = match contender {
            Contender::OursTrusted => json!({ "documentId": operation.name() }),
            _ => json!({ "query": operation.text(key) }),
        };
        match operation {
            Operation::Query | Operation::PostConstant | Operation::List => {}
            Operation::Post => body["variables"] = json!({ "id": key }),
            Operation::Rename => body["variables"] = json!({ "id": key, "fullName": name }),
        }
        Self {
            body,
            normalize: |data| data,
        }
    }

    /// The request to handlers of axum, which return whole documents.
    fn of_axum(operation: Operation, key: Uuid) -> Self {
        Self {
            body: json!({ "operation": operation.name(), "id": key }),
            normalize: match operation {
                Operation::List => |data| data,
                _ => selected,
            },
        }
    }

    /// The request to PostGraphile. Aliases give the fields the common names. Lists are used where
    /// possible, since they cost it less than connections, which only the count needs.
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
            Operation::PostConstant => json!({ "query": format!(
                "{{ post: tbPostByRowId(rowId: \"{key}\") {{ {POST} }} }}"
            ) }),
            Operation::Rename => json!({
                "query": "mutation ($id: UUID!, $fullName: String!) { renameUser: \
                          updateTbUserByRowId(input: {rowId: $id, tbUserPatch: {fullName: $fullName}}) \
                          { tbUser { id: rowId fullName } } }",
                "variables": { "id": key, "fullName": name },
            }),
        };
        Self {
            body,
            normalize: normalize_postgraphile,
        }
    }
}

/// Removes the fields of documents that [`POST`] does not select.
fn selected(mut data: Value) -> Value {
    fn keep(object: &mut Value, keys: &[&str]) {
        if let Some(object) = object.as_object_mut() {
            object.retain(|key, _| keys.contains(&key.as_str()));
        }
    }
    let select = |post: &mut Value| {
        keep(post, &["id", "title", "author", "commentCount", "comments"]);
        if let Some(author) = post.get_mut("author") {
            keep(author, &["username", "fullName"]);
        }
        let comments = post.get_mut("comments").and_then(Value::as_array_mut);
        for comment in comments.into_iter().flatten() {
            keep(comment, &["content", "author"]);
            if let Some(author) = comment.get_mut("author") {
                keep(author, &["username"]);
            }
        }
    };
    if let Some(posts) = data.get_mut("posts").and_then(Value::as_array_mut) {
        posts.iter_mut().for_each(select);
    }
    if let Some(post) = data.get_mut("post") {
        select(post);
    }
    data
}

/// Replaces `{"commentCount": {"totalCount": 7}}` by `{"commentCount": 7}`, and a mutation's payload
/// by its user. There are no other differences.
fn normalize_postgraphile(mut data: Value) -> Value {
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
    fn postgraphile_differs_only_in_counts_and_payloads() {
        let theirs =
            json!({"posts": [{"id": "1", "commentCount": {"totalCount": 7}}, {"id": "2"}]});
        let ours = json!({"posts": [{"id": "1", "commentCount": 7}, {"id": "2"}]});
        assert_eq!(normalize_postgraphile(theirs), ours);
        let theirs = json!({"post": {"commentCount": {"totalCount": 7}}});
        assert_eq!(
            normalize_postgraphile(theirs),
            json!({"post": {"commentCount": 7}})
        );
        let theirs = json!({"renameUser": {"tbUser": {"fullName": "Ada"}}});
        assert_eq!(
            normalize_postgraphile(theirs),
            json!({"renameUser": {"fullName": "Ada"}})
        );
        assert_eq!(
            normalize_postgraphile(json!({"post": null})),
            json!({"post": null})
        );
    }
}
