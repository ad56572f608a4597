//! Names that are keywords, structs in function bodies, restricted visibility.

mod blog {
    pub(super) mod posts {
        use fraiseql_runtime::{Embed, TView};

        #[derive(TView)]
        #[tview(entity = "match")]
        pub(super) struct Post {
            pub(super) id: i64,
            #[tview(filter, sort)]
            r#type: String,
            #[tview(json = "while")]
            r#loop: Option<i32>,
            #[tview(one(fk = "author_id"))]
            r#ref: r#Author,
        }

        #[derive(Embed)]
        pub(in crate::blog) struct r#Author {
            pub(super) id: i64,
            r#fn: String,
        }
    }

    pub(super) async fn refresh(pool: &sqlx::PgPool) -> fraiseql_runtime::Result<()> {
        use fraiseql_runtime::TView;

        posts::sync_match(pool, &[1]).await?;
        let post = posts::Post::find(pool, 1).await?;
        let _: Option<i64> = post.map(|post| post.id);
        Ok(())
    }

    pub(super) fn keys() -> Vec<&'static str> {
        let shape = <posts::Post as fraiseql_runtime::Embed>::SHAPE;
        shape.fields.iter().map(|field| field.json).collect()
    }
}

#[allow(non_camel_case_types)]
#[derive(fraiseql_runtime::TView)]
struct r#struct {
    id: i64,
    other: Alias,
}

type Alias = bool;

fn main() {
    #[derive(fraiseql_runtime::Embed)]
    struct Local {
        id: i64,
    }

    #[derive(fraiseql_runtime::TView)]
    struct Outer {
        id: i64,
        #[tview(one(fk = "local_id"))]
        local: Local,
    }

    let _ = blog::refresh;
    let _ = |pool: &'static sqlx::PgPool| (sync_outer(pool, &[1]), sync_struct(pool, &[1]));
    assert_eq!(blog::keys(), ["id", "type", "while", "ref"]);
}
