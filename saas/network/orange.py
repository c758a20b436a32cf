"""The orange list: people the brand does not take again, known by keyed hashes only (docs/rules.md §7).

A hash is made with the brand's own key, so that it says nothing to another brand, and nothing without the
installation's secret. The numbers themselves are never stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from saas.base import clock
from saas.base.db import current_tx, reading, transaction
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, new_id
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.text import reason_of
from saas.base.vault import keyed_hash
from saas.network.contact import normal_id_number, normal_phone
from saas.network.errors import AlreadyBarred, IdNumberInvalid, PhoneInvalid
from tenants import audit
from tenants.actors import Actor

_COLUMNS = ("id", "kind", "value_hash", "reason", "exit_case_id", "added_by", "added_at")


class Number(StrEnum):
    """Which number of a person is meant."""

    PHONE = "phone"
    ID_NUMBER = "id_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One number on the list, without the number."""

    id: UUID
    kind: Number
    reason: str
    exit_case_id: UUID | None
    added_at: datetime


def hash_of(kind: Number, normal: str) -> str:
    """The hash a number in its normal form (``contact``) is listed under, for the active tenant."""
    return keyed_hash(kind, normal)


def normal_number(kind: Number, number: str) -> str:
    """A number given in clear, in its normal form. Raises ``PhoneInvalid`` or ``IdNumberInvalid``."""
    normal = normal_phone(number) if kind is Number.PHONE else normal_id_number(number)
    if normal is None:
        raise PhoneInvalid("input.number") if kind is Number.PHONE else IdNumberInvalid("input.number")
    return normal


async def listed(hashes: Iterable[str]) -> frozenset[str]:
    """Those of the hashes that are on the list, read in the running transaction."""
    wanted = list(hashes)
    if not wanted:
        return frozenset()
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT value_hash FROM orange_list WHERE tenant_id = $1 AND value_hash {tx.within(2, 'text')}",
        tx.tenant_id,
        wanted,
    )
    return frozenset(row["value_hash"] for row in rows)


async def add(kind: Number, number: str, reason: str, actor: Actor) -> UUID:
    """List a number given in clear.

    Raises ``PhoneInvalid``, ``IdNumberInvalid``, ``AlreadyBarred`` or ``ReasonRefused``.
    """
    reason = reason_of(reason)
    normal = normal_number(kind, number)
    id_ = new_id()
    async with transaction() as tx:
        row = (id_, kind, hash_of(kind, normal), reason, None, actor.id, clock.now())
        if not await tx.insert_many("orange_list", _COLUMNS, [row], or_ignore=True):
            raise AlreadyBarred("input.number")
        await audit.record(actor, "orange_list.add", str(id_), kind=kind, reason=reason)
    return id_


async def bar(distributor_id: DistributorId, reason: str, exit_case_id: UUID | None, actor: Actor) -> int:
    """List the phone and ID number of a distributor; answer how many numbers were not listed yet."""
    async with transaction() as tx:
        hashes = await tx.row(
            "SELECT phone_hash, id_number_hash FROM distributor WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            distributor_id,
        )
        if hashes is None:
            raise NotFound("input.distributorId", kind="distributor", value=distributor_id)
        now = clock.now()
        rows = [
            (new_id(), kind, value, reason, exit_case_id, actor.id, now)
            for kind, value in ((Number.PHONE, hashes["phone_hash"]), (Number.ID_NUMBER, hashes["id_number_hash"]))
            if value is not None
        ]
        added = await tx.insert_many("orange_list", _COLUMNS, rows, or_ignore=True)
        await audit.record(actor, "orange_list.bar", str(distributor_id), numbers=added, reason=reason)
    return added


async def lift(listing_id: UUID, reason: str, actor: Actor) -> None:
    """Take a number off the list; the audit log keeps that it was there. Raises ``NotFound`` or ``ReasonRefused``."""
    reason = reason_of(reason)
    async with transaction() as tx:
        gone = await tx.execute("DELETE FROM orange_list WHERE tenant_id = $1 AND id = $2", tx.tenant_id, listing_id)
        if not gone:
            raise NotFound("input.id", kind="orange entry", value=listing_id)
        await audit.record(actor, "orange_list.lift", str(listing_id), reason=reason)


async def listings(page: PageRequest) -> Page[Listing]:
    """The list, oldest first."""
    after = decode_cursor(page.after, UUID)[0] if page.after else UUID(int=0)
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT id, kind, reason, exit_case_id, added_at FROM orange_list "
            "WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            tx.tenant_id,
            after,
            page.first + 1,
        )
    found = [Listing(**{**row, "kind": Number(row["kind"])}) for row in rows]
    return page_of(found, page, [encode_cursor(listing.id) for listing in found])
