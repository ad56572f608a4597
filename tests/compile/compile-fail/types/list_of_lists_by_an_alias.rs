use fraiseql_runtime::TView;

type Row = Vec<f64>;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub matrix: Option<Vec<Row>>,
}

fn main() {}
