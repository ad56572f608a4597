//! Applies random changes of base rows, in Rust and in the database.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::base::{ArticleRow, Base, PersonRow, RemarkRow};
use super::changes::{ArticleChange, Change, RemarkChange, name};

/// Keys whose documents a change may affect, before and after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    pub(super) articles: BTreeSet<i64>,
    pub(super) people: BTreeSet<String>,
}

impl Touched {
    pub(super) fn article(&mut self, base: &Base, id: i64) {
        self.articles.insert(id);
        if let Some(row) = base.articles.get(&id) {
            self.people.insert(row.author.clone());
        }
    }

    pub(super) fn change(&mut self, base: &Base, change: &Change) {
        match change {
            Change::Person(n, _) => {
                let name = name(*n);
                for (id, row) in &base.articles {
                    if row.author == name || row.editor.as_ref() == Some(&name) {
                        self.article(base, *id);
                    }
                }
                for row in base.remarks.values().filter(|row| row.author == name) {
                    self.articles.insert(row.article);
                }
                self.people.insert(name);
            }
            Change::Article(n, change) => {
                self.article(base, i64::from(*n));
                if let ArticleChange::Put { author, .. } | ArticleChange::Move(author) = change {
                    self.people.insert(name(*author));
                }
            }
            Change::Remark(n, change) => {
                if let Some(row) = base.remarks.get(&i32::from(*n)) {
                    self.articles.insert(row.article);
                }
                if let RemarkChange::Put { article, .. } | RemarkChange::Move(article) = change {
                    self.articles.insert(i64::from(*article));
                }
            }
            Change::Tag(n, _) => {
                let tag = i16::from(*n);
                let tagged = base.article_tags.iter().filter(|(_, t)| *t == tag);
                self.articles.extend(tagged.map(|(article, _)| *article));
            }
            Change::TagArticle(article, ..) => {
                self.articles.insert(i64::from(*article));
            }
        }
    }
}

/// Applies the change to the rows in Rust, and in the database.
pub(super) async fn apply(
    base: &mut Base,
    change: &Change,
    on: &mut sqlx::PgConnection,
) -> sqlx::Result<()> {
    let at = |micros: i64| DateTime::from_timestamp_micros(micros).expect("within the type");
    match change {
        Change::Person(n, None) => {
            base.people.remove(&name(*n));
            let sql = "DELETE FROM people WHERE name = $1";
            sqlx::query(sql).bind(name(*n)).execute(on).await?;
        }
        Change::Person(n, Some((full_name, rating, balance, born))) => {
            let row = PersonRow {
                full_name: full_name.clone(),
                rating: *rating,
                balance: Decimal::new(*balance, 7),
                born: born.map(|days| {
                    NaiveDate::default() + chrono::Days::new(u64::from(days.unsigned_abs()))
                }),
            };
            sqlx::query(
                "INSERT INTO people VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE
                SET full_name = $2, rating = $3, balance = $4, born = $5",
            )
            .bind(name(*n))
            .bind(&row.full_name)
            .bind(row.rating)
            .bind(row.balance)
            .bind(row.born)
            .execute(on)
            .await?;
            base.people.insert(name(*n), row);
        }
        Change::Article(n, change) => article(base, i64::from(*n), change, on, at).await?,
        Change::Remark(n, change) => remark(base, i32::from(*n), change, on, at).await?,
        Change::Tag(n, None) => {
            base.tags.remove(&i16::from(*n));
            sqlx::query("DELETE FROM tags WHERE id = $1")
                .bind(i16::from(*n))
                .execute(on)
                .await?;
        }
        Change::Tag(n, Some(label)) => {
            base.tags.insert(i16::from(*n), label.clone());
            sqlx::query(
                "INSERT INTO tags VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = $2",
            )
            .bind(i16::from(*n))
            .bind(label)
            .execute(on)
            .await?;
        }
        Change::TagArticle(article, tag, put) => {
            let (article, tag) = (i64::from(*article), i16::from(*tag));
            let sql = if *put {
                base.article_tags.insert((article, tag));
                "INSERT INTO article_tags VALUES ($1, $2) ON CONFLICT DO NOTHING"
            } else {
                base.article_tags.remove(&(article, tag));
                "DELETE FROM article_tags WHERE article = $1 AND tag = $2"
            };
            sqlx::query(sql).bind(article).bind(tag).execute(on).await?;
        }
    }
    Ok(())
}

