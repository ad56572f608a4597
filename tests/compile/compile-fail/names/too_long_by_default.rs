use fraiseql_runtime::TView;

#[derive(TView)]
pub struct APostWhoseNameSaysEverythingThatAnyoneCouldWantToKnowAboutIt {
    pub id: i64,
}

fn main() {}
