"""What is decided about an exit: approved by a second person, turned down, taken back, executed at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.idempotency import claim
from saas.base.ids import ExitId, new_id
from saas.base.money import plain_amount
from saas.base.text import reason_of
from saas.commissions.commands import Reversed, reverse_beneficiary
from saas.exits.closing import close_exit, close_finished
from saas.exits.errors import ExitNeedsSecondPerson, ExitStockChanged
from saas.exits.queries import ExitView, exit_by_id
from saas.exits.quoting import ExitRequest, Quoted, QuoteExit, QuoteInactive, preview_exit, quote_exit, quote_inactive
from saas.exits.retention import Erasable, erase_expired
from saas.exits.rules import ExitKind, ExitStep, Gone, stock_of
from saas.exits.stepping import lock_exit, step
from saas.ledger.commands import lock_balances, post
from saas.ledger.rules import Account, Entry, Kind, Posting, transfer
from saas.listings.commands import close_listings_of
from saas.network import orange
from saas.network.commands import leave
from saas.network.queries import find
from saas.notifications.commands import announce
from saas.notifications.rules import exit_executed
from saas.orders.purchases import own_purchases
from saas.payouts.people import staff_member
from tenants import audit
from tenants.accounts import disable_distributor
from tenants.actors import Actor

__all__ = [
    "Erasable",
    "ExecuteExit",
    "ExitRequest",
    "Gone",
    "QuoteExit",
    "QuoteInactive",
    "Quoted",
    "approve_exit",
    "close_exit",
    "close_finished",
    "erase_expired",
    "execute_exit",
    "preview_exit",
    "quote_exit",
    "quote_inactive",
    "reject_exit",
    "withdraw_exit",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteExit:
    """Let an approved exit happen."""

    exit_id: ExitId
    idempotency_key: str


async def approve_exit(exit_id: ExitId, actor: Actor) -> ExitView:
    """Agree to an exit as a second person. Raises ``NotFound``, ``WrongState``, ``ExitNeedsSecondPerson``."""
    person = staff_member(actor)
    async with transaction() as tx:
        case = await lock_exit(tx, exit_id)
        if case.requested_by == person:
            raise ExitNeedsSecondPerson("input.id")
        await step(tx, case, ExitStep.APPROVE, ", approved_by = $5, approved_at = $6", person, clock.now())
        await audit.record(actor, "exit.approve", str(exit_id))
        return await exit_by_id(exit_id)


async def reject_exit(exit_id: ExitId, reason: str, actor: Actor) -> ExitView:
    """Turn an exit down before it is executed.

    Raises ``NotFound``, ``WrongState``, ``Forbidden`` or ``ReasonRefused``.
    """
    staff_member(actor)
    reason = reason_of(reason)
    async with transaction() as tx:
        await step(tx, await lock_exit(tx, exit_id), ExitStep.REJECT)
        await audit.record(actor, "exit.reject", str(exit_id), reason=reason)
        return await exit_by_id(exit_id)


async def withdraw_exit(exit_id: ExitId, actor: Actor) -> ExitView:
    """Take back a voluntary exit before it is executed; a distributor its own.

    Raises ``NotFound``, ``WrongState`` or ``ExitNotVoluntary``.
    """
    async with transaction() as tx:
        await step(tx, await lock_exit(tx, exit_id, actor.distributor_id), ExitStep.WITHDRAW)
        await audit.record(actor, "exit.withdraw", str(exit_id))
        return await exit_by_id(exit_id)


async def execute_exit(command: ExecuteExit, actor: Actor) -> ExitView:
    """Let it happen, all at once.

    No more orders or log-ins, the downline moves, pending commission is kept or forfeited, stock is bought back, and
    after a breach the person is barred from enrolling again. The same key answers the same exit. Raises ``NotFound``,
    ``WrongState``, ``ExitStockChanged``, ``Forbidden``, ``IdempotencyConflict``, and of the heir ``HeirNeeded``,
    ``HeirNotActive``, ``HeirBelow`` or ``DepthExceeded``.
    """
    staff_member(actor)
    async with transaction() as tx:
        exit_id = command.exit_id
        if await claim("exit.execute", command.idempotency_key, command, new_id()) is not None:
            return await exit_by_id(exit_id)
        case = await lock_exit(tx, exit_id)
        owner, quote = case.distributor_id, case.quote
        await step(tx, case, ExitStep.EXECUTE)
        # First the tree: it waits for orders under way and lets no further one begin, so all they accrued is seen.
        moved = await leave(
            owner, downline_to=quote.downline_to, heir_id=quote.heir_id, reason=f"exit: {case.kind}", actor=actor
        )
        await _certify(tx, exit_id)
        await close_listings_of(owner)
        forfeited = await reverse_beneficiary(owner) if quote.pending == "forfeit" else []
        await _check_stock(case)
        debts = await _debts(case)
        await post([*_forfeits(case, forfeited), *_buy_back(case), *debts])
        await disable_distributor(owner, actor)
        await announce([exit_executed(owner, exit_id, (await find([owner]))[owner].code)])
        if case.kind is ExitKind.BREACH:
            await orange.bar(owner, case.reason, exit_id, actor)
        await audit.record(
            actor,
            "exit.execute",
            str(exit_id),
            distributor=owner,
            moved=moved,
            forfeited_minor=sum(one.amount_minor for one in forfeited),
            buy_back_minor=quote.buy_back_minor,
        )
        return await exit_by_id(exit_id)


async def _certify(tx: Tx, exit_id: ExitId) -> None:
    """Note the moment and the number of the certificate; the tree is held, so numbers follow each other."""
    await tx.execute(
        "UPDATE exit_case SET executed_at = $3, certificate_no = (SELECT coalesce(max(o.certificate_no), 0) + 1 "
        "FROM exit_case o WHERE o.tenant_id = $1) WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        exit_id,
        clock.now(),
    )


async def _check_stock(case: ExitView) -> None:
    """What was approved is what is bought back; nobody orders or ships for who left from here on."""
    quote = case.quote
    if quote.stock_since is None:
        return
    bought = await own_purchases(case.distributor_id, quote.currency, quote.stock_since)
    there = {sku: sum(line.quantity for line in bought if line.sku == sku) for sku in {line.sku for line in bought}}
    gone = [Gone(line.sku, min(line.gone, there.get(line.sku, 0))) for line in quote.stock]
    now = stock_of(bought, gone, quote.stock_since, quote.buy_back_bps)
    if now.lines != quote.stock:
        total = sum(line.buy_back_minor for line in now.lines)
        raise ExitStockChanged(
            "input.id",
            quoted=f"{plain_amount(quote.buy_back_minor, quote.currency)} {quote.currency}",
            now=f"{plain_amount(total, quote.currency)} {quote.currency}",
        )


def _buy_back(case: ExitView) -> list[Posting]:
    """The stock becomes the brand's, and its price the distributor's to be paid out."""
    amount, currency = case.quote.buy_back_minor, case.quote.currency
    if not amount:
        return []
    entries = (
        Entry(Account.SETTLED, case.distributor_id, amount, currency),
        Entry(Account.STOCK, None, -amount, currency),
    )
    return [_posting(case, Kind.BUY_BACK, entries)]


async def _debts(case: ExitView) -> list[Posting]:
    """Debt that was set aside goes back to the settled balance: no later earnings pay it, so all that is there does."""
    owner, currency = case.distributor_id, case.quote.currency
    accounts = [Account.DEBT, Account.PENDING, Account.SETTLED]
    debt = (await lock_balances([owner], accounts, currency))[owner].of(Account.DEBT, currency)
    entries = tuple(transfer(owner, Account.SETTLED, Account.DEBT, -debt, currency))
    return [_posting(case, Kind.RECOVERY, entries)] if debt else []


def _forfeits(case: ExitView, forfeited: Sequence[Reversed]) -> list[Posting]:
    """Pending commission that stays with the brand."""
    sums: dict[str, int] = {}
    for one in forfeited:
        sums[one.currency] = sums.get(one.currency, 0) + one.amount_minor
    entries = tuple(
        entry
        for currency, amount in sorted(sums.items())
        for entry in (
            Entry(Account.PENDING, case.distributor_id, -amount, currency),
            Entry(Account.FORFEITED, None, amount, currency),
        )
    )
    return [_posting(case, Kind.FORFEIT, entries)] if entries else []


def _posting(case: ExitView, kind: Kind, entries: tuple[Entry, ...]) -> Posting:
    return Posting(
        kind=kind,
        reference_kind="exit",
        reference_id=case.id,
        idempotency_key=f"{kind}:{case.id}",
        effective_at=clock.now(),
        entries=entries,
    )
