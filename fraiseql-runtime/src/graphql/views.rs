//! Root fields that read the views of an application.

use std::borrow::Cow;
use std::collections::HashMap;
use std::marker::PhantomData;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, VariableDefinition};
use async_graphql::registry::{MetaField, MetaInputValue, Registry};
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, InputValueError, InputValueResult,
    ObjectType, OutputType, Positioned, ServerError, ServerResult, Value, VisitorContext,
};
use sqlx::PgPool;

use super::document::Answer;
use super::once::Once;
use super::{connection, input, types};
use crate::list::{Cursor, Filter, List, ListError, Operator, Page};
use crate::schema::{Shape, View};
use crate::view::{Handle, TView};

/// Root fields that read the views of an application: for a view `Post`,
///
/// ```graphql
/// post(id: ID!): Post
/// posts(where: PostWhere, orderBy: [PostOrderBy!], limit: Int! = 20, offset: Int! = 0): [Post!]!
/// postsConnection(first: Int, after: String, last: Int, before: String,
///                 where: PostWhere, orderBy: [PostOrderBy!]): PostConnection!
/// ```
///
/// Each field is one statement. The names are those of the view's `entity` and `plural`.
///
/// It is a query root as it is, or a part of one:
///
/// ```
/// use async_graphql::{MergedObject, Object};
/// use fraiseql_runtime::TView;
/// use fraiseql_runtime::graphql::Views;
///
/// #[derive(TView)]
/// struct Post { id: i64, title: String }
///
/// struct Own;
///
/// #[Object]
/// impl Own {
///     async fn version(&self) -> &str {
///         env!("CARGO_PKG_VERSION")
///     }
/// }
///
/// #[derive(MergedObject)]
/// struct Query(Views<(Post,)>, Own);
///
/// fn query(pool: sqlx::PgPool) -> Query {
///     Query(Views::new(pool).max_page(50), Own)
/// }
/// # fn main() {}
/// ```
///
/// All documents of these views can be read by whoever can ask. Where that is not right, the root
/// field is to be written by hand, with a [`List`](crate::list::List) that is filtered by who asks.
///
/// In the complexity of a query, a list counts as many times what is asked of a document as it may
/// have documents.
pub struct Views<V> {
    pool: PgPool,
    fields: HashMap<String, Root>,
    max_page: u32,
    of: PhantomData<fn() -> V>,
}

/// The views that have root fields: a tuple of them, `(User, Post, Comment)`.
pub trait ViewSet: Send + Sync + 'static {
    #[doc(hidden)]
    fn members() -> Vec<Member>;
}

/// A view among others.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Member {
    handle: Handle,
    page: fn() -> &'static Shape,
}

impl Member {
    fn of<T: TView>() -> Self {
        Self {
            handle: T::handle(),
            page: connection::shape::<T>,
        }
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: TView),*> ViewSet for ($($name,)*) {
            fn members() -> Vec<Member> {
                vec![$(Member::of::<$name>()),*]
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);

/// A field of the root.
#[derive(Clone, Copy)]
struct Root {
    member: Member,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    One,
    Many,
    Page,
}

/// The size of a page that does not say one.
const PAGE: u32 = 20;
/// The largest page, unless another is set.
const MAX_PAGE: u32 = 100;

impl<V: ViewSet> Views<V> {
    /// Root fields that read from this pool.
    ///
    /// # Panics
    /// When two views have fields of one name.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let mut fields = HashMap::new();
        for member in V::members() {
            for (name, kind) in names(member.handle.view) {
                let twin = fields.insert(name.clone(), Root { member, kind });
                assert!(
                    twin.is_none(),
                    "{} would have the root field `{name}` twice; give `{}` another name with \
                     #[tview(entity = \"..\", plural = \"..\")]",
                    Self::NAME,
                    member.handle.view.shape.name,
                );
            }
        }
        Self {
            pool,
            fields,
            max_page: MAX_PAGE,
            of: PhantomData,
        }
    }

    const NAME: &'static str = "Query";

    /// The most documents that one field gives: 100 unless told.
    #[must_use]
    pub fn max_page(self, documents: u32) -> Self {
        Self {
            max_page: documents,
            ..self
        }
    }
}

impl<V> std::fmt::Debug for Views<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<_> = self.fields.keys().collect();
        names.sort();
        f.debug_struct("Views")
            .field("fields", &names)
            .field("max_page", &self.max_page)
            .finish_non_exhaustive()
    }
}

