use fraiseql_runtime::{Embed, TView};

#[derive(TView)]
pub struct Playlist {
    pub id: i64,
    #[tview(through = "position")]
    pub of_a_view: i32,
    #[tview(many(through(table = "tb_playlist_track", fk = "playlist_id", to = "track_id", order_by = "position UP")))]
    pub order: Vec<Entry>,
    #[tview(values(
        table = "tb_track",
        through(table = "tb_playlist_track", fk = "playlist_id", to = "track_id", order_by = "position"),
        column = "name",
        distinct
    ))]
    pub distinct: Vec<String>,
}

#[derive(Embed)]
#[tview(table = "tb_track")]
pub struct Entry {
    pub id: i64,
    #[tview(through = "position", column = "place")]
    pub two_columns: i32,
    #[tview(through = "")]
    pub no_column: i32,
    #[tview(through(table = "tb_playlist_track", fk = "playlist_id", to = "track_id"))]
    pub a_list: Vec<Track>,
    #[tview(through = "position", filter)]
    pub promoted: i32,
}

#[derive(Embed)]
pub struct Track {
    pub id: i64,
}

fn main() {}
