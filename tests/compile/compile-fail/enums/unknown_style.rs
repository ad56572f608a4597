use fraiseql_runtime::TEnum;

#[derive(TEnum)]
#[tview(rename_all = "snake-case")]
pub enum Status {
    Draft,
}

fn main() {}
