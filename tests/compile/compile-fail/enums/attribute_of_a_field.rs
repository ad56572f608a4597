use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {
    #[tview(column = "draft")]
    Draft,
}

fn main() {}
