use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {
    Draft,
    #[tview(rename = "draft")]
    Sketch,
    #[tview(rename = "Draft")]
    Plan,
}

fn main() {}
