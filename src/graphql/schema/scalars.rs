//! The two scalars of our own.
//!
//! Both take any text: what is wrong with it is reported together with the other faults of the
//! input, by the use case, with its field and reason.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

use super::leaves::Leaf;
use crate::domain::address;
use crate::domain::clock::{Instant, written};
use crate::service::RequestedExpiry;

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateTime(RequestedExpiry);

impl DateTime {
    /// What was asked for.
    pub(super) const fn requested(self) -> RequestedExpiry {
        self.0
    }
}

impl From<Instant> for DateTime {
    fn from(instant: Instant) -> Self {
        Self(RequestedExpiry::at(instant))
    }
}

/// An instant in the format of RFC 3339, such as `2027-01-31T12:00:00Z`. Answers are in UTC, to the
/// microsecond at most. You may use any offset, such as `+02:00`, but not leave it out.
#[Scalar(name = "DateTime", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(RequestedExpiry::parse(&text))),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        self.0.instant().map_or(Value::Null, |instant| Value::String(written(instant)))
    }
}

impl Leaf for IpNetwork {
    fn value(&self) -> Value {
        self.to_value()
    }
}

/// An address or network, as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IpNetwork(pub(super) String);

impl From<address::IpNetwork> for IpNetwork {
    fn from(network: address::IpNetwork) -> Self {
        Self(network.to_string())
    }
}

/// An IP address or a CIDR network, IPv4 or IPv6, in canonical form, such as `192.0.2.7` or
/// `2001:db8::/32`. Host bits, leading zeros, zone ids and IPv4-mapped forms are refused, each with
/// a message and a `reason`.
#[Scalar(name = "IpNetwork", specified_by_url = "https://datatracker.ietf.org/doc/html/rfc4632")]
impl ScalarType for IpNetwork {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
