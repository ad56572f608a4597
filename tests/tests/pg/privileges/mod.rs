//! Tests that a role with exactly the printed GRANTs can do everything, and that `check` names each
//! of them if it is missing.

use fraiseql_runtime::check::{CheckReport, FindingKind, Remedy};
use fraiseql_runtime::{Embed, ReadModel, SyncLog, SyncToken, TEnum, TView};
use fraiseql_tests::run;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

const TABLES: &str = r#"
CREATE SCHEMA app;
CREATE SCHEMA "The Types";
CREATE SCHEMA stored;
CREATE TYPE "The Types".status AS ENUM ('draft', 'live');
CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL, status "The Types".status NOT NULL,
    author_id int8 NOT NULL REFERENCES tb_user ON DELETE CASCADE);
CREATE INDEX ON tb_post (author_id);
CREATE TABLE tb_comment (id int8 PRIMARY KEY, content text NOT NULL,
    post_id int8 NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    author_id int8 NOT NULL REFERENCES tb_user);
CREATE INDEX ON tb_comment (post_id);
CREATE INDEX ON tb_comment (author_id);
CREATE TABLE app."Label" ("the id" int8 PRIMARY KEY, name text NOT NULL);
CREATE TABLE app.post_label (post_id int8 REFERENCES tb_post ON DELETE CASCADE, label_id int8 REFERENCES app."Label",
    PRIMARY KEY (post_id, label_id));
CREATE INDEX ON app.post_label (label_id);
CREATE TABLE tb_like (id int8 PRIMARY KEY, post_id int8 NOT NULL REFERENCES tb_post ON DELETE CASCADE);
CREATE INDEX ON tb_like (post_id);
INSERT INTO tb_user SELECT i, 'user ' || i FROM generate_series(1, 3) AS i;
INSERT INTO tb_post SELECT i, 'post ' || i, 'live', 1 FROM generate_series(1, 60) AS i;
INSERT INTO tb_comment SELECT i, 'comment', i, 2 FROM generate_series(1, 60) AS i;
INSERT INTO app."Label" VALUES (1, 'new'), (2, 'old');
INSERT INTO app.post_label SELECT i, 1 + i % 2 FROM generate_series(1, 60) AS i;
INSERT INTO tb_like SELECT i, i FROM generate_series(1, 60) AS i;
"#;

#[derive(TView)]
#[tview(view = "stored.tv_post")]
#[allow(dead_code)]
struct Post {
    id: i64,
    #[tview(filter, sort)]
    title: String,
    #[tview(filter)]
    status: Status,
    #[tview(one(fk = "author_id"))]
    author: Author,
    #[tview(many(fk = "post_id"))]
    comments: Vec<Comment>,
    #[tview(many(through(table = "app.post_label", fk = "post_id", to = "label_id")))]
    labels: Vec<Label>,
    #[tview(count(table = "tb_like", fk = "post_id"))]
    likes: i64,
}

#[derive(TEnum)]
#[tview(rename_all = "snake_case")]
#[allow(dead_code)]
enum Status {
    Draft,
    Live,
}

#[derive(Embed)]
#[tview(table = "tb_user")]
#[allow(dead_code)]
struct Author {
    id: i64,
    name: String,
}

#[derive(Embed)]
#[tview(table = "tb_comment")]
#[allow(dead_code)]
struct Comment {
    id: i64,
    content: String,
    #[tview(one(fk = "author_id"))]
    author: Author,
}

#[derive(Embed)]
#[tview(table = "app.Label")]
#[allow(dead_code)]
struct Label {
    #[tview(key, column = "the id")]
    id: i64,
    name: String,
}

#[derive(TView)]
#[allow(dead_code)]
struct User {
    id: i64,
    name: String,
}

fn model(pool: &PgPool) -> ReadModel {
    ReadModel::builder()
        .view::<Post>()
        .view::<User>()
        .sync_log(SyncLog::new(pool.clone()).table("app.batches"))
        .build()
        .unwrap()
}

/// The owner of everything, and a role that may only connect.
struct Roles {
    owner: PgPool,
    role: String,
    pool: PgPool,
}

async fn roles() -> Roles {
    let owner = fraiseql_tests::pool().await;
    run(&owner, TABLES).await;
    // Roles belong to the whole server. A name with a quote has to be quoted.
    let database = owner.connect_options().get_database().unwrap().to_owned();
    let role = format!("the \"app\" of {database}");
    let roles = Roles {
        pool: PgPoolOptions::new()
            .max_connections(3)
            .connect_lazy_with((*owner.connect_options()).clone().username(&role)),
        owner,
        role,
    };
    let quoted = roles.quoted();
    roles
        .execute(&format!(
            "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE {quoted} LOGIN"
        ))
        .await;
    model(&roles.owner).migrate(&roles.owner).await.unwrap();
    roles
}

