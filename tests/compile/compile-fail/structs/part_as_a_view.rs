use fraiseql_runtime::{Embed, ReadModel};

#[derive(Embed)]
pub struct Author {
    pub id: i64,
}

pub fn model() {
    let _ = ReadModel::builder().view::<Author>();
}

fn main() {}
