//! Tables with a column of a domain that refuses null, which no document shows. The values of a text key have the
//! type of their column, and are read as a row of the table, whose other columns are null.

use fraiseql_runtime::{Capture, Embed, ReadModel, TView};
use fraiseql_tests::run;

#[derive(TView)]
#[allow(dead_code)]
struct City {
    #[tview(key)]
    code: String,
    name: String,
    #[tview(one(fk = "country_code", key = "code"))]
    country: Option<Country>,
}

#[derive(Embed)]
#[tview(table = "tb_country")]
#[allow(dead_code)]
struct Country {
    #[tview(key)]
    code: String,
    name: String,
}

const TABLES: &str = "
    CREATE DOMAIN never AS text NOT NULL;
    CREATE TABLE tb_country (code varchar(3) PRIMARY KEY, name text NOT NULL, other never DEFAULT 'o');
    CREATE TABLE tb_city (other never DEFAULT 'o', code varchar(5) PRIMARY KEY, name text NOT NULL,
        country_code varchar(3) REFERENCES tb_country ON UPDATE CASCADE ON DELETE SET NULL);
    CREATE INDEX ON tb_city (country_code);
    INSERT INTO tb_country (code, name) VALUES ('NZ', 'New Zealand'), ('FR', 'France'), ('X', 'gone');
    INSERT INTO tb_city (code, name, country_code)
    VALUES ('AKL', 'Auckland', 'NZ'), ('PAR', 'Paris', 'FR'), ('LYS', 'Lyon', 'FR'), ('ATL', 'Atlantis', 'X')";

#[tokio::test]
async fn a_column_of_a_domain_that_refuses_null_is_in_the_way_of_no_lookup() -> anyhow::Result<()> {
    for capture in [Capture::Off, Capture::Queue, Capture::AtCommit] {
        let pool = fraiseql_tests::pool().await;
        run(&pool, TABLES).await;
        let model = ReadModel::builder()
            .view::<City>()
            .capture(capture)
            .build()?;
        model.migrate(&pool).await?;
        sync_all_cities(&pool).await?;
        for (sql, code, changed) in [
            (
                "UPDATE tb_country SET name = 'la France' WHERE code = 'FR'",
                "FR",
                2,
            ),
            (
                "UPDATE tb_country SET code = 'NZL' WHERE code = 'NZ'",
                "NZ",
                1,
            ),
            ("DELETE FROM tb_country WHERE code = 'X'", "X", 1),
        ] {
            let mut m = model.mutation(&pool).await?;
            m.changing::<Country>(&[code.to_owned()]).await?;
            sqlx::query(sql).execute(&mut *m).await?;
            let report = m.commit().await?;
            assert_eq!(report.changed(), changed, "{sql}");
            let report = verify_city(&pool).await?;
            assert!(report.is_clean(), "{sql}: {report}");
        }
        if capture != Capture::Off {
            run(
                &pool,
                "UPDATE tb_country SET name = 'France'; DELETE FROM tb_city WHERE code = 'AKL'",
            )
            .await;
            model.worker(&pool).drain().await?;
            assert_eq!(model.changes(&pool).await?.dead, 0);
            let report = verify_city(&pool).await?;
            assert!(report.is_clean(), "{report}");
        }
    }
    Ok(())
}
