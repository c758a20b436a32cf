"""The only way money moves: balanced postings, each once, with the balances they change."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Tx, current_tx, transaction
from saas.base.errors import IdempotencyConflict
from saas.base.idempotency import fingerprint
from saas.base.ids import DistributorId, new_id
from saas.base.money import plain_amount
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.ledger.bulk import ADDED, HELD
from saas.ledger.errors import InsufficientBalance
from saas.ledger.queries import Balances, balances_of
from saas.ledger.rules import NEVER_NEGATIVE, Account, Posting, check_balanced

_TRANSACTION = (
    "id", "kind", "reference_kind", "reference_id", "idempotency_key", "input_hash", "effective_at", "recorded_at",
)  # fmt: skip


async def post(postings: Sequence[Posting], *, covered: Collection[Account] = (), fresh: bool = False) -> None:
    """Write postings and bring the balances up to date, within the running transaction if there is one.

    A key posted before with the same content has no effect. ``covered`` names accounts that must not fall below zero
    by this call, besides those that never may. Three statements, however many postings, and a fourth when a balance
    goes down. Balances are locked in one order by everybody, so a command that moves several distributors' money does
    it in one call. ``fresh``: the keys name what this transaction makes, so nobody can have posted them; they go along
    with the rest, and one that is there all the same fails the transaction (``ConstraintViolated``).

    Raises ``UnsoundPosting``, ``IdempotencyConflict`` or ``InsufficientBalance``; then nothing may be kept.
    """
    hashes: dict[str, str] = {}
    unique: dict[str, Posting] = {}
    for posting in postings:
        check_balanced(posting)
        content = fingerprint(posting)
        if hashes.setdefault(posting.idempotency_key, content) != content:
            raise IdempotencyConflict("input.idempotencyKey", key=posting.idempotency_key)
        unique[posting.idempotency_key] = posting
    if not unique:
        return
    async with transaction() as tx:
        made = await (_record_fresh if fresh else _record)(tx, unique, hashes)
        if made:
            await _write_entries(tx, made)
            await _move_balances(tx, made, NEVER_NEGATIVE.union(covered))


async def _record_fresh(tx: Tx, unique: dict[str, Posting], hashes: dict[str, str]) -> dict[UUID, Posting]:
    """Write postings whose keys cannot have been used, together with what the transaction does next."""
    ids = {key: new_id() for key in sorted(unique)}
    await tx.insert_later("ledger_transaction", _TRANSACTION, _rows(ids, unique, hashes))
    return {id_: unique[key] for key, id_ in ids.items()}


async def _record(tx: Tx, unique: dict[str, Posting], hashes: dict[str, str]) -> dict[UUID, Posting]:
    """Claim the keys in one order; answer the postings that are new, by the id of their transaction."""
    ids = {key: new_id() for key in sorted(unique)}
    made = await tx.insert_many("ledger_transaction", _TRANSACTION, _rows(ids, unique, hashes), or_ignore=True)
    if made == len(unique):
        return {ids[key]: posting for key, posting in unique.items()}
    found = await tx.rows(
        f"SELECT id, idempotency_key, input_hash FROM ledger_transaction "
        f"WHERE tenant_id = $1 AND idempotency_key {tx.within(2, 'text')}",
        tx.tenant_id,
        list(ids),
    )
    for row in found:
        if row["input_hash"] != hashes[row["idempotency_key"]]:
            raise IdempotencyConflict("input.idempotencyKey", key=row["idempotency_key"])
    return {row["id"]: unique[row["idempotency_key"]] for row in found if row["id"] == ids[row["idempotency_key"]]}


def _rows(ids: dict[str, UUID], unique: dict[str, Posting], hashes: dict[str, str]) -> Iterator[tuple[object, ...]]:
    now = clock.now()
    for key, id_ in ids.items():
        one = unique[key]
        yield (id_, one.kind, one.reference_kind, one.reference_id, key, hashes[key], one.effective_at, now)


async def _write_entries(tx: Tx, made: dict[UUID, Posting]) -> None:
    await tx.insert_later(
        "ledger_entry",
        ("transaction_id", "entry_no", "account", "owner_id", "currency", "amount_minor", "effective_at"),
        [
            (id_, no, entry.account, entry.owner_id, entry.currency, entry.amount_minor, posting.effective_at)
            for id_, posting in made.items()
            for no, entry in enumerate(posting.entries, start=1)
        ],
    )


async def _move_balances(tx: Tx, made: dict[UUID, Posting], covered: frozenset[Account]) -> None:
    """Lock the rows in order and add what goes up, then take what goes down, unless that leaves too little somewhere.

    CHECK is tested on a proposed row before its conflict is seen, so the first statement proposes no negative amount.
    """
    sums: defaultdict[tuple[DistributorId, Account, str], int] = defaultdict(int)
    for posting in made.values():
        for entry in posting.entries:
            if entry.owner_id is not None:
                sums[entry.owner_id, entry.account, entry.currency] += entry.amount_minor
    if not sums:
        return
    tell(Event(EventKind.BALANCE_CHANGED, owner, owner) for owner in sorted({key[0] for key in sums}))
    columns = ("owner_id", "account", "currency", "amount_minor")
    rises = [(*key, max(sums[key], 0)) for key in sorted(sums)]
    await tx.insert_later("balance", columns, rises, or_update=ADDED)
    changes = [dict(zip(columns, (*key, amount), strict=True)) for key, amount in sums.items() if amount < 0]
    if not changes:
        return
    listed = orjson.dumps(changes, default=str).decode()
    deltas = tx.recordset(2, owner_id="uuid", account="text", currency="text", amount_minor="bigint")
    matched = (
        "delta.owner_id = balance.owner_id AND delta.account = balance.account AND delta.currency = balance.currency"
    )
    short = f"balance.amount_minor + delta.amount_minor < 0 AND delta.account {tx.within(3, 'text')}"
    moved = await tx.execute(
        f"UPDATE balance SET amount_minor = balance.amount_minor + delta.amount_minor FROM {deltas} AS delta "
        f"WHERE balance.tenant_id = $1 AND {matched} AND NOT ({short})",
        tx.tenant_id,
        listed,
        sorted(covered),
    )
    if moved == len(changes):
        return
    lacking = await tx.row(
        f"SELECT balance.owner_id, balance.currency, balance.amount_minor, delta.amount_minor AS delta_minor "
        f"FROM balance JOIN {deltas} AS delta ON {matched} WHERE balance.tenant_id = $1 AND {short}",
        tx.tenant_id,
        listed,
        sorted(covered),
    )
    if lacking is None:
        raise RuntimeError("a balance row vanished while it was locked")
    raise InsufficientBalance(
        "input.amountMinor",
        owner=lacking["owner_id"],
        currency=lacking["currency"],
        balance=plain_amount(lacking["amount_minor"], lacking["currency"]),
        needed=plain_amount(-int(lacking["delta_minor"]), lacking["currency"]),
    )


async def lock_balances(
    owner_ids: Collection[DistributorId], accounts: Collection[Account], currency: str
) -> Mapping[DistributorId, Balances]:
    """Hold these balances still until the transaction ends, and answer all balances of their owners.

    For commands that decide by an amount. Called once, before anything is posted, with every account the command
    will touch: balances are taken in one order by everybody.
    """
    tx = current_tx()
    await tx.insert_many(
        "balance",
        ("owner_id", "account", "currency", "amount_minor"),
        [(owner, account, currency, 0) for owner in sorted(set(owner_ids)) for account in sorted(set(accounts))],
        or_update=HELD,
    )
    return await balances_of(owner_ids)
