//! The view of the blog that servers serve, stored as `json` and as `jsonb`.
//!
//! The columns that lists show are promoted, without an index: a list of them is read from columns.

macro_rules! views {
    ($($(#[$docs:meta])* $module:ident $view:literal $data:literal;)*) => {$(
        $(#[$docs])*
        pub(crate) mod $module {
            use chrono::{DateTime, Utc};
            use fraiseql_runtime::TView;
            use uuid::Uuid;

            use crate::blog::{Author, Comment};

            #[derive(Debug, TView)]
            #[tview(view = $view, data = $data)]
            pub(crate) struct Post {
                pub(crate) id: Uuid,
                #[tview(filter, index = false)]
                pub(crate) title: String,
                pub(crate) content: String,
                #[tview(filter, index = false)]
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
    )*};
}

views! {
    /// Documents as `jsonb`.
    jsonb "tv_post_jsonb" "jsonb";
    /// The same documents as `json`.
    json "tv_post_json" "json";
}
