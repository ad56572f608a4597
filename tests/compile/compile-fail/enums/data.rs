use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {
    Draft,
    InReview(i64),
    Published { at: i64 },
}

fn main() {}
