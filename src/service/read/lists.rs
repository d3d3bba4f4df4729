//! Reading lists, page by page.

use super::ReadError;
use crate::db::DbError;
use crate::domain::api_token::ApiToken;
use crate::domain::audit::AuditEvent;
use crate::domain::filter::{ApiTokenFilter, AuditEventFilter, UserFilter};
use crate::domain::order::{ApiTokenOrder, AuditEventOrder, Sequence, UserOrder};
use crate::domain::page::{Page, PageRequest, Scan};
use crate::domain::permission::required;
use crate::domain::policy::Policy;
use crate::domain::principal::Principal;
use crate::domain::user::User;
use crate::repository::List;
use crate::service::Service;

/// Which parts of a page a caller wants. Other parts are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whether the rows are wanted.
    pub rows: bool,
    /// Whether there are rows before the page. Unless a cursor bounds it there, this costs nothing.
    pub has_previous: bool,
    /// Whether there are rows after the page. Unless a cursor bounds it there, this costs nothing.
    pub has_next: bool,
    /// Whether the total count is wanted.
    pub total: bool,
}

/// The requested parts of a list.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// Empty if the rows were not requested.
    pub page: Page<T>,
    /// The rows on all pages.
    pub total: Option<i64>,
}

impl Service {
    /// A page of the tokens that are not deleted. The filter is by the effective expiry under this
    /// policy.
    ///
    /// # Errors
    /// When the caller may not read tokens, or the database does not answer.
    pub async fn list_api_tokens(
        &self,
        principal: &Principal,
        policy: &Policy,
        filter: &ApiTokenFilter,
        request: &PageRequest<ApiTokenOrder>,
        wanted: Wanted,
    ) -> Result<Listing<ApiToken>, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        let (now, field) = (self.clock.now(), request.order().field);
        let list = self.repository.api_token_list(filter, policy, now, field);
        Ok(read(&list, request, wanted).await?)
    }

    /// A page of the users.
    ///
    /// # Errors
    /// When the caller may not read users, or the database does not answer.
    pub async fn list_users(
        &self,
        principal: &Principal,
        filter: UserFilter,
        request: &PageRequest<UserOrder>,
        wanted: Wanted,
    ) -> Result<Listing<User>, ReadError> {
        principal.require(required::USERS_READ)?;
        Ok(read(&self.repository.user_list(filter), request, wanted).await?)
    }

    /// A page of the audit events.
    ///
    /// # Errors
    /// When the caller may not read tokens, or the database does not answer.
    pub async fn list_audit_events(
        &self,
        principal: &Principal,
        filter: AuditEventFilter,
        request: &PageRequest<AuditEventOrder>,
        wanted: Wanted,
    ) -> Result<Listing<AuditEvent>, ReadError> {
        principal.require(required::API_TOKENS_READ)?;
        Ok(read(&self.repository.audit_event_list(filter), request, wanted).await?)
    }
}

async fn read<L: List, O: Copy + Into<Sequence>>(
    list: &L,
    request: &PageRequest<O>,
    wanted: Wanted,
) -> Result<Listing<L::Item>, DbError> {
    let rows = if wanted.rows { list.scan(request.scan()).await? } else { Vec::new() };
    let mut page = request.page(rows);
    if wanted.has_previous && !page.has_previous {
        page.has_previous = is_any(list, request.scan_before()).await?;
    }
    if wanted.has_next && !page.has_next {
        page.has_next = is_any(list, request.scan_after()).await?;
    }
    let total = if wanted.total { Some(list.count().await?) } else { None };
    Ok(Listing { page, total })
}

async fn is_any<L: List>(list: &L, scan: Option<Scan>) -> Result<bool, DbError> {
    let Some(scan) = scan else { return Ok(false) };
    Ok(!list.scan(scan).await?.is_empty())
}
