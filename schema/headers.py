"""What every answer tells browsers: to make no page of it, to run nothing in it, and to come back over HTTPS only."""

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

from saas.base.settings import Settings

Header = tuple[bytes, bytes]

NOTHING = b"default-src 'none'; frame-ancestors 'none'"
"""The policy of answers: they are data, and nothing may be loaded, run or framed by way of them."""
HTTPS_ONLY = b"max-age=31536000; includeSubDomains"
"""For a year, as ASVS asks. Sites of brands are below the base domain, which is covered by what its own answers say."""
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def headers_of(settings: Settings) -> Sequence[Header]:
    """The headers of every answer of this installation, but for the policy."""
    found = [
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
    ]
    return [*found, (b"strict-transport-security", HTTPS_ONLY)] if settings.secure_cookies else found


def policy_of_page(html: str) -> bytes:
    """The policy of GraphiQL's page: this server's own files, and the page's own scripts, known by their hashes.

    Its editor writes styles into the page, so those are allowed.
    """
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in _INLINE.findall(html))
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "img-src 'self' data:; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ).encode()


def _hash(script: str) -> str:
    return b64encode(sha256(script.encode()).digest()).decode()
