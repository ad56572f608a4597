//! Tests which changes each kind of statement writes.

use super::{blog, changes_of};

#[tokio::test]
async fn a_statement_writes_the_values_of_the_rows_that_it_has_changed() {
    let pool = blog().await;
    for (sql, wanted) in [
        (
            "INSERT INTO tb_user VALUES (4, 'Dan'), (5, 'Eve')",
            &[r#"INSERT tb_user null {"id":[4,5]}"#][..],
        ),
        (
            "INSERT INTO tb_post VALUES (4, 'four', 0, 4), (5, 'five', 0, 4), (6, 'six', 0, NULL)",
            &[r#"INSERT tb_post null {"id":[4,5,6],"author_id":[4]}"#],
        ),
    ] {
        assert_eq!(changes_of(&pool, sql).await, wanted, "{sql}");
    }
}
