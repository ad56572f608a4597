//! Tests that a read model refuses views that would share a table, an index or a partition.

use fraiseql_runtime::{Error, ReadModel, TView};

mod first {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "notes")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub(crate) id: i64,
        pub(crate) title: String,
    }
}

mod second {
    #[derive(fraiseql_runtime::TView)]
    #[tview(table = "notes")]
    #[allow(dead_code)]
    pub(crate) struct Note {
        pub(crate) id: i64,
        #[tview(filter, sort)]
        pub(crate) title: String,
        #[tview(sort)]
        pub(crate) stars: Option<i32>,
    }
}

#[test]
fn two_views_cannot_share_a_view_table() {
    let error = ReadModel::builder()
        .view::<first::Note>()
        .view::<second::Note>()
        .build()
        .unwrap_err();
    assert!(matches!(error, Error::DuplicateView { .. }));
    assert!(
        error.to_string().contains("\"public\".\"tv_note\""),
        "{error}"
    );
}

#[test]
fn two_views_cannot_share_a_name_of_an_index_or_a_partition() {
    #[derive(TView)]
    #[tview(table = "notes", view = "tv_other", entity = "other")]
    #[tview(index(on = "id", name = "tv_note_title_idx"))]
    #[allow(dead_code)]
    struct Other {
        id: i64,
    }

    #[derive(TView)]
    #[tview(table = "notes", view = "tv", partition(hash = 2))]
    #[allow(dead_code)]
    struct Divided {
        id: i64,
    }

    #[derive(TView)]
    #[tview(table = "notes", view = "tv_p1")]
    #[allow(dead_code)]
    struct Part {
        id: i64,
    }

    let error = ReadModel::builder()
        .view::<second::Note>()
        .view::<Other>()
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`Note` and `Other` both create a table or index named \"public\".\"tv_note_title_idx\"; rename one of the indexes with name = \"..\", or one of the view tables with #[tview(view = \"..\")]"
    );
    let error = ReadModel::builder()
        .view::<Divided>()
        .view::<Part>()
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("\"tv_p1\""), "{error}");
    assert!(
        ReadModel::builder()
            .view::<Divided>()
            .view::<second::Note>()
            .build()
            .is_ok()
    );
}
