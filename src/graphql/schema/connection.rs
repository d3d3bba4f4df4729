//! Connections: a page of a list as Relay clients know it. The types of the engine do not fit:
//! their descriptions promise less of `PageInfo`, and they have no place for a count that is made
//! on request.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::{Context, Object, OutputType, SimpleObject, TypeName};

use crate::domain::principal::Principal;
use crate::graphql::context::{held, list_turn, principal};
use crate::graphql::engine::budget::Held;
use crate::graphql::error::GqlError;
use crate::graphql::schema::plain::{One, Plain, Rows, is_plain};
use crate::service::{Listing, ReadError, Wanted};

/// A page of a list.
pub(super) struct Connection<T> {
    edges: Vec<Edge<T>>,
    has_previous_page: bool,
    has_next_page: bool,
    total: Option<i64>,
}

/// A row of a page.
pub(super) struct Edge<T> {
    cursor: String,
    node: T,
}

impl<T> Edge<T> {
    /// A row that is shown without its page.
    pub(super) const fn new(cursor: String, node: T) -> Self {
        Self { cursor, node }
    }
}

/// Where a page lies in its list.
#[derive(SimpleObject)]
struct PageInfo {
    /// Whether there are rows after this page now, in whichever direction you page.
    has_next_page: bool,
    /// Whether there are rows before this page now, in whichever direction you page.
    has_previous_page: bool,
    /// The first row's cursor: give it as `before`, with `last`, to get the previous page. Null for
    /// an empty page.
    start_cursor: Option<String>,
    /// The last row's cursor: give it as `after` to get the next page. Null for an empty page.
    end_cursor: Option<String>,
}

impl<T> Connection<T> {
    /// What was read, each row as `node` shows it.
    fn new<V: Held>(
        ctx: &Context<'_>,
        listing: Listing<V>,
        node: impl Fn(V) -> T,
    ) -> Result<Self, GqlError> {
        let page = listing.page;
        let edge = |row: crate::domain::page::Row<V>| {
            let cursor = row.position.to_cursor(page.sequence);
            Ok(Edge { cursor, node: node(held(ctx, row.value)?) })
        };
        Ok(Self {
            edges: page.rows.into_iter().map(edge).collect::<Result<_, GqlError>>()?,
            has_previous_page: page.has_previous,
            has_next_page: page.has_next,
            total: listing.total,
        })
    }
}

/// A list field: `read` gets the caller and the selected parts, and runs while no other list of the
/// request is read.
pub(super) async fn list<'a, V: Held, T, F>(
    ctx: &Context<'a>,
    read: impl FnOnce(&'a Principal, Wanted) -> F,
    node: impl Fn(V) -> T,
) -> Result<Option<Connection<T>>, GqlError>
where
    F: Future<Output = Result<Listing<V>, ReadError>>,
{
    let (caller, wanted) = (principal(ctx)?, wanted(ctx));
    let _turn = list_turn(ctx).await?;
    // Boxed, as this is a part of the future of every root field, which is moved about.
    let listing = Box::pin(read(caller, wanted)).await?;
    Connection::new(ctx, listing, node).map(Some)
}

/// Which parts of the connection are selected.
fn wanted(ctx: &Context<'_>) -> Wanted {
    let selected = ctx.look_ahead();
    let page_info = selected.field("pageInfo");
    Wanted {
        rows: ["edges", "nodes", "pageInfo"].iter().any(|name| selected.field(name).exists()),
        has_previous: page_info.field("hasPreviousPage").exists(),
        has_next: page_info.field("hasNextPage").exists(),
        total: selected.field("totalCount").exists(),
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A page of a list, with facts about the whole list.
#[Object(name_type)]
impl<T: Plain> Connection<T> {
    /// The rows of the page, each with its cursor.
    async fn edges(&self) -> Rows<'_, Edge<T>> {
        Rows(self.edges.iter().collect())
    }

    /// The rows of the page, without cursors.
    async fn nodes(&self) -> Rows<'_, T> {
        Rows(self.edges.iter().map(|edge| &edge.node).collect())
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |edge: Option<&Edge<T>>| edge.map(|edge| edge.cursor.clone());
        PageInfo {
            has_next_page: self.has_next_page,
            has_previous_page: self.has_previous_page,
            start_cursor: cursor(self.edges.first()),
            end_cursor: cursor(self.edges.last()),
        }
    }

    /// How many rows match the filter, on all pages. Counted only if selected; for many rows that
    /// takes longer than reading the page.
    async fn total_count(&self) -> Result<i32, GqlError> {
        let total = self.total.ok_or_else(|| GqlError::internal("the rows were not counted"))?;
        Ok(i32::try_from(total).unwrap_or(i32::MAX))
    }
}

/// A row of a page, with its cursor.
#[Object(name_type)]
impl<T: Plain> Edge<T> {
    /// The place of this row in this list and order, for `after` and `before`. Opaque; it stays
    /// valid when the row is gone.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The row itself.
    async fn node(&self) -> One<&T> {
        One(&self.node)
    }
}

impl<T: Plain> Plain for Edge<T> {
    fn is_plain(field: &Field) -> bool {
        match field.name.node.as_str() {
            "cursor" => true,
            "node" => is_plain::<T>(&field.selection_set.node),
            _ => false,
        }
    }
}
