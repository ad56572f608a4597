use fraiseql_runtime::TEnum;

#[derive(TEnum)]
#[tview(rename = "state")]
pub enum Status {
    Draft,
}

fn main() {}
