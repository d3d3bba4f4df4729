import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What an answer depends on. Compared by the digest of the secret, which is not kept with it."""

    digest: bytes
    client_address: str | None

    @classmethod
    def of(cls, secret: str, client_address: str | None) -> "Question":
        return cls(hashlib.sha256(secret.encode()).digest(), client_address)
