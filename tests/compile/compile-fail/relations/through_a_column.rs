//! A column of a join table, where there is none.

use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Playlist {
    pub id: i64,
    #[tview(many(fk = "playlist_id"))]
    pub many: Vec<Entry>,
    #[tview(one(fk = "entry_id"))]
    pub one: Entry,
    #[tview(first(fk = "playlist_id", order_by = "id"))]
    pub first: Option<Entry>,
    #[tview(many(through(table = "tb_playlist_track", fk = "playlist_id", to = "track_id")))]
    pub right: Vec<Entry>,
}

#[derive(Embed)]
#[tview(table = "tb_track")]
pub struct Entry {
    pub id: i64,
    #[tview(through = "position")]
    pub place: i32,
}

fn main() {}