pub(super) async fn article(
    base: &mut Base,
    id: i64,
    change: &ArticleChange,
    on: &mut sqlx::PgConnection,
    at: impl Fn(i64) -> DateTime<Utc>,
) -> sqlx::Result<()> {
    match change {
        ArticleChange::Put {
            author,
            editor,
            title,
            at: micros,
            meta,
        } => {
            let row = ArticleRow {
                author: name(*author),
                editor: editor.map(name),
                title: title.clone(),
                created_at: at(*micros),
                deleted: false,
                meta: meta.clone(),
            };
            sqlx::query("INSERT INTO articles VALUES ($1, $2, $3, $4, $5, false, $6) ON CONFLICT (id) DO UPDATE
                SET author = $2, editor = $3, title = $4, created_at = $5, deleted = false, meta = $6")
                .bind(id).bind(&row.author).bind(&row.editor).bind(&row.title).bind(row.created_at)
                .bind(&row.meta).execute(on).await?;
            base.articles.insert(id, row);
        }
        ArticleChange::Move(author) => {
            if let Some(row) = base.articles.get_mut(&id) {
                row.author = name(*author);
            }
            let sql = "UPDATE articles SET author = $2 WHERE id = $1";
            sqlx::query(sql)
                .bind(id)
                .bind(name(*author))
                .execute(on)
                .await?;
        }
        ArticleChange::Hide(deleted) => {
            if let Some(row) = base.articles.get_mut(&id) {
                row.deleted = *deleted;
            }
            let sql = "UPDATE articles SET deleted = $2 WHERE id = $1";
            sqlx::query(sql).bind(id).bind(deleted).execute(on).await?;
        }
        ArticleChange::Delete => {
            base.articles.remove(&id);
            sqlx::query("DELETE FROM articles WHERE id = $1")
                .bind(id)
                .execute(on)
                .await?;
        }
    }
    Ok(())
}

pub(super) async fn remark(
    base: &mut Base,
    id: i32,
    change: &RemarkChange,
    on: &mut sqlx::PgConnection,
    at: impl Fn(i64) -> DateTime<Utc>,
) -> sqlx::Result<()> {
    match change {
        RemarkChange::Put {
            article,
            author,
            content,
            at: micros,
            hidden,
        } => {
            let row = RemarkRow {
                article: i64::from(*article),
                author: name(*author),
                content: content.clone(),
                at: at(*micros).naive_utc(),
                hidden: *hidden,
            };
            sqlx::query(
                "INSERT INTO remarks VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE
                SET article = $2, author = $3, content = $4, at = $5, hidden = $6",
            )
            .bind(id)
            .bind(row.article)
            .bind(&row.author)
            .bind(&row.content)
            .bind(row.at)
            .bind(row.hidden)
            .execute(on)
            .await?;
            base.remarks.insert(id, row);
        }
        RemarkChange::Move(article) => {
            if let Some(row) = base.remarks.get_mut(&id) {
                row.article = i64::from(*article);
            }
            let sql = "UPDATE remarks SET article = $2 WHERE id = $1";
            sqlx::query(sql)
                .bind(id)
                .bind(i64::from(*article))
                .execute(on)
                .await?;
        }
        RemarkChange::Delete => {
            base.remarks.remove(&id);
            sqlx::query("DELETE FROM remarks WHERE id = $1")
                .bind(id)
                .execute(on)
                .await?;
        }
    }
    Ok(())
}
