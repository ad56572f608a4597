//! The answers of root fields: each is one statement.

use async_graphql::{Context, ServerResult, Value};

use crate::request::cached_plan::{CachedPlan, PlanRecorder};
use crate::resolve::connection;
use crate::resolve::document::Answer;
use crate::resolve::views::arguments::{
    Given, PAGE, argument, chosen, count, failed, mistake, page,
};
use crate::resolve::views::fields::{Kind, key_field};
use crate::resolve::views::{Root, ViewSet, Views};
use fraiseql_runtime::ReadTarget as _;
use fraiseql_runtime::list::{Documents, Filter, List, ListError, Operator};

impl<V: ViewSet> Views<V> {
    pub(crate) async fn root(&self, ctx: &Context<'_>, root: Root) -> ServerResult<Value> {
        let handle = root.member.handle;
        let inside = ctx.with_selection_set(&ctx.item.node.selection_set);
        let failed = |error: ListError| failed(ctx, error);
        match root.kind {
            Kind::One => {
                let key = key_field(handle.view);
                let Given(value) = argument(ctx, key)?;
                let value = value
                    .into_json()
                    .map_err(|error| mistake(ctx, &error.to_string()))?;
                let answer = Answer::of(&inside, handle.view.shape)?;
                let list = List::of_view(handle)
                    .filter(Filter::compare(key, Operator::Eq, value))
                    .limit(1)
                    .omit(answer.projection().unselected_lists());
                let documents = self.read(ctx, &list, &answer, false).await;
                let documents = documents.map_err(failed)?;
                one(ctx, answer, documents.iter().next().map(|one| one.json()))
            }
            Kind::Many => {
                let limit = count(ctx, "limit", Some(PAGE), self.max_page)?.unwrap_or(PAGE);
                let offset = count(ctx, "offset", Some(0), u32::MAX)?.unwrap_or(0);
                let mut answer = Answer::of(&inside, handle.view.shape)?;
                let list = chosen(ctx, handle)?
                    .limit(limit.into())
                    .offset(offset.into())
                    .omit(answer.projection().unselected_lists());
                let documents = self.read(ctx, &list, &answer, true).await;
                let documents = documents.map_err(failed)?;
                answer.list(documents.iter().map(|document| document.json()))?;
                answer.finish()
            }
            Kind::Page => {
                let page = page(ctx, self.max_page)?;
                let mut answer = Answer::of(&inside, (root.member.page)())?;
                let list = chosen(ctx, handle)?.omit(connection::unselected_lists(
                    handle.view.shape,
                    answer.projection().selection(),
                ));
                let page = list.page(page, &self.readers).await.map_err(failed)?;
                connection::write(&mut answer, &page, handle.view.data)?;
                answer.finish()
            }
        }
    }
}

impl<V> Views<V> {
    /// Reads a list, and says how, where it may be read so another time.
    async fn read(
        &self,
        ctx: &Context<'_>,
        list: &List,
        answer: &Answer<'_>,
        is_list: bool,
    ) -> Result<Documents, ListError> {
        let read = list.statement()?;
        if let Some(recording) = ctx.data_opt::<PlanRecorder>()
            && !answer.as_values()
        {
            recording.record(CachedPlan {
                name: ctx.item.node.response_key().node.to_string(),
                is_list,
                read: read.clone(),
                projection: answer.projection().clone(),
                readers: self.readers.clone(),
            });
        }
        Ok(Documents::of(self.readers.list(read).await?))
    }
}

/// The answer for one document, which may be missing or, because of what is null in it, null.
fn one(ctx: &Context<'_>, mut answer: Answer<'_>, json: Option<&[u8]>) -> ServerResult<Value> {
    let Some(json) = json else {
        return Ok(Value::Null);
    };
    match answer.document(json, None) {
        Ok(()) => answer.finish(),
        Err(error) => {
            ctx.add_error(error);
            Ok(Value::Null)
        }
    }
}
