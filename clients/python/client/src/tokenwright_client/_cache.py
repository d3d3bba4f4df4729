import threading
import time
from datetime import UTC, datetime

from ._principal import Principal
from ._question import Question

# More than are in use within seconds; further ones are not remembered.
_MAX_ENTRIES = 10_000


class Cache:
    """Tokens that were found active a moment ago."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._entries: dict[Question, tuple[float, Principal]] = {}
        self._lock = threading.Lock()

    def get(self, question: Question) -> Principal | None:
        with self._lock:
            asked, principal = self._entries.get(question, (None, None))
        if asked is None or principal is None or time.monotonic() - asked >= self._seconds:
            return None
        return principal if principal.expiry > datetime.now(UTC) else None

    def put(self, question: Question, asked: float, principal: Principal) -> None:
        """`asked`: when the question was asked. The answer may be as old as that."""
        if not self._seconds:
            return
        with self._lock:
            if len(self._entries) >= _MAX_ENTRIES:
                oldest = time.monotonic() - self._seconds
                self._entries = {key: entry for key, entry in self._entries.items() if entry[0] > oldest}
            if len(self._entries) < _MAX_ENTRIES:
                self._entries[question] = (asked, principal)
