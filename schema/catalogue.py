"""The catalogue of errors, made from the code: every code, what it means, and the sentence in both languages."""

import re
from collections.abc import Mapping
from typing import Final

from saas.base.errors import DomainError
from schema.errors import ErrorCode

OUTSIDE: Final[Mapping[str, tuple[str, str]]] = {
    "BAD_REQUEST": ("400", "The request, its document or its variables are not valid; `message` says what is wrong."),
    "UNAUTHENTICATED": ("401", "Log in; the token or cookie is missing or does not hold."),
    "FORBIDDEN": (
        "403",
        "The role may not use that field, which is named in `coordinate`; or the page's origin may not.",
    ),
    "SECOND_FACTOR_REQUIRED": ("403", "The brand asks the role for a second factor: `beginSecondFactor`."),
    "DOCUMENT_NOT_TRUSTED": ("403", "The brand takes registered operations only: `registerDocuments`."),
    "NOT_FOUND": ("404", "There is no brand at this address."),
    "RATE_LIMITED": ("429", "Too many requests; the header `retry-after` says how many seconds to wait."),
    "TIMED_OUT": ("503", "The request took too long; what it had not committed was undone."),
    "PERSISTED_QUERY_NOT_FOUND": ("400", "Nobody has sent this hash's text here lately; send it along, once."),
    "COST_EXCEEDED": ("400", "The operation costs more than the caller may spend; see `extensions.cost`."),
    "OPERATION_TOO_DEEP": ("400", "Fields are nested too deep."),
    "TOO_MANY_ALIASES": ("400", "There are too many aliases, fragments counted each time they are spread."),
    "TOO_MANY_DIRECTIVES": ("400", "There are too many directives, fragments counted each time they are spread."),
    "TOO_REPETITIVE": ("400", "The same field or fragment stands there again and again."),
    "INTERNAL": ("200", "Our fault; quote the `requestId`, which is also the header `x-request-id`."),
}
"""Codes of ``errors``, beside ``userErrors``: their HTTP status, and what they mean."""


def catalogue() -> str:
    """The page, for people."""
    lines = [
        "# Errors",
        "",
        "Written by `python main.py export-schema` from the code. Codes are stable; messages are for people.",
        "",
        "## Of an operation",
        "",
        "In `errors[].extensions.code`. The status is that of `application/graphql-response+json`; with",
        "`application/json` an operation that was refused before anything ran answers 200.",
        "A read may also be refused with a code of the next table, and its `field`.",
        "",
        "| code | status | meaning |",
        "|---|---|---|",
        *(f"| `{code}` | {status} | {meaning} |" for code, (status, meaning) in OUTSIDE.items()),
        "",
        "## Of a change",
        "",
        "In `userErrors[].code`, the enum `ErrorCode`, with the path of the input at fault in `field`. Words in braces",
        "are filled in.",
        "",
        "| code | meaning | message |",
        "|---|---|---|",
        *(_row(member.name, DomainError.registry[member.name]) for member in ErrorCode),
    ]
    return "\n".join(lines) + "\n"


def _row(code: str, error: type[DomainError]) -> str:
    meaning = " ".join((error.__doc__ or "").split("\n\n")[0].split())
    shown = (re.sub(r"``(.+?)``", r"`\1`", text).replace("|", "\\|") for text in (meaning, error.en, error.zh))
    meaning, english, chinese = shown
    return f"| `{code}` | {meaning} | {english}<br>{chinese} |"
