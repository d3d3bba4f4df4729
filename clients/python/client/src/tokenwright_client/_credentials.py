import re
from collections.abc import Sequence

from ._refusal import Refusal

# Longer than any secret: what is longer is not handed on.
_MAX_LENGTH = 256
_PRINTABLE = re.compile(r"[\x20-\x7e\t]*")
_SCHEME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def bearer(lines: Sequence[str]) -> str:
    """The secret in the values of all ``Authorization`` headers (RFC 6750 section 2.1).

    There must be exactly one: of two, something else on the way may have read the other one. Some servers join them by
    a comma, which no secret has.
    """
    if not lines:
        raise Refusal("token_missing")
    line = lines[0]
    if len(lines) > 1 or not _PRINTABLE.fullmatch(line):
        raise Refusal("invalid_request")
    scheme, _, secret = line.partition(" ")
    if scheme.lower() != "bearer":
        raise Refusal("token_missing" if _SCHEME.fullmatch(scheme) else "invalid_request")
    secret = secret.lstrip(" ")
    if not secret or "," in secret:
        raise Refusal("invalid_request")
    if len(secret) > _MAX_LENGTH:
        raise Refusal("invalid_token")
    return secret