/// The names of the root fields of a view.
fn names(view: &View) -> [(String, Kind); 3] {
    let plural = camel(view.plural);
    [
        (camel(view.entity), Kind::One),
        (plural.clone(), Kind::Many),
        (format!("{plural}Connection"), Kind::Page),
    ]
}

/// `blog_post` as a name in GraphQL: `blogPost`.
fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for char in name.chars() {
        if char == '_' && !camel.is_empty() {
            upper = true;
        } else if std::mem::take(&mut upper) {
            camel.extend(char.to_uppercase());
        } else {
            camel.push(char);
        }
    }
    camel
}

impl<V: ViewSet> OutputType for Views<V> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(Self::NAME)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(
            async_graphql::registry::MetaTypeId::Object,
            |registry| {
                let fields: IndexMap<_, _> = V::members()
                    .iter()
                    .flat_map(|member| fields(registry, *member))
                    .map(|field| (field.name.clone(), field))
                    .collect();
                types::meta_object(Self::NAME, std::any::type_name::<Self>(), None, fields)
            },
        )
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

/// The root fields of a view.
fn fields(registry: &mut Registry, member: Member) -> [MetaField; 3] {
    let view = member.handle.view;
    let name = types::object(registry, view.shape);
    let page = types::object(registry, (member.page)());
    let filter = input::register_where(registry, view);
    let order = input::register_order(registry, view);
    let key = types::scalar(registry, view.key.ty, true);
    let [(one, _), (many, _), (pages, _)] = names(view);
    let chosen = || {
        vec![
            types::input("where", filter.clone()),
            types::input("orderBy", format!("[{order}!]")),
        ]
    };
    let with = |mut field: MetaField, about: String, args: Vec<MetaInputValue>| {
        field.description = Some(about);
        field.args = args
            .into_iter()
            .map(|arg| (arg.name.clone(), arg))
            .collect();
        field
    };
    let default = |mut arg: MetaInputValue, value: u32| {
        arg.default_value = Some(value.to_string());
        arg
    };
    let mut all = chosen();
    all.push(default(types::input("limit", "Int!".to_owned()), PAGE));
    all.push(default(types::input("offset", "Int!".to_owned()), 0));
    let mut paged: Vec<_> = [
        ("first", "Int"),
        ("after", "String"),
        ("last", "Int"),
        ("before", "String"),
    ]
    .into_iter()
    .map(|(name, ty)| types::input(name, ty.to_owned()))
    .collect();
    paged.extend(chosen());

    let mut one = with(
        types::meta_field(&one, name.to_owned()),
        format!("The {name} of a key; null where there is none."),
        vec![types::input(key_field(view), format!("{key}!"))],
    );
    one.compute_complexity = None;
    let mut many = with(
        types::meta_field(&many, format!("[{name}!]!")),
        format!("Documents of {name}, by their key unless another order is asked for."),
        all,
    );
    many.compute_complexity = Some(|ctx, variables, field, child| {
        Ok(rows(ctx, variables, field, &["limit"])?
            .saturating_mul(child)
            .saturating_add(1))
    });
    let mut pages = with(
        types::meta_field(&pages, format!("{page}!")),
        format!(
            "A page of documents of {name}: the first or the last, after or before a cursor. The \
             first {PAGE} unless another is asked for."
        ),
        paged,
    );
    pages.compute_complexity = Some(|ctx, variables, field, child| {
        Ok(rows(ctx, variables, field, &["first", "last"])?
            .saturating_mul(child)
            .saturating_add(1))
    });
    [one, many, pages]
}

/// The name of the key in the documents of a view.
fn key_field(view: &View) -> &'static str {
    let mut fields = view.shape.fields.iter();
    fields
        .find(|field| types::is_key(view.shape, field))
        .map_or("id", |field| field.json)
}

/// How many documents a field asks for, for the complexity of the query.
fn rows(
    ctx: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
    arguments: &[&str],
) -> ServerResult<usize> {
    for name in arguments {
        let rows: Option<i64> = ctx.param_value(variables, field, name, None)?;
        if let Some(rows) = rows {
            return Ok(usize::try_from(rows).unwrap_or(0));
        }
    }
    Ok(PAGE as usize)
}

impl<V: ViewSet> ObjectType for Views<V> {}

impl<V: ViewSet> ContainerType for Views<V> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(root) = self.fields.get(ctx.item.node.name.node.as_str()) else {
            return Ok(None);
        };
        let resolved = Once::resolve(ctx, self.root(ctx, *root)).await;
        resolved.map(Some).map_err(|error| {
            if error.path.is_empty() {
                ctx.set_error_path(error)
            } else {
                error
            }
        })
    }
}

