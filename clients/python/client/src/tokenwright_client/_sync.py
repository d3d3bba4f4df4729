import os
import ssl
import threading
import time
from collections.abc import Callable, Sequence

import httpx2

from ._cache import Cache
from ._credentials import bearer
from ._introspection import BROKEN, MAX_BODY, NoAnswer, client_options, form, read, unavailable
from ._principal import Principal
from ._question import Question
from ._refusal import Refusal
from ._settings import Settings, canonical


class Tokenwright:
    """Tokenwright, as a service with threads sees it. Make one for the whole process: connections are kept in it.

    `url` is that of Tokenwright, such as ``http://127.0.0.1:8080``, and `token` the secret of this service's own token,
    which needs the permission ``api.api-tokens.read``. Each step of an answer, such as connecting, is waited for
    `timeout` seconds; then the request is refused with 503.

    `cache_seconds` remembers for so long that a token is active, 10 seconds at most. **For so long, a token that was
    deleted, disabled or narrowed goes on to work here.** Unless told, every request is asked about, and a change takes
    effect on the next one.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 2,
        cache_seconds: float = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = Settings.read(url, token, timeout, cache_seconds, ssl_context)
        self._cache = Cache(cache_seconds)
        self._lock = threading.Lock()
        self._connected: _Connected | None = None

    def authenticate(self, authorization: Sequence[str], client_address: str | None) -> Principal:
        """Who asks, from all ``Authorization`` headers of a request and the address of its client.

        The address is ``None`` when it is unknown, and then a token that is bound to addresses does not pass. Raises a
        `Refusal` where the request must not pass.
        """
        secret = bearer(authorization)
        address = canonical(client_address)
        question = Question.of(secret, address)
        if remembered := self._cache.get(question):
            return remembered
        asked = time.monotonic()
        answer = self._connection().flights.join(question, lambda: self._ask(secret, address), self._settings.timeout)
        if isinstance(answer, Refusal):
            # A new one: an exception that several raise collects their tracebacks.
            raise Refusal(answer.error, scope=answer.scope, retry_after=answer.retry_after)
        self._cache.put(question, asked, answer)
        return answer

    def close(self) -> None:
        """Closes the connections that are kept."""
        with self._lock:
            connected, self._connected = self._connected, None
        if connected is not None:
            connected.client.close()

    def _connection(self) -> "_Connected":
        """Connections belong to a process: workers that are forked make their own."""
        connected = self._connected
        if connected is None or connected.process != os.getpid():
            with self._lock:
                connected = self._connected
                if connected is None or connected.process != os.getpid():
                    connected = self._connected = _Connected(httpx2.Client(**client_options(self._settings)))
        return connected

    def _ask(self, secret: str, address: str | None) -> Principal | Refusal:
        try:
            try:
                return self._ask_once(secret, address)
            except BROKEN:
                return self._ask_once(secret, address)
        except (NoAnswer, httpx2.HTTPError) as error:
            return unavailable(error)

    def _ask_once(self, secret: str, address: str | None) -> Principal | Refusal:
        client = self._connection().client
        end = time.monotonic() + self._settings.timeout
        with client.stream("POST", self._settings.endpoint, data=form(secret, address)) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    raise NoAnswer(f"the body is larger than {MAX_BODY} bytes")
                if time.monotonic() > end:
                    raise NoAnswer("the body did not come in time")
            return read(response.status_code, response.headers, bytes(body))


class _Connected:
    def __init__(self, client: httpx2.Client) -> None:
        self.process = os.getpid()
        self.client = client
        self.flights = _Flights()


class _Flight:
    """A question, with the next one about the same token, if somebody waits for it."""

    def __init__(self, lock: threading.Lock, is_ready: bool) -> None:
        self.changed = threading.Condition(lock)
        self.is_ready = is_ready
        self.is_asked = False
        self.answer: Principal | Refusal | None = None
        self.next: _Flight | None = None

    def may_go_on(self) -> bool:
        return self.answer is not None or (self.is_ready and not self.is_asked)


class _Flights:
    """At most one question about a token is on its way at a time.

    Who asks while one is on its way does not get its answer: that may have been found before a change that the asker
    already knows of. All who ask meanwhile share the next one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Question, _Flight] = {}

    def join(
        self, question: Question, ask: Callable[[], Principal | Refusal], timeout: float
    ) -> Principal | Refusal:
        """The answer to a question that is asked after this call; by this thread, or by another that waits for it."""
        with self._lock:
            flight = self._running.get(question)
            if flight is None:
                flight = self._running[question] = _Flight(self._lock, is_ready=True)
            elif flight.is_asked:
                flight.next = flight.next or _Flight(self._lock, is_ready=False)
                flight = flight.next
            if not flight.changed.wait_for(flight.may_go_on, timeout):
                return unavailable(TimeoutError("Tokenwright did not answer in time"))
            if flight.answer is not None:
                return flight.answer
            flight.is_asked = True
        answer: Principal | Refusal = Refusal("unavailable")
        try:
            answer = ask()
        finally:
            self._land(question, flight, answer)
        return answer

    def _land(self, question: Question, flight: _Flight, answer: Principal | Refusal) -> None:
        with self._lock:
            flight.answer = answer
            flight.changed.notify_all()
            following = flight.next
            if following is None:
                del self._running[question]
            else:
                self._running[question] = following
                following.is_ready = True
                following.changed.notify_all()
