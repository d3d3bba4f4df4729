"""Asks Tokenwright about API tokens.

``tokenwright-fastapi`` and ``tokenwright-django`` put this core behind the idioms of their frameworks. Use it yourself
for any other: `Tokenwright` in threads, `AsyncTokenwright` with asyncio.

A request is let through only when Tokenwright has just said that its token is active: whatever goes wrong on the way to
that answer is a `Refusal` with status 503. Nothing is remembered, unless ``cache_seconds`` asks for it.
"""

from ._async import AsyncTokenwright
from ._principal import Principal
from ._refusal import Refusal
from ._settings import MAX_CACHE_SECONDS
from ._sync import Tokenwright

__version__ = "0.1.0"
__all__ = ["MAX_CACHE_SECONDS", "AsyncTokenwright", "Principal", "Refusal", "Tokenwright"]
