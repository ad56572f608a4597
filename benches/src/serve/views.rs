//! The view of the blog, stored as `json` and as `jsonb`.

/// Documents as `jsonb`.
pub(crate) mod jsonb {
    pub(crate) use crate::blog::{Post, sync_all_posts, sync_post};
}

/// The same documents as `json`.
pub(crate) mod json {
    use chrono::{DateTime, Utc};
    use fraiseql_runtime::TView;
    use uuid::Uuid;

    use crate::blog::{Author, Comment};

    #[derive(Debug, TView)]
    #[tview(view = "tv_post_json", data = "json")]
    pub(crate) struct Post {
        pub(crate) id: Uuid,
        pub(crate) title: String,
        pub(crate) content: String,
        pub(crate) published: bool,
        #[tview(filter, sort)]
        pub(crate) created_at: DateTime<Utc>,
        #[tview(one(fk = "author_id"))]
        pub(crate) author: Author,
        #[tview(many(fk = "post_id", order_by = "created_at DESC"))]
        pub(crate) comments: Vec<Comment>,
        #[tview(count(table = "tb_comment", fk = "post_id"))]
        pub(crate) comment_count: i64,
    }
}
