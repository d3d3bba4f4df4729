//! What queries of lists are made of, beyond what diesel has.

mod compared;
mod contains;
mod holds_all;
mod in_line;
mod in_time;
mod includes;
mod part;
mod rare_label;

pub(crate) use compared::Compared;
pub(crate) use contains::contains;
pub(crate) use holds_all::HoldsAll;
pub(crate) use in_line::InLine;
pub(crate) use in_time::InTime;
pub(crate) use includes::Includes;
pub(crate) use part::Part;
pub(crate) use rare_label::RareLabel;

/// Makes a fragment over the columns `C` a condition that queries can be filtered by.
macro_rules! condition {
    ($name:ident) => {
        impl<C: diesel::Expression> diesel::Expression for $name<C> {
            type SqlType = diesel::sql_types::Bool;
        }

        impl<C> diesel::query_builder::QueryId for $name<C> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl<C> diesel::expression::ValidGrouping<()> for $name<C> {
            type IsAggregate = diesel::expression::is_aggregate::No;
        }

        impl<C: diesel::AppearsOnTable<QS>, QS> diesel::AppearsOnTable<QS> for $name<C> {}

        impl<C: diesel::SelectableExpression<QS>, QS> diesel::SelectableExpression<QS>
            for $name<C>
        {
        }
    };
}

use condition;