impl<V: ViewSet> Views<V> {
    async fn root(&self, ctx: &Context<'_>, root: Root) -> ServerResult<Value> {
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
                let documents = list.read(&self.pool).await.map_err(failed)?;
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
                let documents = list.read(&self.pool).await.map_err(failed)?;
                answer.list(documents.iter().map(|document| document.json()))?;
                answer.finish()
            }
            Kind::Page => {
                let page = page(ctx, self.max_page)?;
                let mut answer = Answer::of(&inside, (root.member.page)())?;
                let list = chosen(ctx, handle)?.omit(connection::unselected_lists(
                    handle.view.shape,
                    answer.selection(),
                ));
                let page = list.page(page, &self.pool).await.map_err(failed)?;
                connection::write(&mut answer, &page, handle.view.data)?;
                answer.finish()
            }
        }
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

/// The list that `where` and `orderBy` ask for.
fn chosen(ctx: &Context<'_>, handle: Handle) -> ServerResult<List> {
    let mut list = List::of_view(handle);
    let Given(value) = argument(ctx, "where")?;
    if value != Value::Null {
        let filter = input::filter(handle.view, &value).map_err(|error| mistake(ctx, &error))?;
        list = list.filter(filter);
    }
    let Given(value) = argument(ctx, "orderBy")?;
    let order = input::order(handle.view, &value).map_err(|error| mistake(ctx, &error))?;
    Ok(order.into_iter().fold(list, List::order_by))
}

/// The page that is asked for.
fn page(ctx: &Context<'_>, most: u32) -> ServerResult<Page> {
    let first = count(ctx, "first", None, most)?;
    let last = count(ctx, "last", None, most)?;
    let after = cursor(ctx, "after")?;
    let before = cursor(ctx, "before")?;
    let page = match (first, last) {
        (Some(_), Some(_)) => return Err(mistake(ctx, "first and last cannot both be given")),
        (None, Some(last)) => Page::last(last),
        (first, None) => Page::first(first.unwrap_or(PAGE.min(most))),
    };
    let page = match after {
        Some(cursor) => page.after(cursor),
        None => page,
    };
    Ok(match before {
        Some(cursor) => page.before(cursor),
        None => page,
    })
}

fn cursor(ctx: &Context<'_>, name: &str) -> ServerResult<Option<Cursor>> {
    let (_, text) = ctx.param_value::<Option<String>>(name, None)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error: ListError| mistake(ctx, &format!("{name}: {error}")))
}

/// A number of documents; `None` where none is given and there is no default.
fn count(
    ctx: &Context<'_>,
    name: &str,
    default: Option<u32>,
    most: u32,
) -> ServerResult<Option<u32>> {
    let (_, number) = ctx.param_value::<Option<i64>>(name, None)?;
    let Some(number) = number else {
        return Ok(default.map(|default| default.min(most)));
    };
    let Ok(number) = u64::try_from(number) else {
        return Err(mistake(
            ctx,
            &format!("{name} is {number}, and cannot be negative"),
        ));
    };
    match u32::try_from(number) {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => Err(mistake(
            ctx,
            &format!("{name} is {number}, and at most {most}; ask for the rest in further pages"),
        )),
    }
}

/// An argument as it was given.
struct Given(Value);

fn argument(ctx: &Context<'_>, name: &str) -> ServerResult<Given> {
    ctx.param_value(name, None).map(|(_, given)| given)
}

/// The type of an argument is that of the table: the library has checked it by its name.
impl InputType for Given {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("JSON")
    }

    fn create_type_info(_: &mut Registry) -> String {
        Self::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        value
            .map_or(Ok(Self(Value::Null)), |value| Ok(Self(value)))
            .map_err(InputValueError::<Self>::propagate::<Self>)
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// An error of whom asked.
fn mistake(ctx: &Context<'_>, text: &str) -> ServerError {
    let mut error = ServerError::new(text, Some(ctx.item.pos));
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", "BAD_USER_INPUT");
    error.extensions = Some(extensions);
    error
}

/// An error of a read: of whom asked, or of the server, which is the source of it.
fn failed(ctx: &Context<'_>, error: ListError) -> ServerError {
    match error {
        ListError::Read(error) => {
            async_graphql::Error::new_with_source(error).into_server_error(ctx.item.pos)
        }
        error => mistake(ctx, &error.to_string()),
    }
}
