use fraiseql_runtime::TEnum;

#[derive(TEnum)]
#[tview(rename_all = "lowercase")]
pub enum Status {
    InReview,
    Inreview,
}

fn main() {}
