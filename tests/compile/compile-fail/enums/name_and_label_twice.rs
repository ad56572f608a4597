use fraiseql_runtime::TEnum;

#[allow(non_camel_case_types)]
#[derive(TEnum)]
pub enum Status {
    InReview,
    IN_REVIEW,
}

fn main() {}
