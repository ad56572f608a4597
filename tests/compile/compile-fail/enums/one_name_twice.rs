use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {
    Draft,
    #[tview(json = "DRAFT")]
    Sketch,
}

fn main() {}
