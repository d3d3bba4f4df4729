//! Who may introspect.

/// Who may see the schema by introspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    /// Everybody.
    Public,
    /// Whoever has a valid token.
    Authenticated,
    /// Nobody.
    Off,
}
