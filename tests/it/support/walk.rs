//! Walking a list from page to page, as a client does.

use serde_json::{Value, json};

use super::{Answer, Random, TestApp};

/// A list, with the arguments that stay the same over a walk.
pub struct Walk<'a> {
    pub app: &'a TestApp,
    /// The root field.
    pub field: &'static str,
    pub filter: Value,
    pub order_by: Value,
}

/// What a page showed.
#[derive(Debug, Clone)]
pub struct Page {
    pub ids: Vec<String>,
    pub cursors: Vec<String>,
    pub has_previous: bool,
    pub has_next: bool,
    pub total: usize,
}

impl<'a> Walk<'a> {
    /// The whole list in its usual order.
    pub fn over(app: &'a TestApp, field: &'static str) -> Self {
        Self { app, field, filter: Value::Null, order_by: Value::Null }
    }

    /// The list of tokens in this order, such as `NAME DESC`.
    pub fn by(app: &'a TestApp, order: &str) -> Self {
        let (field, direction) = order.split_once(' ').unwrap();
        let order_by = json!({ "field": field, "direction": direction });
        Self { order_by, ..Self::over(app, "apiTokens") }
    }

    /// The same with a filter.
    pub fn with(self, filter: Value) -> Self {
        Self { filter, ..self }
    }

    /// Asks for a page, as the administrator.
    pub async fn ask(&self, paging: Value) -> Answer {
        self.ask_as(&self.app.admin, paging).await
    }

    /// Asks for a page.
    pub async fn ask_as(&self, token: &str, paging: Value) -> Answer {
        let (filter, order, by) = match self.field {
            "apiTokens" => ("ApiTokenFilter", ", $orderBy: ApiTokenOrder", ", orderBy: $orderBy"),
            "users" => ("UserFilter", "", ""),
            _ => ("AuditEventFilter", "", ""),
        };
        let query = format!(
            "query ($first: Int, $after: String, $last: Int, $before: String, $filter: {filter}{order}) {{
                {}(first: $first, after: $after, last: $last, before: $before, filter: $filter{by}) {{
                    edges {{ cursor node {{ id }} }} nodes {{ id }} totalCount
                    pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }}
                }} }}",
            self.field
        );
        let mut variables = paging;
        for (name, value) in [("filter", &self.filter), ("orderBy", &self.order_by)] {
            if !value.is_null() {
                variables[name] = value.clone();
            }
        }
        self.app.graphql(token, &query, variables).await
    }

    /// A page without errors, whose parts agree.
    pub async fn page(&self, paging: Value) -> Page {
        let answer = self.ask(paging).await;
        let page = &answer.data()[self.field];
        let edges = page["edges"].as_array().unwrap();
        let texts = |path: &str| -> Vec<String> {
            let text = |edge: &Value| edge.pointer(path).unwrap().as_str().unwrap().to_owned();
            edges.iter().map(text).collect()
        };
        let (ids, cursors) = (texts("/node/id"), texts("/cursor"));
        let nodes = page["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone());
        assert_eq!(nodes.collect::<Vec<_>>(), ids);
        let info = &page["pageInfo"];
        assert_eq!(info["startCursor"], json!(cursors.first()));
        assert_eq!(info["endCursor"], json!(cursors.last()));
        Page {
            ids,
            cursors,
            has_previous: info["hasPreviousPage"].as_bool().unwrap(),
            has_next: info["hasNextPage"].as_bool().unwrap(),
            total: usize::try_from(page["totalCount"].as_u64().unwrap()).unwrap(),
        }
    }

    /// All ids, from the first page to the last, with pages of random sizes, while nothing changes.
    pub async fn forward(&self, random: &mut Random) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        let mut after = Value::Null;
        loop {
            let size = 1 + random.below(15);
            let page = self.page(json!({ "first": size, "after": after })).await;
            assert_eq!(page.has_previous, !ids.is_empty());
            ids.extend(page.ids.iter().cloned());
            assert_eq!(page.has_next, ids.len() < page.total);
            if !page.has_next {
                assert_eq!(ids.len(), page.total);
                return ids;
            }
            assert_eq!(page.ids.len(), size);
            after = json!(page.cursors.last());
        }
    }

    /// All ids, from the last page to the first; as they stand in the list.
    pub async fn backward(&self, random: &mut Random) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        let mut before = Value::Null;
        loop {
            let size = 1 + random.below(15);
            let page = self.page(json!({ "last": size, "before": before })).await;
            assert_eq!(page.has_next, !ids.is_empty());
            ids.splice(0..0, page.ids.iter().cloned());
            assert_eq!(page.has_previous, ids.len() < page.total);
            if !page.has_previous {
                assert_eq!(ids.len(), page.total);
                return ids;
            }
            assert_eq!(page.ids.len(), size);
            before = json!(page.cursors.first());
        }
    }
}
