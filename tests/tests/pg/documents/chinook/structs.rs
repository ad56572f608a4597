//! The views and parts of the Chinook database.

use chrono::NaiveDateTime;
use fraiseql_runtime::{Embed, TView};
use rust_decimal::Decimal;

#[derive(Embed)]
#[tview(table = "artist")]
pub(super) struct Artist {
    #[tview(key)]
    artist_id: i32,
    name: Option<String>,
}

#[derive(Embed)]
#[tview(table = "genre")]
pub(super) struct Genre {
    #[tview(key)]
    genre_id: i32,
    name: Option<String>,
}

#[derive(Embed)]
#[tview(table = "media_type")]
pub(super) struct MediaType {
    #[tview(key)]
    media_type_id: i32,
    name: Option<String>,
}

#[derive(Embed)]
#[tview(table = "track")]
pub(super) struct AlbumTrack {
    #[tview(key)]
    pub(super) track_id: i32,
    name: String,
    composer: Option<String>,
    milliseconds: i32,
    bytes: Option<i32>,
    unit_price: Decimal,
    #[tview(one(fk = "genre_id"))]
    genre: Option<Genre>,
    #[tview(one(fk = "media_type_id"))]
    media_type: MediaType,
}

#[derive(Embed)]
#[tview(table = "album")]
pub(super) struct TrackAlbum {
    #[tview(key)]
    album_id: i32,
    title: String,
    #[tview(one(fk = "artist_id"))]
    artist: Artist,
}

#[derive(Embed)]
#[tview(table = "track")]
pub(super) struct PlaylistTrack {
    #[tview(key)]
    pub(super) track_id: i32,
    name: String,
    #[tview(one(fk = "album_id"))]
    album: Option<TrackAlbum>,
}

#[derive(Embed)]
#[tview(table = "employee")]
pub(super) struct Colleague {
    #[tview(key)]
    employee_id: i32,
    first_name: String,
    last_name: String,
    title: Option<String>,
}

#[derive(Embed)]
#[tview(table = "employee")]
pub(super) struct SupportRep {
    #[tview(key)]
    employee_id: i32,
    first_name: String,
    last_name: String,
    hire_date: Option<NaiveDateTime>,
    #[tview(one(fk = "reports_to"))]
    manager: Option<Colleague>,
}

/// Without a key: a field that refers to it names the column.
#[derive(Embed)]
#[tview(table = "track")]
pub(super) struct LineTrack {
    name: String,
}

#[derive(Embed)]
#[tview(table = "invoice_line")]
pub(super) struct InvoiceLine {
    #[tview(key)]
    invoice_line_id: i32,
    quantity: i32,
    unit_price: Decimal,
    #[tview(expr = "{}.unit_price * {}.quantity")]
    amount: Decimal,
    #[tview(one(fk = "track_id", key = "track_id"))]
    track: LineTrack,
}

#[derive(Embed)]
#[tview(table = "invoice")]
pub(super) struct CustomerInvoice {
    #[tview(key)]
    invoice_id: i32,
    invoice_date: NaiveDateTime,
    billing_city: Option<String>,
    billing_postal_code: Option<String>,
    total: Decimal,
    #[tview(many(fk = "invoice_id"))]
    lines: Vec<InvoiceLine>,
}

/// The views, with a storage: `views!(, storage = "live")`.
macro_rules! views {
    ($($storage:tt)*) => {
        #[derive(TView)]
        #[tview(table = "album" $($storage)*)]
        pub(super) struct Album {
            #[tview(key)]
            album_id: i32,
            title: String,
            #[tview(one(fk = "artist_id"))]
            artist: Artist,
            #[tview(many(fk = "album_id", order_by = "milliseconds DESC"))]
            pub(super) tracks: Vec<AlbumTrack>,
        }

        #[derive(TView)]
        #[tview(table = "playlist" $($storage)*)]
        pub(super) struct Playlist {
            #[tview(key)]
            playlist_id: i32,
            name: Option<String>,
            #[tview(many(
                through(table = "playlist_track", fk = "playlist_id", to = "track_id"),
                order_by = "composer DESC NULLS LAST, name"
            ))]
            tracks: Vec<PlaylistTrack>,
        }

        #[derive(TView)]
        #[tview(table = "customer" $($storage)*)]
        pub(super) struct Customer {
            #[tview(key)]
            customer_id: i32,
            first_name: String,
            last_name: String,
            company: Option<String>,
            country: Option<String>,
            email: String,
            #[tview(one(fk = "support_rep_id"))]
            support_rep: Option<SupportRep>,
            #[tview(many(fk = "customer_id", order_by = "invoice_date DESC"))]
            invoices: Vec<CustomerInvoice>,
            #[tview(count(table = "invoice", fk = "customer_id"))]
            invoice_count: i64,
            #[tview(sort, sum(table = "invoice", fk = "customer_id", expr = "{}.total"))]
            total_spent: Decimal,
            #[tview(
                filter,
                max(table = "invoice", fk = "customer_id", expr = "{}.invoice_date")
            )]
            last_invoice: Option<NaiveDateTime>,
            #[tview(exists(table = "invoice", fk = "customer_id"))]
            has_invoices: bool,
        }

        /// The same documents as [`Customer`], stored as text.
        #[derive(TView)]
        #[tview(
            table = "customer",
            data = "json",
            plural = "customer_texts"
            $($storage)*
        )]
        pub(super) struct CustomerText {
            #[tview(key)]
            customer_id: i32,
            first_name: String,
            last_name: String,
            company: Option<String>,
            country: Option<String>,
            email: String,
            #[tview(one(fk = "support_rep_id"))]
            support_rep: Option<SupportRep>,
            #[tview(many(fk = "customer_id", order_by = "invoice_date DESC"))]
            invoices: Vec<CustomerInvoice>,
            #[tview(count(table = "invoice", fk = "customer_id"))]
            invoice_count: i64,
            #[tview(sum(table = "invoice", fk = "customer_id", expr = "{}.total"))]
            total_spent: Decimal,
            #[tview(max(table = "invoice", fk = "customer_id", expr = "{}.invoice_date"))]
            last_invoice: Option<NaiveDateTime>,
            #[tview(exists(table = "invoice", fk = "customer_id"))]
            has_invoices: bool,
        }

        #[derive(TView)]
        #[tview(table = "employee" $($storage)*)]
        pub(super) struct Employee {
            #[tview(key)]
            employee_id: i32,
            first_name: String,
            last_name: String,
            title: Option<String>,
            birth_date: Option<NaiveDateTime>,
            hire_date: Option<NaiveDateTime>,
            #[tview(one(fk = "reports_to"))]
            manager: Option<Colleague>,
            #[tview(many(fk = "reports_to", order_by = "last_name, first_name"))]
            reports: Vec<Colleague>,
            #[tview(count(table = "customer", fk = "support_rep_id"))]
            customer_count: i64,
        }
    };
}

pub(super) use views;

views!();
