from functools import cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from tokenwright_client import Tokenwright

_NAMES = {"URL": "url", "TOKEN": "token", "TIMEOUT": "timeout", "CACHE_SECONDS": "cache_seconds", "SSL_CONTEXT": "ssl_context"}


@cache
def tokenwright() -> Tokenwright:
    """The one of the setting ``TOKENWRIGHT``. Restart to change it."""
    given = getattr(settings, "TOKENWRIGHT", {})
    unknown = sorted(given.keys() - _NAMES.keys())
    if unknown or "URL" not in given or "TOKEN" not in given:
        raise ImproperlyConfigured(f"TOKENWRIGHT needs URL and TOKEN, and knows {', '.join(_NAMES)} only")
    try:
        return Tokenwright(**{_NAMES[name]: value for name, value in given.items()})
    except ValueError as error:
        raise ImproperlyConfigured(f"TOKENWRIGHT: {error}") from error
