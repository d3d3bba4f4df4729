"""``POST /oauth2/introspect`` (RFC 7662): what is the same for both clients."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import httpx2

from ._principal import Principal
from ._refusal import Refusal
from ._settings import Settings

log = logging.getLogger("tokenwright")

# An answer is a few hundred bytes; with many permissions and labels, some thousands.
MAX_BODY = 256 * 1024

# Seconds; shorter than the 5 after which Tokenwright closes an idle connection.
_IDLE = 4

# A kept connection may end at the moment at which it is used; the question does no harm when it is asked again.
BROKEN = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)


class NoAnswer(Exception):
    """Tokenwright gave no answer. The text is for the log and holds no secret."""


def client_options(settings: Settings) -> dict[str, Any]:
    """No proxy of the environment and no redirect: both would hand secrets to somebody else."""
    return {
        "timeout": settings.timeout,
        "trust_env": False,
        "follow_redirects": False,
        "limits": httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_IDLE),
        "headers": {"authorization": f"Bearer {settings.token}", "accept": "application/json"},
        "verify": settings.ssl_context or True,
    }


def form(secret: str, client_address: str | None) -> dict[str, str]:
    """What is asked."""
    return {"token": secret} if client_address is None else {"token": secret, "client_address": client_address}


def read(status: int, headers: Mapping[str, str], body: bytes) -> Principal | Refusal:
    """What was answered. Everything that is not plainly active is not."""
    if status == 429:
        seconds = headers.get("retry-after", "")
        return Refusal("too_many_failures", retry_after=int(seconds) if seconds.isdecimal() else 1)
    if status in (401, 403):
        raise NoAnswer(f"Tokenwright refuses the token of this service ({status}); it needs api.api-tokens.read")
    if status != 200:
        raise NoAnswer(f"the status is {status}")
    try:
        answer = json.loads(body)
        if answer["active"] is False:
            return Refusal("invalid_token")
        if answer["active"] is not True:
            raise NoAnswer("the body is not an answer of Tokenwright")
        return Principal(
            user_id=_text(answer["sub"]),
            user_name=_text(answer.get("username", "")),
            token_id=_text(answer["client_id"]),
            permissions=frozenset(_text(answer.get("scope", "")).split()),
            labels=MappingProxyType(dict(answer.get("labels", {}))),
            expiry=datetime.fromtimestamp(answer["exp"], UTC),
        )
    except (ValueError, TypeError, KeyError, OverflowError, OSError) as error:
        raise NoAnswer("the body is not an answer of Tokenwright") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def unavailable(error: BaseException) -> Refusal:
    """The refusal where there is no answer; the reason goes to the log."""
    log.error("Tokenwright gave no answer: %s", str(error) or type(error).__name__)
    return Refusal("unavailable")
