//! What is wrong with an input, field by field.

/// One fault of one input. All faults of an input are reported together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFault {
    /// The input field, as clients spell it.
    pub field: &'static str,
    /// Which element, where the field is a list and one element is at fault.
    pub index: Option<usize>,
    pub kind: FaultKind,
    /// For programs; stable.
    pub reason: &'static str,
    /// For people: a whole sentence.
    pub message: String,
}

/// What sort of refusal a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The value itself cannot be accepted.
    Invalid,
    /// The value would reach further than the caller may.
    BeyondReach,
    /// Somebody else has the value already.
    Taken,
}

impl InputFault {
    /// A value that cannot be accepted.
    pub fn invalid(field: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { field, index: None, kind: FaultKind::Invalid, reason, message: message.into() }
    }

    /// A value that reaches further than the caller.
    pub fn beyond_reach(
        field: &'static str,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { kind: FaultKind::BeyondReach, ..Self::invalid(field, reason, message) }
    }

    /// A value that is in use.
    pub fn taken(field: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Taken, ..Self::invalid(field, reason, message) }
    }

    /// The same fault, of one element of a list.
    #[must_use]
    pub fn at(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }
}
