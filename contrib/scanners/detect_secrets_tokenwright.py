"""detect-secrets: finds the secrets of Tokenwright's tokens, by their checksum.

README.md beside this file says how to use it.
"""

import re
import zlib

from detect_secrets.plugins.base import RegexBasedDetector

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM_LENGTH = 6


class TokenwrightDetector(RegexBasedDetector):
    """Finds secrets with the right checksum, whatever is around them."""

    secret_type = "Tokenwright API Token"

    # No boundary on either side: the checksum tells a secret from a look-alike.
    denylist = [re.compile(r"twr_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}")]

    def analyze_string(self, string):
        for match in super().analyze_string(string):
            body, given = match[:-CHECKSUM_LENGTH], match[-CHECKSUM_LENGTH:]
            if checksum(body) == given:
                yield match


def checksum(text):
    """CRC-32 of the text in base62, as the server writes it."""
    rest = zlib.crc32(text.encode("ascii"))
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits
