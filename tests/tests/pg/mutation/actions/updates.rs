//! What `ON UPDATE` does to other rows.

use super::*;

#[derive(TView)]
#[allow(dead_code)]
struct Country {
    #[tview(key)]
    code: String,
    #[tview(count(table = "tb_shop", fk = "country"))]
    shops: i64,
}

#[derive(TView)]
#[allow(dead_code)]
struct Shop {
    id: i64,
    country: Option<String>,
}

fn model() -> ReadModel {
    ReadModel::builder()
        .view::<Country>()
        .view::<Shop>()
        .build()
        .unwrap()
}

fn tables(country: &str) -> String {
    format!(
        "CREATE TABLE tb_country (code text PRIMARY KEY);
         INSERT INTO tb_country VALUES ('GB'), ('FR'), ('XX');
         CREATE TABLE tb_shop (id int8 PRIMARY KEY, country text {country});
         CREATE INDEX ON tb_shop (country);
         INSERT INTO tb_shop VALUES (1, 'GB'), (2, 'GB'), (3, 'FR')"
    )
}

async fn holds_after_an_update(country: &str) {
    let model = model();
    let pool = filled(&tables(country), &model).await;
    let report = correct_after(
        &model,
        &pool,
        "UPDATE tb_country SET code = 'UK' WHERE code = 'GB'",
        |m| m.changed::<Country>(&["GB".to_owned(), "UK".to_owned()]),
    )
    .await;
    assert_eq!(report.of::<Shop>().unwrap().updated, 2, "{report}");
}

#[tokio::test]
async fn cascade_is_followed_beside_any_action_on_delete() {
    for on_delete in ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL"] {
        holds_after_an_update(&format!(
            "REFERENCES tb_country ON UPDATE CASCADE ON DELETE {on_delete}"
        ))
        .await;
    }
}

#[tokio::test]
async fn set_null_is_followed() {
    holds_after_an_update("REFERENCES tb_country ON UPDATE SET NULL").await;
}

#[tokio::test]
async fn set_default_is_followed() {
    holds_after_an_update("DEFAULT 'XX' REFERENCES tb_country ON UPDATE SET DEFAULT").await;
}

/// The row keeps its key, by which it is marked.
#[tokio::test]
async fn a_key_onto_another_unique_column_is_followed() {
    #[derive(TView)]
    #[tview(table = "tb_country")]
    #[allow(dead_code)]
    struct Land {
        id: i64,
        code: String,
        #[tview(count(table = "tb_shop", fk = "country", key = "code"))]
        shops: i64,
    }
    let model = ReadModel::builder()
        .view::<Land>()
        .view::<Shop>()
        .build()
        .unwrap();
    for action in [
        "ON UPDATE CASCADE",
        "ON UPDATE SET NULL",
        "ON UPDATE CASCADE ON DELETE CASCADE",
    ] {
        let tables = format!(
            "CREATE TABLE tb_country (id int8 PRIMARY KEY, code text NOT NULL UNIQUE,
                 note text NOT NULL DEFAULT '');
             INSERT INTO tb_country VALUES (1, 'GB'), (2, 'FR');
             CREATE TABLE tb_shop (id int8 PRIMARY KEY,
                 country text REFERENCES tb_country (code) {action});
             CREATE INDEX ON tb_shop (country);
             INSERT INTO tb_shop VALUES (1, 'GB'), (2, 'GB'), (3, 'FR')"
        );
        let pool = filled(&tables, &model).await;
        let report = correct_after(
            &model,
            &pool,
            "UPDATE tb_country SET code = 'UK' WHERE id = 1",
            |m| m.changed::<Land>(&[1]),
        )
        .await;
        assert_eq!(report.of::<Shop>().unwrap().updated, 2, "{report}");
        // A change of another column does nothing to the shops.
        let report = correct_after(
            &model,
            &pool,
            "UPDATE tb_country SET note = 'x' WHERE id = 1",
            |m| m.changed::<Land>(&[1]),
        )
        .await;
        assert!(report.of::<Shop>().is_none(), "{report}");
    }
}

/// Natural keys: each table repeats the columns of the one above.
#[tokio::test]
async fn a_chain_of_keys_of_several_columns_is_followed() {
    #[derive(TView)]
    #[allow(dead_code)]
    struct City {
        id: i64,
        country: String,
        region: String,
    }
    let model = ReadModel::builder()
        .view::<Country>()
        .view::<City>()
        .build()
        .unwrap();
    let pool = filled(
        "CREATE TABLE tb_country (code text PRIMARY KEY);
         CREATE TABLE tb_shop (id int8 PRIMARY KEY, country text);
         CREATE INDEX ON tb_shop (country);
         CREATE TABLE tb_region (country text REFERENCES tb_country ON UPDATE CASCADE,
             code text, PRIMARY KEY (country, code));
         CREATE TABLE tb_city (id int8 PRIMARY KEY, country text NOT NULL, region text NOT NULL,
             FOREIGN KEY (country, region) REFERENCES tb_region ON UPDATE CASCADE);
         INSERT INTO tb_country VALUES ('GB'), ('FR');
         INSERT INTO tb_region VALUES ('GB', 'N'), ('FR', 'N');
         INSERT INTO tb_city VALUES (1, 'GB', 'N'), (2, 'FR', 'N')",
        &model,
    )
    .await;
    let report = correct_after(
        &model,
        &pool,
        "UPDATE tb_country SET code = 'UK' WHERE code = 'GB'",
        |m| m.changed::<Country>(&["GB".to_owned(), "UK".to_owned()]),
    )
    .await;
    assert_eq!(report.of::<City>().unwrap().total(), 1, "{report}");
}
