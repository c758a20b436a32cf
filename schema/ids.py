"""Global ids: a prefix that says what it is and the hex digits of the UUID, opaque to callers.

An id of another kind, of another brand or of nothing at all answers the same ``NOT_FOUND``.
"""

import re
from collections.abc import Callable
from uuid import UUID

import strawberry

from saas.base.errors import NotFound

PREFIXES = {
    "Adjustment": "adj",
    "ApiKey": "key",
    "AuditLine": "aud",
    "Award": "awd",
    "Commission": "com",
    "Distributor": "dst",
    "Event": "evt",
    "ExitCase": "ext",
    "ImportFile": "imp",
    "Job": "job",
    "Notification": "ntf",
    "LedgerTransaction": "txn",
    "Listing": "lst",
    "Member": "mem",
    "Order": "ord",
    "OrderLine": "lin",
    "OrangeEntry": "org",
    "Payout": "pay",
    "PayoutBatch": "bat",
    "PayoutDestination": "dest",
    "PeriodClose": "pcl",
    "PriceCase": "cas",
    "Product": "prd",
    "ProgramVersion": "prg",
    "ReturnCase": "ret",
    "Session": "ses",
    "Settlement": "stl",
    "Simulation": "sim",
    "Statement": "stm",
    "TierReview": "rev",
    "Webhook": "whk",
    "WebhookDelivery": "dlv",
    "WriteOff": "wof",
}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}

HEX_DIGITS = 32


def to_global(kind: str, value: UUID) -> strawberry.ID:
    """Write an id for the outside: ``dst_0190…``."""
    return strawberry.ID(f"{PREFIXES[kind]}_{value.hex}")


def writer(kind: str) -> Callable[[UUID], strawberry.ID]:
    """What ``to_global`` does for one kind, for lists of a thousand."""
    start = f"{PREFIXES[kind]}_"
    return lambda value: strawberry.ID(start + value.hex)


def maybe_global(kind: str, value: UUID | None) -> strawberry.ID | None:
    """The same for an id that may be absent."""
    return None if value is None else to_global(kind, value)


def from_global(kind: str, value: str, field: str) -> UUID:
    """Read an id of the given kind. Raises ``NotFound`` for anything else."""
    found = split_global(value)
    if found is None or found[0] != kind:
        raise NotFound(field, kind=thing(kind), value=value[:60])
    return found[1]


_CALLED_OTHERWISE = {"ExitCase": "exit", "ReturnCase": "return", "WriteOff": "write-off"}


def thing(kind: str) -> str:
    """What messages call a kind of id: ``PayoutBatch`` is a payout batch."""
    return _CALLED_OTHERWISE.get(kind) or re.sub(r"(?<!^)(?=[A-Z])", " ", kind).lower()


PREFIX_OF_THING = {thing(kind): prefix for kind, prefix in PREFIXES.items()}


def shown(kind: str, value: object) -> object:
    """An id in a message as callers know it; anything else as it is."""
    try:
        return f"{PREFIX_OF_THING[kind]}_{UUID(str(value)).hex}"
    except (KeyError, ValueError):
        return value


def split_global(value: str) -> tuple[str, UUID] | None:
    """The kind and UUID of an id, or none when it is no id of ours."""
    prefix, _, digits = value.partition("_")
    if prefix not in KINDS or len(digits) != HEX_DIGITS:
        return None
    try:
        return KINDS[prefix], UUID(hex=digits)
    except ValueError:
        return None
