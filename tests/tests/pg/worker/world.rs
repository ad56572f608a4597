//! What the tests of the worker share.

use fraiseql_runtime::{Capture, ReadModel};
pub(super) use fraiseql_tests::world::worked::{Post, User, at_commit, captured, world};
use sqlx::PgPool;

/// Leaves posts to the worker, in a transaction of its own.
pub(super) async fn leave(pool: &PgPool, model: &ReadModel, posts: &[i64]) {
    let mut tx = pool.begin().await.unwrap();
    model.defer(&mut tx).resync::<Post>(posts).await.unwrap();
    tx.commit().await.unwrap();
}

/// The next release: its posts have another field, and a view table of their own.
mod next {
    use fraiseql_runtime::TView;
    use fraiseql_tests::world::numbered::Author;

    #[derive(Debug, TView)]
    #[tview(view = "tv_post_next", sync = "eventual")]
    pub(super) struct Post {
        pub(super) id: i64,
        pub(super) title: String,
        #[tview(one(fk = "author_id"))]
        pub(super) author: Author,
        #[tview(count(table = "tb_comment", fk = "post_id"))]
        pub(super) comments: i64,
    }
}

/// The read model of the next release.
pub(super) fn next_model(capture: Capture) -> ReadModel {
    let model = ReadModel::builder().view::<next::Post>().view::<User>();
    model.capture(capture).build().unwrap()
}
