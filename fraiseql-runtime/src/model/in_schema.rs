//! `ReadModel::in_schema`: the same views over the tables of another schema.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use sqlx::PgPool;

use crate::error::{Error, Result};
use crate::model::builder::ReadModelBuilder;
use crate::model::read_model::ReadModel;
use crate::mutation::context::MutationContext;
use crate::mutex::lock;
use crate::ops::migrate::SchemaMigrations;
use crate::read::readers::Readers;
use crate::schema::default_schema::DefaultSchema;
use crate::schema::naming::MAX_IDENTIFIER_BYTES;

/// What the mutations of each schema share, built on first use.
pub(crate) struct Schemas {
    builder: ReadModelBuilder,
    contexts: Mutex<HashMap<DefaultSchema, Arc<MutationContext>>>,
}

impl Schemas {
    pub(super) fn new(builder: ReadModelBuilder) -> Self {
        let contexts = Mutex::default();
        Self { builder, contexts }
    }
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schemas = lock(&self.contexts).len();
        f.debug_struct("Schemas")
            .field("contexts", &schemas)
            .finish_non_exhaustive()
    }
}

impl ReadModel {
    /// The same read model over the tables of another schema: for a schema for each customer, with the same
    /// tables in each.
    ///
    /// `schema` stands for `public` in every table that the structs name: base tables, join tables and view
    /// tables, and so for functions, triggers, captured changes and the [sync log](crate::SyncLog). A table that
    /// is declared in another schema, such as `shared.tb_country`, stays there. So do functions and types that
    /// an `expr` or a `filter` names without a schema, if `schema` has none of that name.
    ///
    /// What takes a target takes it from [`on`](Self::on), and then reads and syncs that schema:
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
    /// # #[derive(TView)]
    /// # pub struct Post { pub id: i64, pub title: String }
    /// # fn main() { on("CREATE SCHEMA customer_7; CREATE SCHEMA customer_8;
    /// #     CREATE TABLE customer_7.tb_post (id int8 PRIMARY KEY, title text NOT NULL);
    /// #     CREATE TABLE customer_8.tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
    /// let blog = ReadModel::builder().view::<Post>().build()?;
    /// blog.migrate_schemas(&pool, ["customer_7", "customer_8"]).await.into_result()?;
    ///
    /// let customer = blog.in_schema("customer_7")?;
    /// let mut m = customer.mutation(&pool).await?;
    /// sqlx::query("INSERT INTO customer_7.tb_post VALUES (1, 'Notes')").execute(&mut *m).await?;
    /// m.changed::<Post>(&[1]);
    /// m.commit().await?;
    ///
    /// let post = Post::find(customer.on(&pool), 1).await?.unwrap();
    /// assert_eq!(post.title, "Notes");
    /// sync_post(customer.on(&pool), &[1]).await?;
    /// let other = blog.in_schema("customer_8")?;
    /// assert!(Post::find(other.on(&pool), 1).await?.is_none());
    /// # Ok(()) }) }
    /// ```
    ///
    /// It is cheap from the second call on. Constant tables and statements of a schema stay in memory as long as the
    /// program runs, about 130 KB for each view, and each connection prepares its
    /// statements for each schema: for thousands of customers, [a tenant](crate::TView::of) is the better way.
    /// A [worker](Self::worker) is for one schema.
    ///
    /// # Errors
    /// If no schema can have that name, or if a table or an index of two views would have the same name there.
    pub fn in_schema(&self, schema: &str) -> Result<Self> {
        let schema = checked(schema)?;
        let builder = &self.schemas.builder;
        let known = lock(&self.schemas.contexts).get(&schema).cloned();
        if let Some(context) = known {
            let views = builder.views_in(schema);
            return Ok(Self::of(views, context, Arc::clone(&self.schemas)));
        }
        let (views, context) = builder.clone().context(schema)?;
        // If another call was faster, its context is the one that all share.
        let mut contexts = lock(&self.schemas.contexts);
        let context = Arc::clone(contexts.entry(schema).or_insert(context));
        drop(contexts);
        Ok(Self::of(views, context, Arc::clone(&self.schemas)))
    }

    /// Runs [`migrate`](Self::migrate) in one schema after the other. If it fails in one, the others are
    /// migrated all the same.
    ///
    /// ```no_run
    /// # async fn run(blog: fraiseql_runtime::ReadModel, pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// let customers: Vec<String> =
    ///     sqlx::query_scalar("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'customer\\_%'")
    ///         .fetch_all(&pool)
    ///         .await?;
    /// let migrations = blog.migrate_schemas(&pool, &customers).await;
    /// for (schema, error) in migrations.failed() {
    ///     eprintln!("{schema}: {error}");
    /// }
    /// # Ok(()) }
    /// # fn main() {}
    /// ```
    pub async fn migrate_schemas(
        &self,
        pool: &PgPool,
        schemas: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> SchemaMigrations {
        let mut migrations = SchemaMigrations::default();
        for schema in schemas {
            let schema = schema.as_ref();
            let migration = match self.in_schema(schema) {
                Ok(model) => model.migrate(pool).await,
                Err(error) => Err(error),
            };
            migrations.push(schema, migration);
        }
        migrations
    }

    /// Readers for the schema of this read model, for what takes them once: GraphQL root fields.
    ///
    /// ```no_run
    /// # use fraiseql_runtime::{ReadModel, Readers};
    /// # fn run(blog: ReadModel, pool: sqlx::PgPool) -> fraiseql_runtime::Result<()> {
    /// let customer = blog.in_schema("customer_7")?;
    /// let readers = customer.readers(Readers::lending(pool));
    /// // let query = Query::<(Post, User)>::new(readers);
    /// # drop(readers);
    /// # Ok(()) }
    /// # fn main() {}
    /// ```
    pub fn readers(&self, readers: impl Into<Readers>) -> Readers {
        readers.into().in_schema(self.schema())
    }

    /// The schema that stands for `public` in the tables of the views.
    pub(super) fn schema(&self) -> DefaultSchema {
        self.context.index.schema()
    }
}

/// A schema that can exist.
fn checked(name: &str) -> Result<DefaultSchema> {
    let reason = match name {
        "" => "it is empty",
        _ if name.len() > MAX_IDENTIFIER_BYTES => "names in PostgreSQL have at most 63 bytes",
        _ if name.contains('\0') => "it contains a NUL character",
        _ => return Ok(DefaultSchema::named(name)),
    };
    Err(Error::SchemaName {
        name: name.to_owned(),
        reason,
    })
}
