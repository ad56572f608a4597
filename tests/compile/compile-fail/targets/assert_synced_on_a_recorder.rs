use fraiseql_runtime::{ReadModel, Recorder, assert_synced};

async fn run(blog: ReadModel) {
    assert_synced(&blog, &Recorder::new()).await;
}

fn main() {}
