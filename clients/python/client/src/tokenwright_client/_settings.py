import ipaddress
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

#: The longest time for which an answer may be remembered.
MAX_CACHE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Settings:
    endpoint: str
    token: str = field(repr=False)
    timeout: float
    cache_seconds: float
    ssl_context: ssl.SSLContext | None

    @classmethod
    def read(
        cls, url: str, token: str, timeout: float, cache_seconds: float, ssl_context: ssl.SSLContext | None
    ) -> "Settings":
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError("the URL of Tokenwright must begin with http:// or https:// and hold no password")
        if not token or not all("!" <= character <= "~" for character in token):
            raise ValueError("the token of this service is empty or has characters that no token has")
        if not 0 < timeout <= 60:
            raise ValueError("the timeout must be 60 seconds at most")
        if not 0 <= cache_seconds <= MAX_CACHE_SECONDS:
            raise ValueError(f"answers may be remembered for {MAX_CACHE_SECONDS} seconds at most")
        path = parts.path.rstrip("/") + "/oauth2/introspect"
        endpoint = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        return cls(endpoint, token, timeout, cache_seconds, ssl_context)


def canonical(address: str | None) -> str | None:
    """An address as Tokenwright compares it; ``None`` if it is not one."""
    try:
        read = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    return str(getattr(read, "ipv4_mapped", None) or read)
