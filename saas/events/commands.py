"""Telling of what happened, in the transaction in which it did.

What one transaction tells is written once, as its last statement: along with whatever still waits then, and each thing
once however often it was said.
"""

from collections.abc import Callable, Iterable
from functools import partial
from weakref import WeakKeyDictionary, WeakSet

from saas.base import clock
from saas.base.db import Tx, current_tx
from saas.base.ids import TenantId, new_id
from saas.events.rules import Event, EventKind

COLUMNS = ("id", "kind", "distributor_id", "subject_id", "amount_minor", "currency", "at")

Call = Callable[[TenantId], None]

listeners: list[Call] = []
"""What this process calls when it has committed events, so that nobody beside it has to wait for a look."""

_told: "WeakKeyDictionary[Tx, dict[Event, None]]" = WeakKeyDictionary()
_hushed: "WeakSet[Tx]" = WeakSet()

NO_AMOUNT = "CAST(NULL AS bigint) AS amount_minor, CAST(NULL AS text) AS currency"
"""What ``tell_selected`` selects where no money was moved."""


def hush() -> None:
    """Have the running transaction tell nothing: what it writes is of the past, and no news to anybody."""
    _hushed.add(current_tx())


def tell(events: Iterable[Event]) -> None:
    """Have events written at the end of the running transaction."""
    tx = current_tx()
    if tx in _hushed:
        return
    for one in events:
        if tx not in _told:
            _told[tx] = {}
            tx.before_commit(partial(_write, tx))
            call_after(tx)
        _told[tx][one] = None


async def _write(tx: Tx) -> None:
    await tx.insert_later("event", COLUMNS, _rows(_told.pop(tx)))


async def tell_now(events: Iterable[Event]) -> None:
    """Write events at once: for parts of a whole that is too large to be kept until the end."""
    tx = current_tx()
    rows = [] if tx in _hushed else _rows(events)
    if rows:
        await tx.insert_many("event", COLUMNS, rows)
        call_after(tx)


def _rows(events: Iterable[Event]) -> list[tuple[object, ...]]:
    now = clock.now()
    return [
        (new_id(), one.kind.value, one.distributor_id, one.subject_id, one.amount_minor, one.currency, now)
        for one in events
    ]


async def tell_selected(tx: Tx, kind: EventKind, selected: str, *args: object) -> None:
    """Tell as many events as a statement selects: distributor_id, subject_id, amount_minor, currency.

    For sets that do not pass through this process. The statement's arguments begin at ``$4``.
    """
    if tx in _hushed:
        return
    told = await tx.execute(
        f"INSERT INTO event (tenant_id, id, kind, distributor_id, subject_id, amount_minor, currency, at) "
        f"SELECT $1, {tx.new_id}, $2, s.distributor_id, s.subject_id, s.amount_minor, s.currency, $3 "
        f"FROM ({selected}) AS s",
        *(tx.tenant_id, kind.value, clock.now(), *args),
    )
    if told:
        call_after(tx)


def call_after(tx: Tx) -> None:
    """Call those who listen once the transaction is committed."""
    tx.after_commit(partial(_call, tx.tenant_id))


def _call(brand: TenantId) -> None:
    for call in listeners:
        call(brand)