impl Roles {
    fn quoted(&self) -> String {
        format!("\"{}\"", self.role.replace('"', "\"\""))
    }

    async fn execute(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&self.owner).await;
        done.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }

    async fn drop(self) {
        self.pool.close().await;
        let quoted = self.quoted();
        self.execute(&format!("DROP OWNED BY {quoted}; DROP ROLE {quoted}"))
            .await;
    }
}

async fn check(pool: &PgPool) -> CheckReport {
    fraiseql_tests::without_server(model(pool).check(pool).await.unwrap())
}

#[tokio::test]
async fn a_role_with_exactly_the_printed_grants_can_do_everything() -> anyhow::Result<()> {
    let roles = roles().await;
    let pool = &roles.pool;
    let model = model(pool);
    for grant in &model.grants(&roles.role) {
        roles.execute(grant).await;
    }
    let report = check(pool).await;
    assert_eq!(report.findings().len(), 0, "{report}");
    assert!(model.rebuild(pool).await?.is_complete());
    assert_eq!(
        model.sync_all(pool).await?.of::<Post>().unwrap().unchanged,
        60
    );
    assert!(model.verify(pool).explain(1).repair().await?.is_clean());
    assert_eq!(model.rebuild_status(pool).await?.len(), 2);

    // The owner writes rows, because the printed GRANTs are not about that.
    roles
        .execute("UPDATE tb_post SET title = 'new' WHERE id = 1")
        .await;
    assert_eq!(sync_post(model.on(pool), &[1]).await?.updated, 1);
    roles
        .execute("UPDATE tb_post SET title = 'newer' WHERE id = 1")
        .await;
    let mut tx = pool.begin().await?;
    assert_eq!(sync_post(model.on(&mut tx), &[1]).await?.updated, 1);
    // A sync on a pool beside an open transaction locks rows, too.
    roles
        .execute("UPDATE tb_post SET title = 'newest' WHERE id = 2")
        .await;
    let beside = pool.clone();
    let syncing = tokio::spawn(async move { sync_post(&beside, &[2]).await });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    tx.commit().await?;
    assert_eq!(syncing.await??.updated, 1);
    delete_post(pool, &[3]).await?;

    for sql in [
        "UPDATE tb_user SET name = 'Ada' WHERE id = 1",
        "UPDATE app.\"Label\" SET name = 'hot' WHERE \"the id\" = 1",
        "UPDATE tb_comment SET post_id = 4 WHERE id = 5",
    ] {
        roles.execute(sql).await;
        let mut m = model.mutation(pool).await?;
        m.strict();
        m.changed::<Author>(&[1, 2]);
        m.changed::<Label>(&[1]);
        m.changed::<Comment>(&[5]);
        m.changed_rows("app.post_label", "post_id", &[9_i64])?;
        m.changed_rows("tb_like", "id", &[9_i64])?;
        m.commit().await?;
    }
    // What is left for later.
    roles
        .execute("UPDATE tb_user SET name = 'Countess' WHERE id = 1")
        .await;
    let mut tx = pool.begin().await?;
    assert!(model.defer(&mut tx).changed::<Author>(&[1]).await? > 0);
    let token = SyncToken::current(&mut tx).await?;
    tx.commit().await?;
    assert!(model.worker(pool).drain().await?.updated > 0);
    model.wait_synced(pool, token).await?;
    assert_eq!(model.changes(pool).await?.pending, 0);
    assert_eq!(model.dead_letters(pool).await?, []);

    assert_eq!(Post::list().read(pool).await?.len(), 60);
    assert!(Post::find(pool, 7).await?.is_some());
    let log = SyncLog::new(pool.clone())
        .table("app.batches")
        .keep(std::time::Duration::ZERO);
    assert!(!log.recent(5).await?.is_empty());
    assert!(log.prune().await? > 0);
    sync_all_posts(pool).await?;
    assert!(model.verify(pool).await?.is_clean());

    // Stale documents are built from base tables.
    roles
        .execute("UPDATE stored.tv_post SET shape = 1; TRUNCATE stored.fraiseql_view")
        .await;
    assert!(Post::find(pool, 7).await?.is_some());
    assert!(model.rebuild(pool).await?.is_complete());
    roles.drop().await;
    Ok(())
}

