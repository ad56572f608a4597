//! Tests that columns are compared by the operators of their types, also where a session's
//! `search_path` does not have the schema of these.

use fraiseql_runtime::{Embed, ReadModel, TView};
use fraiseql_tests::run;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// `citext` is in a schema of its own, as on many managed servers.
const TABLES: &str = "
CREATE SCHEMA extensions;
CREATE EXTENSION citext SCHEMA extensions;
CREATE DOMAIN handle AS extensions.citext;
CREATE TABLE tb_account (handle handle PRIMARY KEY, name text NOT NULL,
    email extensions.citext NOT NULL);
CREATE TABLE tb_note (id int4 PRIMARY KEY, author extensions.citext NOT NULL REFERENCES tb_account,
    text text NOT NULL);
CREATE TABLE tb_tag (name extensions.citext PRIMARY KEY);
CREATE TABLE tb_note_tag (note_id int4 REFERENCES tb_note, tag extensions.citext REFERENCES tb_tag,
    PRIMARY KEY (note_id, tag));
INSERT INTO tb_account VALUES ('Ada', 'Ada Lovelace', 'ADA@example.org');
INSERT INTO tb_note VALUES (1, 'ADA', 'one'), (2, 'ada', 'two');
INSERT INTO tb_tag VALUES ('Rust');
INSERT INTO tb_note_tag VALUES (1, 'RUST'), (2, 'rust');
";

#[derive(Debug, PartialEq, TView)]
#[tview(table = "tb_note", entity = "note")]
struct Note {
    id: i32,
    text: String,
    #[tview(one(fk = "author"))]
    author: Option<Author>,
    #[tview(many(through(table = "tb_note_tag", fk = "note_id", to = "tag")))]
    tags: Vec<Tag>,
}

#[derive(Debug, PartialEq, Embed)]
#[tview(table = "tb_account")]
struct Author {
    #[tview(key)]
    handle: String,
    name: String,
    #[tview(expr = "{}.email = 'ada@EXAMPLE.org'")]
    is_ada: bool,
}

#[derive(Debug, PartialEq, Embed)]
#[tview(table = "tb_tag")]
struct Tag {
    #[tview(key)]
    name: String,
}

#[derive(Debug, PartialEq, TView)]
#[tview(table = "tb_account", entity = "account")]
struct Account {
    #[tview(key)]
    handle: String,
    name: String,
    #[tview(many(fk = "author"))]
    notes: Vec<Text>,
    #[tview(count(table = "tb_note", fk = "author", filter = "{}.author = 'aDa'"))]
    count: i64,
}

#[derive(Debug, PartialEq, Embed)]
#[tview(table = "tb_note")]
struct Text {
    id: i32,
    text: String,
}

const SESSIONS: [&str; 5] = [
    "SET search_path = public",
    "SET search_path = ''",
    "SET search_path = public, extensions",
    "SET search_path = extensions, public; SET TimeZone = 'Asia/Tokyo'",
    "SET TimeZone = 'Asia/Tokyo'",
];

fn ada() -> [String; 1] {
    ["Ada".to_owned()]
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Note>()
        .view::<Account>()
        .build()
        .unwrap()
}

async fn world() -> PgPool {
    fraiseql_tests::needs_sessions();
    let pool = fraiseql_tests::pool().await;
    run(&pool, TABLES).await;
    model().migrate(&pool).await.unwrap();
    pool
}

async fn session(pool: &PgPool, settings: &'static str) -> PgPool {
    PgPoolOptions::new()
        .max_connections(2)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(settings).execute(connection).await?;
                Ok(())
            })
        })
        .connect_with((*pool.connect_options()).clone())
        .await
        .unwrap()
}

async fn assert_right(pool: &PgPool, name: &str, context: &str) {
    for (key, text) in [(1, "one"), (2, "two")] {
        let note = Note::find(pool, key).await.unwrap();
        let expected = Note {
            id: key,
            text: text.to_owned(),
            author: Some(Author {
                handle: "Ada".to_owned(),
                name: name.to_owned(),
                is_ada: true,
            }),
            tags: vec![Tag {
                name: "Rust".to_owned(),
            }],
        };
        assert_eq!(note, Some(expected), "{context}");
    }
    let account = Account::find(pool, "Ada".to_owned())
        .await
        .unwrap()
        .expect(context);
    assert_eq!((account.notes.len(), account.count), (2, 2), "{context}");
    assert_eq!(account.name, name);
}

#[tokio::test]
async fn keys_of_a_type_of_another_schema_find_their_rows_in_all_sessions() -> anyhow::Result<()> {
    let pool = world().await;
    for settings in SESSIONS {
        let odd = session(&pool, settings).await;
        sync_note(&odd, &[1, 2]).await?;
        sync_account(&odd, &ada()).await?;
        assert_right(&pool, "Ada Lovelace", &format!("pool: {settings}")).await;
        run(&pool, "TRUNCATE tv_note, tv_account").await;

        let mut transaction = odd.begin().await?;
        sync_note(&mut transaction, &[1, 2]).await?;
        sync_account(&mut transaction, &ada()).await?;
        transaction.commit().await?;
        assert_right(&pool, "Ada Lovelace", &format!("transaction: {settings}")).await;
        run(&pool, "TRUNCATE tv_note, tv_account").await;

        sync_all_notes(&odd).await?;
        sync_all_accounts(&odd).await?;
        assert_right(&pool, "Ada Lovelace", &format!("full: {settings}")).await;

        let reports = model().verify(&odd).await?;
        assert!(reports.is_clean(), "{settings}\n{reports}");

        run(&pool, "UPDATE tv_note SET shape = 0, data = '{}'").await;
        assert_right(&odd, "Ada Lovelace", &format!("stale: {settings}")).await;
        run(&pool, "TRUNCATE tv_note, tv_account").await;
        odd.close().await;
    }
    Ok(())
}
#[tokio::test]
async fn a_mutation_finds_documents_by_keys_of_a_type_of_another_schema() -> anyhow::Result<()> {
    let pool = world().await;
    sync_all_notes(&pool).await?;
    sync_all_accounts(&pool).await?;
    for (number, settings) in SESSIONS.into_iter().enumerate() {
        let odd = session(&pool, settings).await;
        let name = format!("Ada {number}");
        let mut mutation = model().mutation(&odd).await?;
        sqlx::query("UPDATE public.tb_account SET name = $1")
            .bind(&name)
            .execute(&mut *mutation)
            .await?;
        mutation.changed::<Account>(&ada());
        mutation.commit().await?;
        assert_right(&pool, &name, settings).await;
        let found = model().dependents::<Account>(&odd, &ada()).await?;
        assert_eq!(found.keys::<Note>(), [1, 2], "{settings}");
        assert_eq!(found.keys::<Account>(), ada(), "{settings}");
        odd.close().await;
    }
    Ok(())
}
