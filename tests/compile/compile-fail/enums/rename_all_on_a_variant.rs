use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {
    #[tview(rename_all = "snake_case")]
    Draft,
}

fn main() {}
