//! GraphQL requests in this process, without a database: the cost of fraiseql-graphql over stored
//! documents, compared with async-graphql objects whose fields are resolved one by one.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use async_graphql::dynamic;
use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, ValidationMode, Value};
use fraiseql_graphql::response::write_response;
use fraiseql_graphql::{Prepared, TvList};
use fraiseql_runtime::TView;
use serde_json::value::RawValue;
use sqlx::postgres::PgPoolOptions;

use crate::blog::{self, Post, Size, sync_all_posts};
use crate::measure::Times;

/// Options of `graphql`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Number of posts in each request.
    #[arg(long, default_value_t = 5)]
    posts: usize,
    /// Measured rounds.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Requests in a round.
    #[arg(long, default_value_t = 2_000)]
    requests: u32,
    /// Run only this variant, for a profiler: its row in the table, from 0.
    #[arg(long)]
    only: Option<usize>,
}

const QUERY: &str = "{ posts { id title author { username fullName } commentCount \
                     comments { content author { username } } } }";

const VARIANTS: [&str; 7] = [
    "documents, query and validation cached",
    "documents, query cached",
    "documents, query parsed, `ValidationMode::Fast`",
    "documents, query parsed",
    "documents, without `Prepared`",
    "SimpleObject",
    "dynamic schema",
];

/// The place of `SimpleObject`.
const SIMPLE_OBJECT: usize = 5;

/// Documents as they are read from the database.
struct Documents(Vec<Arc<RawValue>>);

#[Object]
impl Documents {
    async fn posts(&self) -> TvList<Post> {
        self.0.iter().cloned().collect()
    }
}

/// The same data as async-graphql objects.
mod object {
    use async_graphql::SimpleObject;
    use serde::Deserialize;

    #[derive(Clone, Deserialize, SimpleObject)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Post {
        pub(super) id: String,
        pub(super) title: String,
        content: String,
        published: bool,
        created_at: String,
        pub(super) author: Author,
        pub(super) comments: Vec<Comment>,
        pub(super) comment_count: i64,
    }

    #[derive(Clone, Deserialize, SimpleObject)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Author {
        id: String,
        pub(super) username: String,
        pub(super) full_name: String,
    }

    #[derive(Clone, Deserialize, SimpleObject)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Comment {
        id: String,
        pub(super) content: String,
        created_at: String,
        pub(super) author: Author,
    }
}

struct Objects(Vec<object::Post>);

#[Object]
impl Objects {
    async fn posts(&self) -> &[object::Post] {
        &self.0
    }
}

/// The same objects in a schema that is built at run time.
fn dynamic_schema(posts: Vec<object::Post>) -> anyhow::Result<dynamic::Schema> {
    use dynamic::{Field, FieldFuture, FieldValue, Object, TypeRef};

    /// A scalar field that is read from the parent object.
    fn scalar<T: 'static>(name: &str, ty: &str, value: fn(&T) -> Value) -> Field {
        Field::new(name, TypeRef::named_nn(ty), move |ctx| {
            FieldFuture::new(
                async move { Ok(Some(value(ctx.parent_value.try_downcast_ref::<T>()?))) },
            )
        })
    }

    let author = Object::new("Author")
        .field(scalar::<object::Author>("username", "String", |one| {
            one.username.clone().into()
        }))
        .field(scalar::<object::Author>("fullName", "String", |one| {
            one.full_name.clone().into()
        }));
    let comment = Object::new("Comment")
        .field(scalar::<object::Comment>("content", "String", |one| {
            one.content.clone().into()
        }))
        .field(Field::new("author", TypeRef::named_nn("Author"), |ctx| {
            FieldFuture::new(async move {
                let comment = ctx.parent_value.try_downcast_ref::<object::Comment>()?;
                Ok(Some(FieldValue::borrowed_any(&comment.author)))
            })
        }));
    let post = Object::new("Post")
        .field(scalar::<object::Post>("id", "ID", |one| {
            one.id.clone().into()
        }))
        .field(scalar::<object::Post>("title", "String", |one| {
            one.title.clone().into()
        }))
        .field(scalar::<object::Post>("commentCount", "Int", |one| {
            one.comment_count.into()
        }))
        .field(Field::new("author", TypeRef::named_nn("Author"), |ctx| {
            FieldFuture::new(async move {
                let post = ctx.parent_value.try_downcast_ref::<object::Post>()?;
                Ok(Some(FieldValue::borrowed_any(&post.author)))
            })
        }))
        .field(Field::new(
            "comments",
            TypeRef::named_nn_list_nn("Comment"),
            |ctx| {
                FieldFuture::new(async move {
                    let post = ctx.parent_value.try_downcast_ref::<object::Post>()?;
                    let comments = post
                        .comments
                        .iter()
                        .map(|one| FieldValue::borrowed_any(one));
                    Ok(Some(FieldValue::list(comments)))
                })
            },
        ));
    let query = Object::new("Query").field(Field::new(
        "posts",
        TypeRef::named_nn_list_nn("Post"),
        |ctx| {
            FieldFuture::new(async move {
                let posts = ctx.data::<Vec<object::Post>>()?;
                Ok(Some(FieldValue::list(
                    posts.iter().map(|one| FieldValue::borrowed_any(one)),
                )))
            })
        },
    ));
    Ok(dynamic::Schema::build("Query", None, None)
        .register(author)
        .register(comment)
        .register(post)
        .register(query)
        .data(posts)
        .finish()?)
}

