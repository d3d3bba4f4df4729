from rest_framework import exceptions
from tokenwright_client import Refusal


class TokenRefused(exceptions.APIException):
    """A refusal as an exception of the framework, which answers it: `auth_header` and `wait` become headers."""

    def __init__(self, refusal: Refusal) -> None:
        self.status_code = refusal.status
        super().__init__(refusal.message, refusal.error)
        if refusal.challenge is not None:
            self.auth_header = refusal.challenge
        if refusal.retry_after is not None:
            self.wait = refusal.retry_after
