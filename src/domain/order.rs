//! The orders that lists are read in.

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
}

/// What tokens are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiTokenOrderField {
    /// What names are compared by, byte by byte.
    Name,
    /// When the token was created.
    CreationDate,
    /// When the token expires.
    Expiry,
    /// A token that was never used comes before all others.
    LastUsedDate,
}

/// An order of tokens. Equal values are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiTokenOrder {
    /// What the list is ordered by.
    pub field: ApiTokenOrderField,
    /// Ascending or descending.
    pub direction: Direction,
}

impl Default for ApiTokenOrder {
    /// The newest first.
    fn default() -> Self {
        Self { field: ApiTokenOrderField::CreationDate, direction: Direction::Descending }
    }
}

/// A list in an order. A cursor belongs to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequence {
    /// The list of tokens, in one of its orders.
    ApiTokens(ApiTokenOrder),
    /// The oldest first, as their ids sort.
    Users,
    /// The newest first.
    AuditEvents,
}

/// What an order sorts by before the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// No field: only the id.
    Nothing,
    /// An instant.
    Instant,
    /// A text.
    Text,
}

/// The order of users: the oldest first, as their ids sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder;

/// The order of audit events: the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditEventOrder;

impl From<ApiTokenOrder> for Sequence {
    fn from(order: ApiTokenOrder) -> Self {
        Self::ApiTokens(order)
    }
}

impl From<UserOrder> for Sequence {
    fn from(UserOrder: UserOrder) -> Self {
        Self::Users
    }
}

impl From<AuditEventOrder> for Sequence {
    fn from(AuditEventOrder: AuditEventOrder) -> Self {
        Self::AuditEvents
    }
}

impl Sequence {
    /// Which way it runs.
    pub const fn direction(self) -> Direction {
        match self {
            Self::ApiTokens(order) => order.direction,
            Self::Users => Direction::Ascending,
            Self::AuditEvents => Direction::Descending,
        }
    }

    /// What it is sorted by.
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::ApiTokens(ApiTokenOrder { field: ApiTokenOrderField::Name, .. }) => KeyKind::Text,
            Self::ApiTokens(_) | Self::AuditEvents => KeyKind::Instant,
            Self::Users => KeyKind::Nothing,
        }
    }

    /// The number of this list and order in a cursor. Clients may keep cursors, so a number never
    /// gets a new meaning.
    pub const fn number(self) -> u8 {
        match self {
            Self::ApiTokens(ApiTokenOrder { field, direction }) => {
                let field = match field {
                    ApiTokenOrderField::Name => 10,
                    ApiTokenOrderField::CreationDate => 12,
                    ApiTokenOrderField::Expiry => 14,
                    ApiTokenOrderField::LastUsedDate => 16,
                };
                match direction {
                    Direction::Ascending => field,
                    Direction::Descending => field + 1,
                }
            }
            Self::Users => 20,
            Self::AuditEvents => 31,
        }
    }
}
