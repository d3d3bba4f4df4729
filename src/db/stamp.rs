//! What a row was read under.

/// The state of the database as one reader saw it. As long as the same reader gives the same stamp,
/// no row has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    /// Whose version it is: versions of two readers cannot be compared.
    pub(crate) reader: u32,
    /// Changes with each commit of anybody.
    pub(crate) version: i32,
}
