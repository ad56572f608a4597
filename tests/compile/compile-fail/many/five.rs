use fraiseql_runtime::{Embed, ReadModel, TView};
use serde::{Serialize, de::DeserializeOwned};

#[derive(TView)]
#[tview(
    tabel = "tb_post",
    filter = "published;",
    entity = "article",
    plural = "articles"
)]
pub struct Post {
    #[tview(key)]
    pub number: PostNumber,
    #[tview(sort = true)]
    pub title: String,
    #[tview(one)]
    pub author: Author,
    #[tview(count(fk = "post_id"))]
    pub comment_count: i64,
}

#[derive(Embed)]
pub struct Author {
    pub id: i64,
    #[tview(colum = "name")]
    pub username: String,
}

pub type PostNumber = i32;

// None of what follows is wrong, so none of it is reported.
#[derive(TView)]
pub struct Blog {
    pub id: i64,
    #[tview(many(fk = "blog_id"))]
    pub posts: Vec<Post>,
}

pub async fn refresh(pool: &sqlx::PgPool, numbers: &[PostNumber]) -> fraiseql_runtime::Result<()> {
    let report = sync_article(pool, numbers).await?;
    sync_all_articles(pool).await?;
    delete_article(pool, &[7]).await?;
    println!("{report:?}");
    let post: Option<Post> = Post::find(pool, 7).await?;
    if let Some(post) = post {
        as_json(&post);
        println!("{}", post.title);
    }
    Ok(())
}

pub fn as_json<T: Serialize + DeserializeOwned>(_: &T) {}

pub fn model() {
    let _ = ReadModel::builder().view::<Post>().view::<Blog>();
}

fn main() {}
