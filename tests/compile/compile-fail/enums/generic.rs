use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status<const N: usize> {
    Draft,
}

fn main() {}
