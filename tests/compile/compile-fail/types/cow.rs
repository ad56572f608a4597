use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub value: std::borrow::Cow<'static, str>,
}

fn main() {}
