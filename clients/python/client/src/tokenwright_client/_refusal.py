_KINDS = {
    "token_missing": (401, "A bearer token is needed"),
    "invalid_request": (400, "One Authorization header with one bearer token is needed"),
    "invalid_token": (401, "The token is not valid here"),
    "insufficient_scope": (403, "The token lacks a permission"),
    "too_many_failures": (429, "Too many failed attempts"),
    "unavailable": (503, "The token cannot be checked now"),
}


class Refusal(Exception):
    """Why a request must not pass, with the answer that RFC 6750 section 3 asks for.

    `error` is the reason for programs:

    * ``token_missing``, 401: the request has no bearer token.
    * ``invalid_request``, 400: several ``Authorization`` headers, or one that is not well-formed.
    * ``invalid_token``, 401: the token is unknown, wrong, expired, disabled or deleted, or not allowed from the address
      of the client. Tokenwright's log says which.
    * ``insufficient_scope``, 403: the token is valid, and may not do this.
    * ``too_many_failures``, 429: too many wrong secrets came from this client.
    * ``unavailable``, 503: Tokenwright did not say whether the token is valid. The log of this service says why.
    """

    def __init__(self, error: str, *, scope: str | None = None, retry_after: int | None = None) -> None:
        status, message = _KINDS[error]
        super().__init__(message)
        self.error = error
        self.status: int = status
        self.message: str = message
        #: The permissions that are needed, separated by spaces, where one is missing.
        self.scope = scope
        #: Seconds until another attempt may succeed.
        self.retry_after = 1 if error == "unavailable" else retry_after

    @property
    def challenge(self) -> str | None:
        """The value of the header ``WWW-Authenticate``, where there is one."""
        if self.error in ("too_many_failures", "unavailable"):
            return None
        if self.error == "token_missing":
            # No error code where no token came (RFC 6750 section 3.1).
            return "Bearer"
        scope = "" if self.scope is None else f', scope="{self.scope}"'
        return f'Bearer error="{self.error}", error_description="{self.message}"{scope}'

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        headers = {"Cache-Control": "no-store"}
        if self.challenge is not None:
            headers["WWW-Authenticate"] = self.challenge
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers
