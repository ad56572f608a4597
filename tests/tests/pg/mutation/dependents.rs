//! Tests that all documents that depend on a changed row are found, before the change or after it.
//!
//! The oracle: any row of any table is changed, and every document is built anew and compared.

use std::collections::BTreeMap;

use fraiseql_runtime::{Dependents, Embed, Key, ReadModel, TScalar, TView};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, Row};
use uuid::Uuid;

/// A company: keys of all types, and tables in two schemas.
const TABLES: &str = r#"
CREATE SCHEMA "H R";
CREATE TABLE "H R"."tb Staff" (
    id int8 PRIMARY KEY, badge text UNIQUE, name text NOT NULL, manager_id int4, country text);
CREATE TABLE tb_country (code text PRIMARY KEY, name text NOT NULL, currency uuid);
CREATE TABLE tb_currency (id uuid PRIMARY KEY, sign text NOT NULL);
CREATE TABLE tb_project (id int2 PRIMARY KEY, title text NOT NULL, lead_badge text);
CREATE TABLE tb_task (id int8 PRIMARY KEY, project_id int8, assignee int4, hours int4 NOT NULL, done boolean NOT NULL);
CREATE TABLE tb_skill (id int4 PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_staff_skill (badge text, skill_id int8, level int4 NOT NULL, id int4 PRIMARY KEY);
"#;

#[derive(TScalar)]
struct StaffId(i64);

/// Shallow and deep, by keys and by a column that is none.
#[derive(TView)]
#[tview(
    table = "H R.tb Staff",
    view = "H R.tv Staff",
    filter = "name <> 'hidden'"
)]
struct Staff {
    id: StaffId,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Manager>,
    #[tview(many(fk = "manager_id", order_by = "name DESC", limit = 2))]
    reports: Vec<Colleague>,
    #[tview(one(fk = "country"))]
    country: Option<Country>,
    #[tview(many(
        through(table = "tb_staff_skill", fk = "badge", to = "skill_id"),
        key = "badge"
    ))]
    skills: Vec<Skill>,
    #[tview(many(fk = "assignee", filter = "NOT done"))]
    open: Vec<Task>,
    #[tview(sum(table = "tb_task", fk = "assignee", expr = "{}.hours", filter = "done"))]
    hours: i64,
    #[tview(exists(table = "tb_project", fk = "lead_badge", key = "badge"))]
    leads: bool,
    #[tview(max(
        table = "tb_staff_skill",
        fk = "badge",
        key = "badge",
        expr = "{}.level"
    ))]
    level: Option<i32>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
struct Manager {
    id: i64,
    name: String,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Colleague>,
    #[tview(one(fk = "country"))]
    country: Option<Country>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
struct Colleague {
    id: i64,
    name: String,
    #[tview(avg(table = "tb_task", fk = "assignee", expr = "{}.hours"))]
    mean: Option<f64>,
}

#[derive(Embed)]
struct Country {
    #[tview(key)]
    code: String,
    name: String,
    #[tview(one(fk = "currency"))]
    currency: Option<Currency>,
}

#[derive(Embed)]
struct Currency {
    id: Uuid,
    sign: String,
}

#[derive(Embed)]
struct Skill {
    id: i32,
    name: String,
}

#[derive(Embed)]
struct Task {
    id: i64,
    hours: i32,
    #[tview(one(fk = "project_id"))]
    project: Option<ProjectTitle>,
}

#[derive(Embed)]
#[tview(table = "tb_project")]
struct ProjectTitle {
    id: i16,
    title: String,
    #[tview(one(fk = "lead_badge", key = "badge"))]
    lead: Option<Named>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
struct Named {
    id: i64,
    name: String,
    #[tview(one(fk = "country"))]
    country: Option<Country>,
}

/// A small key, which larger foreign keys refer to.
#[derive(TView)]
#[tview(data = "json")]
struct Project {
    id: i16,
    title: String,
    #[tview(one(fk = "lead_badge", key = "badge"))]
    lead: Option<Named>,
    #[tview(many(fk = "project_id", order_by = "hours", limit = 2))]
    tasks: Vec<ProjectTask>,
    #[tview(count(table = "tb_task", fk = "project_id", filter = "done"))]
    done: i64,
    #[tview(min(table = "tb_task", fk = "project_id", expr = "{}.hours"))]
    least: Option<i32>,
}

#[derive(Embed)]
#[tview(table = "tb_task")]
struct ProjectTask {
    id: i64,
    #[tview(one(fk = "assignee"))]
    assignee: Option<Skilled>,
}

#[derive(Embed)]
#[tview(table = "H R.tb Staff")]
struct Skilled {
    id: i64,
    name: String,
    #[tview(many(
        through(table = "tb_staff_skill", fk = "badge", to = "skill_id"),
        key = "badge"
    ))]
    skills: Vec<Skill>,
    #[tview(one(fk = "manager_id"))]
    manager: Option<Colleague>,
}

/// A text key, and a list by another column than that.
#[derive(TView)]
#[tview(table = "tb_country", view = "tv_country")]
struct CountryView {
    #[tview(key)]
    code: String,
    #[tview(one(fk = "currency"))]
    currency: Option<Currency>,
    #[tview(many(fk = "country"))]
    staff: Vec<Skilled>,
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Staff>()
        .view::<Project>()
        .view::<CountryView>()
        .build()
        .unwrap()
}

/// A generator of numbers: the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// A value of 1 to `sides`, or null.
    fn maybe(&mut self, sides: u64) -> String {
        match self.below(sides + 1) {
            0 => "NULL".to_owned(),
            n => n.to_string(),
        }
    }

    fn badge(&mut self) -> String {
        match self.below(7) {
            0 => "NULL".to_owned(),
            n => format!("'b{n}'"),
        }
    }

    fn country(&mut self) -> String {
        (*self.pick(&["NULL", "'DE'", "'FR'", "'JP'"])).to_owned()
    }

    fn currency(&mut self) -> String {
        match self.below(3) {
            0 => "NULL".to_owned(),
            n => format!("'00000000-0000-0000-0000-00000000000{n}'"),
        }
    }

    fn bool(&mut self) -> &'static str {
        if self.below(2) == 0 { "true" } else { "false" }
    }

    fn name(&mut self) -> String {
        match self.below(6) {
            0 => "'hidden'".to_owned(),
            n => format!("'name {n}'"),
        }
    }
}

const CODES: [&str; 3] = ["DE", "FR", "JP"];

/// A table, the columns that can change with a value for each, and a key of a row.
fn change(dice: &mut Dice) -> (&'static str, &'static str, String, String) {
    match dice.below(7) {
        0 => {
            let set = match dice.below(5) {
                0 => format!("name = {}", dice.name()),
                1 => format!("manager_id = {}", dice.maybe(6)),
                2 => format!("country = {}", dice.country()),
                // A badge is unique.
                3 => "badge = NULL".to_owned(),
                _ => format!("badge = 'b{}x'", dice.below(1000)),
            };
            (
                "\"H R\".\"tb Staff\"",
                "id",
                (dice.below(6) + 1).to_string(),
                set,
            )
        }
        1 => {
            let set = match dice.below(2) {
                0 => format!("name = {}", dice.name()),
                _ => format!("currency = {}", dice.currency()),
            };
            ("tb_country", "code", (*dice.pick(&CODES)).to_owned(), set)
        }
        2 => {
            let key = format!("00000000-0000-0000-0000-00000000000{}", dice.below(2) + 1);
            (
                "tb_currency",
                "id",
                key,
                format!("sign = 's{}'", dice.below(9)),
            )
        }
        3 => {
            let set = match dice.below(2) {
                0 => format!("title = {}", dice.name()),
                _ => format!("lead_badge = {}", dice.badge()),
            };
            ("tb_project", "id", (dice.below(4) + 1).to_string(), set)
        }
        4 => {
            let set = match dice.below(4) {
                0 => format!("project_id = {}", dice.maybe(4)),
                1 => format!("assignee = {}", dice.maybe(6)),
                2 => format!("hours = {}", dice.below(50)),
                _ => format!("done = {}", dice.bool()),
            };
            ("tb_task", "id", (dice.below(12) + 1).to_string(), set)
        }
        5 => (
            "tb_skill",
            "id",
            (dice.below(3) + 1).to_string(),
            format!("name = {}", dice.name()),
        ),
        _ => {
            let set = match dice.below(3) {
                0 => format!("badge = {}", dice.badge()),
                1 => format!("skill_id = {}", dice.maybe(3)),
                _ => format!("level = {}", dice.below(9)),
            };
            (
                "tb_staff_skill",
                "id",
                (dice.below(10) + 1).to_string(),
                set,
            )
        }
    }
}

/// Rows for all tables.
async fn fill(pool: &PgPool, dice: &mut Dice) -> anyhow::Result<()> {
    let mut sql = vec![
        "TRUNCATE \"H R\".\"tb Staff\", tb_country, tb_currency, tb_project, tb_task, tb_skill, tb_staff_skill".to_owned(),
        "INSERT INTO tb_currency SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 's' FROM generate_series(1, 2) AS n".to_owned(),
        "INSERT INTO tb_skill SELECT n, 'skill' || n FROM generate_series(1, 3) AS n".to_owned(),
    ];
    for code in CODES {
        sql.push(format!(
            "INSERT INTO tb_country VALUES ('{code}', 'country', {})",
            dice.currency()
        ));
    }
    for id in 1..=6 {
        let (name, manager, country) = (dice.name(), dice.maybe(6), dice.country());
        sql.push(format!(
            "INSERT INTO \"H R\".\"tb Staff\" VALUES ({id}, 'b{id}', {name}, {manager}, {country})"
        ));
    }
    for id in 1..=4 {
        sql.push(format!(
            "INSERT INTO tb_project VALUES ({id}, 'title', {})",
            dice.badge()
        ));
    }
    for id in 1..=12 {
        let (project, assignee, hours) = (dice.maybe(4), dice.maybe(6), dice.below(50));
        sql.push(format!(
            "INSERT INTO tb_task VALUES ({id}, {project}, {assignee}, {hours}, {})",
            dice.bool()
        ));
    }
    for id in 1..=10 {
        let (badge, skill, level) = (dice.badge(), dice.maybe(3), dice.below(9));
        sql.push(format!(
            "INSERT INTO tb_staff_skill VALUES ({badge}, {skill}, {level}, {id})"
        ));
    }
    // No small key: it is in no document.
    sql.push("INSERT INTO tb_task VALUES (13, 70000, 1, 1, false)".to_owned());
    sqlx::raw_sql(AssertSqlSafe(sql.join(";")))
        .execute(pool)
        .await?;
    Ok(())
}

/// Every document as it is built now, by the query that builds them and by nothing else.
async fn documents(pool: &PgPool) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut documents = BTreeMap::new();
    for view in model().views() {
        let sql = fraiseql_runtime::sql::document::query(view);
        let keys = format!(
            "SELECT array_agg({}) FROM {}",
            quoted(view.key.column),
            view.shape.table
        );
        let sql = sql.replace("$1", &format!("({keys})"));
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await? {
            let data: Value = row.try_get("data")?;
            let key = &data[view.shape.fields[0].json];
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            documents.insert(format!("{} {key}", view.shape.name), data);
        }
    }
    Ok(documents)
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The keys that were found, as those of [`documents`].
fn named(dependents: &Dependents) -> Vec<String> {
    let mut names = Vec::new();
    names.extend(
        dependents
            .keys::<Staff>()
            .iter()
            .map(|key| format!("Staff {}", key.0)),
    );
    names.extend(
        dependents
            .keys::<Project>()
            .iter()
            .map(|key| format!("Project {key}")),
    );
    names.extend(
        dependents
            .keys::<CountryView>()
            .iter()
            .map(|key| format!("CountryView {key}")),
    );
    assert_eq!(names.len(), dependents.len());
    names
}

async fn look_up(
    blog: &ReadModel,
    pool: &PgPool,
    (table, column, key): (&str, &str, &str),
) -> fraiseql_runtime::Result<Dependents> {
    async fn of<K: Key>(
        blog: &ReadModel,
        pool: &PgPool,
        table: &str,
        column: &str,
        key: K,
    ) -> fraiseql_runtime::Result<Dependents> {
        blog.dependents_of_rows(pool, table, column, &[key]).await
    }
    if let Ok(number) = key.parse::<i32>() {
        of(blog, pool, table, column, number).await
    } else if let Ok(id) = key.parse::<Uuid>() {
        of(blog, pool, table, column, id).await
    } else {
        of(blog, pool, table, column, key.to_owned()).await
    }
}

#[tokio::test]
async fn every_document_that_changes_is_found() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let blog = model();
    let mut dice = Dice(7);
    // By table: how many documents changed, and how many more were found.
    let mut seen: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for round in 0..400 {
        if round % 25 == 0 {
            fill(&pool, &mut dice).await?;
        }
        let (table, column, key, set) = change(&mut dice);
        let target = (table, column, key.as_str());
        let sql = match dice.below(8) {
            0 => format!("DELETE FROM {table} WHERE {column} = '{key}'"),
            _ => format!("UPDATE {table} SET {set} WHERE {column} = '{key}'"),
        };
        let before = documents(&pool).await?;
        let mut found = look_up(&blog, &pool, target).await?;
        sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .execute(&pool)
            .await?;
        let after = documents(&pool).await?;
        found.extend(look_up(&blog, &pool, target).await?);
        let found = named(&found);
        let changed: Vec<&String> = before
            .keys()
            .chain(after.keys().filter(|key| !before.contains_key(*key)))
            .filter(|key| before.get(*key) != after.get(*key))
            .collect();
        for key in &changed {
            assert!(
                found.contains(key),
                "{sql}\nchanged {key}, found {found:?}\n{blog:?}"
            );
        }
        let seen = seen.entry(table).or_default();
        seen.0 += changed.len();
        seen.1 += found.len() - changed.len();
    }
    assert_eq!(seen.len(), 7, "every table: {seen:?}");
    let (changed, more) = seen
        .values()
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(seen.values().all(|seen| seen.0 > 3), "{seen:?}");
    // What is found and has not changed is little, or all would be an answer.
    assert!(more < changed * 3, "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn dependents_are_in_one_order_and_can_be_united() -> anyhow::Result<()> {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    fraiseql_tests::run(
        &pool,
        "INSERT INTO \"H R\".\"tb Staff\" VALUES (1, 'b1', 'Ada', NULL, 'DE'), (2, 'b2', 'Bob', 1, 'FR'), (30, 'b3', 'Cy', 2, 'DE');
         INSERT INTO tb_project VALUES (5, 'title', 'b2');
         INSERT INTO tb_task VALUES (1, 70005, 2, 1, false), (2, 5, 2, 1, false)",
    )
    .await;
    let blog = model();
    let mut connection = pool.acquire().await?;
    let mut dependents = blog
        .dependents::<Staff>(&mut *connection, &[StaffId(2)])
        .await?;
    let listed = |dependents: &Dependents| -> Vec<String> {
        dependents
            .iter()
            .map(|(view, keys)| format!("{} {keys}", view.table))
            .collect()
    };
    assert_eq!(
        listed(&dependents),
        [
            "\"H R\".\"tv Staff\" 1, 2, 30",
            "\"public\".\"tv_country\" DE, FR",
            "\"public\".\"tv_project\" 5",
        ]
    );
    // 70005 is no int2, so it is the key of no project.
    assert_eq!(dependents.len(), 6);
    dependents.extend(
        blog.dependents::<Country>(&pool, &["DE".to_owned(), "XX".to_owned()])
            .await?,
    );
    assert_eq!(dependents.keys::<CountryView>(), ["DE", "FR", "XX"]);
    assert!(blog.dependents::<Staff>(&pool, &[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_lookup_that_fails_says_what_it_was_for() {
    let pool = fraiseql_tests::pool().await;
    fraiseql_tests::run(&pool, TABLES).await;
    let blog = model();
    let error = blog
        .dependents_of_rows(&pool, "tb_task", "asignee", &[1])
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with(
            "looking for the documents that depend on rows of \"public\".\"tb_task\" by tb_task.asignee: "
        ),
        "{error}"
    );
    let error = blog
        .dependents_of_rows(&pool, "tb_tsak", "id", &[1])
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("`tb_tsak`; did you mean `tb_task`?"),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_of_no_document_has_no_dependents() -> anyhow::Result<()> {
    #[derive(Embed)]
    struct Nowhere {
        id: i64,
    }
    // There is no such table, so it is not asked for.
    let pool = fraiseql_tests::pool().await;
    assert!(model().dependents::<Nowhere>(&pool, &[1]).await?.is_empty());
    let _ = |nowhere: Nowhere| nowhere.id;
    Ok(())
}
