//! Indexes that queries use, and view tables that are divided, unlogged and packed otherwise.

mod indexes;
mod tables;

use fraiseql_runtime::{ReadModel, TView};

fn model<V: TView>() -> ReadModel {
    ReadModel::builder().view::<V>().build().unwrap()
}
