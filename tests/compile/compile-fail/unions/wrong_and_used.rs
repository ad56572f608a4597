use fraiseql_runtime::{MemberOf, TUnion, TView};

#[derive(TView)]
pub struct Post {
    pub id: i64,
    pub title: String,
}

#[derive(TView)]
pub struct User {
    pub id: i64,
    pub name: String,
}

#[derive(TUnion)]
#[tview(interfce)]
pub enum Found {
    Post(Post),
    User(User),
}

fn is_union<U: TUnion>() {}

fn is_member<U, T: MemberOf<U>>() {}

fn main() {
    is_union::<Found>();
    is_member::<Found, User>();
}