#[tokio::test]
async fn a_role_that_reads_needs_no_more_than_the_printed_grants() -> anyhow::Result<()> {
    let roles = roles().await;
    model(&roles.owner).rebuild(&roles.owner).await?;
    for grant in model(&roles.pool).read_grants(&roles.role) {
        assert!(
            grant.starts_with("GRANT SELECT ON") || grant.starts_with("GRANT USAGE"),
            "{grant}"
        );
        roles.execute(&grant).await;
    }
    assert_eq!(Post::list().read(&roles.pool).await?.len(), 60);
    assert!(Post::find(&roles.pool, 7).await?.is_some());
    roles.execute("UPDATE stored.tv_post SET shape = 1").await;
    assert!(Post::find(&roles.pool, 7).await?.is_some());
    assert_eq!(Post::list().read(&roles.pool).await?.len(), 60);
    assert!(sync_post(&roles.pool, &[1]).await.is_err());
    roles.drop().await;
    Ok(())
}

/// Each privilege of the list alone is missing: `check` has one finding, whose remedy gives it back.
#[tokio::test]
async fn check_names_each_of_the_printed_grants_that_is_missing() -> anyhow::Result<()> {
    let roles = roles().await;
    let model = model(&roles.pool);
    model.rebuild(&roles.owner).await?;
    let grants = model.grants(&roles.role);
    for grant in &grants {
        roles.execute(grant).await;
    }
    // By default, everybody may execute a function.
    roles
        .execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public, stored FROM PUBLIC")
        .await;
    assert_eq!(check(&roles.pool).await.findings().len(), 0);
    let mut tried = 0;
    for grant in &grants {
        let (privileges, rest) = grant["GRANT ".len()..].split_once(" ON ").unwrap();
        for privilege in privileges.split(", ") {
            let revoke = format!("REVOKE {privilege} ON {}", rest.replace(" TO ", " FROM "));
            roles.execute(&revoke).await;
            let report = check(&roles.pool).await;
            let [finding] = report.findings() else {
                panic!("not one finding after {revoke}\n{report}");
            };
            assert!(
                matches!(
                    finding.kind,
                    FindingKind::Privilege | FindingKind::LockPrivilege
                ),
                "{revoke}\n{report}"
            );
            let [Remedy::Sql(sql)] = finding.remedies.as_slice() else {
                panic!("{report}");
            };
            roles.execute(sql).await;
            let report = check(&roles.pool).await;
            assert_eq!(report.findings().len(), 0, "after {sql}\n{report}");
            tried += 1;
        }
    }
    // Schemas, base tables, locks, view tables, the tables of rebuilds, the log, the change table, functions.
    assert_eq!(tried, 3 + 6 + 5 + 2 * 4 + 2 * 3 + 4 + 4 + (2 * 3 + 5));
    roles.drop().await;
    Ok(())
}

#[tokio::test]
async fn check_names_privileges_that_the_structs_do_not_have() -> anyhow::Result<()> {
    #[derive(TView)]
    #[tview(
        table = "tb_user",
        view = "tv_shout",
        entity = "shout",
        filter = "{}.id > app.zero()"
    )]
    #[allow(dead_code)]
    struct Shout {
        id: i64,
        #[tview(expr = "app.shout({}.name)")]
        name: String,
    }

    let roles = roles().await;
    roles
        .execute(
            "CREATE FUNCTION app.shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
             CREATE FUNCTION app.zero() RETURNS int8 LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 0; END';
             REVOKE ALL ON FUNCTION app.shout, app.zero FROM PUBLIC;
             CREATE TABLE app.invoice (id int8 PRIMARY KEY, user_id int8 REFERENCES tb_user ON DELETE CASCADE);
             CREATE TABLE app.line (id int8 PRIMARY KEY, invoice_id int8 REFERENCES app.invoice ON DELETE CASCADE)",
        )
        .await;
    let model = ReadModel::builder().view::<Shout>().build()?;
    model.migrate(&roles.owner).await?;
    for grant in &model.grants(&roles.role) {
        roles.execute(grant).await;
    }
    let quoted = roles.quoted();
    for (missing, repair) in [
        (
            "the schema `app`",
            format!("GRANT USAGE ON SCHEMA app TO {quoted}"),
        ),
        (
            "permission denied for function shout",
            format!("GRANT EXECUTE ON FUNCTION app.shout TO {quoted}"),
        ),
        (
            "permission denied for function zero",
            format!("GRANT EXECUTE ON FUNCTION app.zero TO {quoted}"),
        ),
        (
            "may not read \"app\".\"invoice\"",
            format!("GRANT SELECT ON app.invoice TO {quoted}"),
        ),
        (
            "may not read \"public\".\"tb_post\"",
            format!("GRANT SELECT ON tb_post TO {quoted}"),
        ),
    ] {
        let report = model.check(&roles.pool).await?;
        assert!(report.to_string().contains(missing), "{missing}: {report}");
        roles.execute(&repair).await;
    }
    let report = fraiseql_tests::without_server(model.check(&roles.pool).await?);
    assert_eq!(report.findings().len(), 0, "{report}");
    assert!(model.rebuild(&roles.pool).await?.is_complete());
    roles.drop().await;
    Ok(())
}
