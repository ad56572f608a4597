//! The expected documents of the Chinook database, as SQL written by hand.

use fraiseql_runtime::TView;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgExecutor, PgPool};

/// A view table, and the query of its expected content: the columns `key` and `data`.
pub(super) struct Expected {
    pub(super) view: &'static str,
    pub(super) key: &'static str,
    /// The number of documents of the sample database.
    pub(super) rows: usize,
    pub(super) query: &'static str,
}

pub(super) const ALBUMS: Expected = Expected {
    view: "tv_album",
    key: "album_id",
    rows: 347,
    query: "
SELECT al.album_id AS key, jsonb_build_object(
    'albumId', al.album_id,
    'title', al.title,
    'artist', (
        SELECT jsonb_build_object('artistId', ar.artist_id, 'name', ar.name)
        FROM artist ar WHERE ar.artist_id = al.artist_id
    ),
    'tracks', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'trackId', t.track_id,
            'name', t.name,
            'composer', t.composer,
            'milliseconds', t.milliseconds,
            'bytes', t.bytes,
            'unitPrice', t.unit_price::text,
            'genre', CASE WHEN g.genre_id IS NOT NULL THEN
                jsonb_build_object('genreId', g.genre_id, 'name', g.name)
            END,
            'mediaType', jsonb_build_object('mediaTypeId', m.media_type_id, 'name', m.name)
        ) ORDER BY t.milliseconds DESC, t.track_id)
        FROM track t
        JOIN media_type m ON m.media_type_id = t.media_type_id
        LEFT JOIN genre g ON g.genre_id = t.genre_id
        WHERE t.album_id = al.album_id
    ), '[]')
) AS data
FROM album al",
};

pub(super) const PLAYLISTS: Expected = Expected {
    view: "tv_playlist",
    key: "playlist_id",
    rows: 18,
    query: "
SELECT p.playlist_id AS key, jsonb_build_object(
    'playlistId', p.playlist_id,
    'name', p.name,
    'tracks', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'trackId', t.track_id,
            'name', t.name,
            'album', (
                SELECT jsonb_build_object(
                    'albumId', al.album_id,
                    'title', al.title,
                    'artist', jsonb_build_object('artistId', ar.artist_id, 'name', ar.name)
                )
                FROM album al JOIN artist ar ON ar.artist_id = al.artist_id
                WHERE al.album_id = t.album_id
            )
        ) ORDER BY t.composer DESC NULLS LAST, t.name, t.track_id)
        FROM playlist_track pt JOIN track t ON t.track_id = pt.track_id
        WHERE pt.playlist_id = p.playlist_id
    ), '[]')
) AS data
FROM playlist p",
};

pub(super) const CUSTOMERS: Expected = Expected {
    view: "tv_customer",
    key: "customer_id",
    rows: 59,
    query: r#"
SELECT c.customer_id AS key, jsonb_build_object(
    'customerId', c.customer_id,
    'firstName', c.first_name,
    'lastName', c.last_name,
    'company', c.company,
    'country', c.country,
    'email', c.email,
    'supportRep', (
        SELECT jsonb_build_object(
            'employeeId', r.employee_id,
            'firstName', r.first_name,
            'lastName', r.last_name,
            'hireDate', to_char(r.hire_date, 'YYYY-MM-DD"T"HH24:MI:SS'),
            'manager', (
                SELECT jsonb_build_object(
                    'employeeId', m.employee_id,
                    'firstName', m.first_name,
                    'lastName', m.last_name,
                    'title', m.title
                )
                FROM employee m WHERE m.employee_id = r.reports_to
            )
        )
        FROM employee r WHERE r.employee_id = c.support_rep_id
    ),
    'invoices', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'invoiceId', i.invoice_id,
            'invoiceDate', to_char(i.invoice_date, 'YYYY-MM-DD"T"HH24:MI:SS'),
            'billingCity', i.billing_city,
            'billingPostalCode', i.billing_postal_code,
            'total', i.total::text,
            'lines', coalesce((
                SELECT jsonb_agg(jsonb_build_object(
                    'invoiceLineId', l.invoice_line_id,
                    'quantity', l.quantity,
                    'unitPrice', l.unit_price::text,
                    'amount', (l.unit_price * l.quantity)::text,
                    'track', jsonb_build_object('name', t.name)
                ) ORDER BY l.invoice_line_id)
                FROM invoice_line l JOIN track t ON t.track_id = l.track_id
                WHERE l.invoice_id = i.invoice_id
            ), '[]')
        ) ORDER BY i.invoice_date DESC, i.invoice_id)
        FROM invoice i WHERE i.customer_id = c.customer_id
    ), '[]'),
    'invoiceCount', (SELECT count(*) FROM invoice i WHERE i.customer_id = c.customer_id),
    'totalSpent', coalesce(
        (SELECT sum(i.total) FROM invoice i WHERE i.customer_id = c.customer_id), 0
    )::text,
    'lastInvoice', (
        SELECT to_char(max(i.invoice_date), 'YYYY-MM-DD"T"HH24:MI:SS')
        FROM invoice i WHERE i.customer_id = c.customer_id
    ),
    'hasInvoices', c.customer_id IN (SELECT i.customer_id FROM invoice i)
) AS data
FROM customer c"#,
};

