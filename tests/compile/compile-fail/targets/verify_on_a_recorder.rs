use fraiseql_runtime::{Recorder, TView};

#[derive(TView)]
struct Post {
    id: i64,
}

async fn run() {
    let recorder = Recorder::new();
    let _ = verify_post(&recorder).await;
}

fn main() {}
