from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ._refusal import Refusal


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a user and the token that authenticated the request."""

    #: The id of the token's own user, ``usr_...``.
    user_id: str
    #: The name of that user, which is the name of the token.
    user_name: str
    #: The id of the token, ``tok_...``. Never its secret.
    token_id: str
    #: What the token may do, as dotted codes such as ``shop.orders.read``.
    permissions: frozenset[str]
    #: What was written on the token, such as ``{"tenant": "acme"}``. Labels give no authority by themselves.
    labels: Mapping[str, str]
    #: When the token ends, in UTC.
    expiry: datetime

    def has(self, *permissions: str) -> bool:
        """Does the token have all these permissions?"""
        return self.permissions.issuperset(permissions)

    def require(self, *permissions: str) -> None:
        """Requires all these permissions; raises a `Refusal` with status 403 where the token lacks one."""
        if not self.has(*permissions):
            raise Refusal("insufficient_scope", scope=" ".join(permissions))