/// Builds documents on a PostgreSQL, as text of `jsonb`.
async fn documents(count: usize) -> anyhow::Result<Vec<Box<RawValue>>> {
    let server = dev_postgres::Server::builder().start()?;
    let pool = PgPoolOptions::new()
        .connect_with(server.create_database().await?)
        .await?;
    let posts = i32::try_from(count).context("fewer posts")?;
    let size = Size {
        users: 100,
        posts,
        comments: posts * 10,
    };
    let keys = blog::create(&pool, size).await?;
    sync_all_posts(&pool).await?;
    let mut documents = Vec::new();
    for key in keys {
        documents.push(
            Post::find_json(&pool, key)
                .await?
                .context("it was synced")?,
        );
    }
    pool.close().await;
    Ok(documents)
}

pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let documents = documents(options.posts).await?;
    let objects: Vec<object::Post> = documents
        .iter()
        .map(|json| serde_json::from_str(json.get()))
        .collect::<Result<_, _>>()?;
    let bytes: usize = documents.iter().map(|json| json.get().len()).sum();

    let of_documents = |documents: &[Box<RawValue>]| {
        let shared = documents.iter().cloned().map(Arc::from).collect();
        Schema::build(Documents(shared), EmptyMutation, EmptySubscription)
    };
    let validated = of_documents(&documents)
        .extension(Prepared::default().validate_once(true))
        .finish();
    let cached = of_documents(&documents)
        .extension(Prepared::default())
        .finish();
    let parsed = of_documents(&documents)
        .extension(Prepared::default().keep(0))
        .finish();
    // `Prepared` has its own validation, by all rules.
    let fast = of_documents(&documents)
        .extension(Prepared::default().keep(0))
        .validation_mode(ValidationMode::Fast)
        .finish();
    let bare = of_documents(&documents).finish();
    let simple = Schema::new(Objects(objects.clone()), EmptyMutation, EmptySubscription);
    let dynamic = dynamic_schema(objects)?;

    const WARM_UP: usize = 2;
    let mut times: [Times; VARIANTS.len()] = std::array::from_fn(|_| Times::default());
    let mut answers: [Vec<u8>; VARIANTS.len()] = Default::default();
    for round in 0..options.rounds + WARM_UP {
        for place in 0..VARIANTS.len() {
            let variant = (place + round) % VARIANTS.len();
            if options.only.is_some_and(|only| only != variant) {
                continue;
            }
            let start = Instant::now();
            for _ in 0..options.requests {
                let response = match variant {
                    0 => validated.execute(QUERY).await,
                    1 => cached.execute(QUERY).await,
                    2 => fast.execute(QUERY).await,
                    3 => parsed.execute(QUERY).await,
                    4 => bare.execute(QUERY).await,
                    SIMPLE_OBJECT => simple.execute(QUERY).await,
                    _ => dynamic.execute(QUERY).await,
                };
                let mut out = Vec::new();
                match variant {
                    0..SIMPLE_OBJECT => write_response(&response, &mut out),
                    _ => serde_json::to_writer(&mut out, &response)?,
                }
                answers[variant] = black_box(out);
            }
            if round >= WARM_UP {
                times[variant].push(start.elapsed() / options.requests);
            }
        }
    }
    if let Some(only) = options.only {
        println!("{}: {:.1} us", VARIANTS[only], times[only].median() * 1e3);
        return Ok(());
    }
    let answer = |variant: usize| serde_json::from_slice::<serde_json::Value>(&answers[variant]);
    for (variant, name) in VARIANTS.iter().enumerate() {
        ensure!(
            answer(variant)? == answer(0)?,
            "{name} returns other data than {}",
            VARIANTS[0]
        );
    }
    println!(
        "{} posts, {bytes} bytes, a response of {} bytes; {} cores, medians of {} rounds\n",
        options.posts,
        answers[0].len(),
        std::thread::available_parallelism().map_or(0, usize::from),
        options.rounds,
    );
    let medians = times.map(|times| times.median());
    println!("| | per request | relative to SimpleObject |");
    println!("|---|---:|---:|");
    for (variant, median) in VARIANTS.iter().zip(medians) {
        println!(
            "| {variant} | {:.1} us | **{:.2}** |",
            median * 1e3,
            median / medians[SIMPLE_OBJECT]
        );
    }
    Ok(())
}
