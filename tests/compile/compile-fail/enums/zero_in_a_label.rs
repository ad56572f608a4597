use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {
    #[tview(rename = "a\0")]
    Draft,
}

fn main() {}
