use fraiseql_runtime::TEnum;

#[derive(TEnum)]
pub enum Status {
    #[tview(json = "in-review")]
    InReview,
    #[tview(json = "null")]
    Unknown,
    Größe,
}

fn main() {}
