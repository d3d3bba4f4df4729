//! Collects what is wrong with the arguments of a field, so that all of it is reported together.

use std::str::FromStr;

use async_graphql::{Context, ID};

use super::id::ID_MESSAGE;
use super::scalars::DateTime;
use crate::domain::clock::Instant;
use crate::domain::fault::{Field, FilterField, InputFault};
use crate::domain::order::Sequence;
use crate::domain::page::{PageArguments, PageRequest};
use crate::graphql::error::{GqlError, report_all};

/// What is wrong with the arguments so far.
#[derive(Default)]
pub(super) struct ArgumentErrors(Vec<InputFault>);

impl ArgumentErrors {
    /// Is nothing wrong so far?
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The checked value; an error is kept.
    pub(super) fn check<T>(&mut self, checked: Result<T, InputFault>) -> Option<T> {
        checked.map_err(|fault| self.0.push(fault)).ok()
    }

    /// The checked value; all errors are kept.
    pub(super) fn check_all<T>(&mut self, checked: Result<T, Vec<InputFault>>) -> Option<T> {
        checked.map_err(|mut faults| self.0.append(&mut faults)).ok()
    }

    /// Reads an id that a client may have sent.
    pub(super) fn id<T: FromStr>(&mut self, field: FilterField, id: Option<ID>) -> Option<T> {
        let parsed = id?.parse();
        self.check(
            parsed.map_err(|_| InputFault::invalid(Field::Filter(field), "id_syntax", ID_MESSAGE)),
        )
    }

    /// Reads an instant that a client may have sent.
    pub(super) fn instant(
        &mut self,
        field: FilterField,
        date: Option<DateTime>,
    ) -> Option<Instant> {
        let message =
            "The instant must be one of RFC 3339 with a zone, such as 2027-01-31T12:00:00Z.";
        let instant = date?.requested().instant();
        self.check(
            instant
                .ok_or_else(|| InputFault::invalid(Field::Filter(field), "date_syntax", message)),
        )
    }

    /// Reads which page is asked for.
    pub(super) fn page<O: Copy + Into<Sequence>>(
        &mut self,
        order: O,
        asked: &PageArguments,
    ) -> Option<PageRequest<O>> {
        self.check_all(PageRequest::check(order, asked))
    }

    /// What was read, if nothing is wrong; else all errors.
    pub(super) fn or_report<T>(self, ctx: &Context<'_>, read: Option<T>) -> Result<T, GqlError> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(report_all(ctx, self.0.into_iter().map(GqlError::Fault).collect())),
        }
    }
}
