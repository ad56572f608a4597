//! A name that is similar to an existing one, and a name that is not.

use fraiseql_runtime::Embed;

#[derive(Embed)]
#[tview(shape_of = model::User)]
pub struct Author {
    id: i64,
    nmae: String,
    telephone: String,
}

mod model {
    #[derive(fraiseql_runtime::TView)]
    pub struct User {
        id: i64,
        #[tview(column = "full_name")]
        name: String,
        email: Option<String>,
        age: i64,
        #[tview(expr = "lower({}.email)")]
        slug: Option<String>,
        #[tview(one(fk = "employer_id"))]
        employer: Company,
        #[tview(many(fk = "user_id", filter = "NOT hidden"))]
        notes: Vec<Note>,
        #[tview(count(table = "tb_note", fk = "user_id"))]
        note_count: i64,
    }

    #[derive(fraiseql_runtime::Embed)]
    struct Company {
        id: i64,
    }

    #[derive(fraiseql_runtime::Embed)]
    struct Note {
        id: i64,
    }
}

fn main() {}