pub(super) const CUSTOMER_TEXTS: Expected = Expected {
    view: "tv_customer_text",
    ..CUSTOMERS
};

pub(super) const EMPLOYEES: Expected = Expected {
    view: "tv_employee",
    key: "employee_id",
    rows: 8,
    query: r#"
SELECT e.employee_id AS key, jsonb_build_object(
    'employeeId', e.employee_id,
    'firstName', e.first_name,
    'lastName', e.last_name,
    'title', e.title,
    'birthDate', to_char(e.birth_date, 'YYYY-MM-DD"T"HH24:MI:SS'),
    'hireDate', to_char(e.hire_date, 'YYYY-MM-DD"T"HH24:MI:SS'),
    'manager', (
        SELECT jsonb_build_object(
            'employeeId', m.employee_id,
            'firstName', m.first_name,
            'lastName', m.last_name,
            'title', m.title
        )
        FROM employee m WHERE m.employee_id = e.reports_to
    ),
    'reports', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'employeeId', r.employee_id,
            'firstName', r.first_name,
            'lastName', r.last_name,
            'title', r.title
        ) ORDER BY r.last_name, r.first_name, r.employee_id)
        FROM employee r WHERE r.reports_to = e.employee_id
    ), '[]'),
    'customerCount', (SELECT count(*) FROM customer c WHERE c.support_rep_id = e.employee_id)
) AS data
FROM employee e"#,
};

pub(super) const ALL: [&Expected; 5] =
    [&ALBUMS, &PLAYLISTS, &CUSTOMERS, &CUSTOMER_TEXTS, &EMPLOYEES];

/// A row of the view table: its location, its version, and when it was written.
pub(super) type Stored = (i32, String, i64, String);

impl Expected {
    /// Both sides of every document that is wrong; null if a side has none.
    pub(super) async fn differences(
        &self,
        executor: impl PgExecutor<'_>,
    ) -> sqlx::Result<Vec<(i32, Option<Value>, Option<Value>)>> {
        let Self {
            view, key, query, ..
        } = self;
        let sql = format!(
            "SELECT key, a.data, b.data
             FROM (SELECT {key} AS key, data::jsonb AS data FROM {view}) AS a
             FULL JOIN ({query}) AS b USING (key)
             WHERE a.data IS DISTINCT FROM b.data
             ORDER BY key"
        );
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(executor).await
    }

    /// The keys of the documents that are wrong.
    pub(super) async fn wrong(&self, executor: impl PgExecutor<'_>) -> sqlx::Result<Vec<i32>> {
        let differences = self.differences(executor).await?;
        Ok(differences.into_iter().map(|(key, ..)| key).collect())
    }

    pub(super) async fn assert_right(&self, executor: impl PgExecutor<'_>) -> sqlx::Result<()> {
        let differences = self.differences(executor).await?;
        if let Some((key, is, expected)) = differences.first() {
            let show = |side: &Option<Value>| match side {
                Some(document) => format!("{document:#}"),
                None => "no document".to_owned(),
            };
            panic!(
                "{}: {} documents differ from the SQL written by hand, first {key}.\n\
                 It is:\n{}\nExpected:\n{}",
                self.view,
                differences.len(),
                show(is),
                show(expected)
            );
        }
        Ok(())
    }

    /// Asserts that there are as many rows and documents as in the sample database.
    pub(super) async fn assert_complete(&self, pool: &PgPool) -> sqlx::Result<()> {
        let Self { view, query, .. } = self;
        let sql = format!("SELECT (SELECT count(*) FROM {view}), count(*) FROM ({query}) AS b");
        let counts: (i64, i64) = sqlx::query_as(AssertSqlSafe(sql)).fetch_one(pool).await?;
        assert_eq!(counts, (self.rows as i64, self.rows as i64), "{view}");
        Ok(())
    }

    /// The stored documents by key.
    pub(super) async fn documents(&self, pool: &PgPool) -> sqlx::Result<Vec<(i32, Value)>> {
        let Self { view, key, .. } = self;
        let sql = format!("SELECT {key}, data FROM {view} ORDER BY {key}");
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await
    }

    pub(super) async fn stored(&self, pool: &PgPool) -> sqlx::Result<Vec<Stored>> {
        let Self { view, key, .. } = self;
        let sql = format!(
            "SELECT {key}, ctid::text, version, updated_at::text FROM {view} ORDER BY {key}"
        );
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await
    }

    pub(super) async fn assert_reads_back<V: TView<Key = i32>>(
        &self,
        pool: &PgPool,
    ) -> anyhow::Result<()> {
        let documents = self.documents(pool).await?;
        assert_eq!(documents.len(), self.rows, "{}", self.view);
        let keys: Vec<i32> = documents.iter().map(|(key, _)| *key).collect();
        let structs = V::find_many(pool, &keys).await?;
        assert_eq!(structs.len(), self.rows, "{}", self.view);
        for (read, (key, stored)) in structs.iter().zip(documents) {
            assert_eq!(serde_json::to_value(read)?, stored, "{} {key}", self.view);
        }
        Ok(())
    }
}
