"""The import of a purchase log as a brand's paid orders.

Each row is an order of one line, paid at noon of its day in the brand's time zone, shipped a day and delivered three
days later. Rows of value zero (gifts and credits) are imported too, as paid orders of amount zero, so that counts
agree with the log; no commission arises from them. All of them follow the tree and the program as they stand, also
where these are younger than the purchase. Orders go in whole batches, a transaction each: after a crash the
batches before it are there, and a second run adds the rest and changes nothing else.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

from saas.base.errors import NotFound
from saas.base.ids import PLATFORM, DistributorId
from saas.base.money import formatted
from saas.base.scope import tenant_scope
from saas.imports.brand import SKU, check_currency, distributors, imagined, make_brand, prepare_brand, seller_of
from saas.imports.log import CURRENCY, BadRow, Purchase, read_log
from saas.orders.commands import PlaceLine, PlaceOrder, Verdict, imagine_orders, place_orders, preview_orders
from tenants import registry
from tenants.actors import system
from tenants.registry import Brand

BATCH = 500
SHIPPING = timedelta(days=1)
DELIVERY = timedelta(days=3)

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told the step, how much of it is done, and of how much."""


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do. Sums are of the orders it placed; ``replayed`` rows were there before."""

    slug: str
    dry_run: bool
    rows: int = 0
    placed: int = 0
    replayed: int = 0
    gifts: int = 0
    pieces: int = 0
    goods_minor: int = 0
    company_minor: int = 0
    commission_minor: dict[int, int] = field(default_factory=dict)
    bad_rows: list[BadRow] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """Rows that were left out."""
        return len(self.bad_rows)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        verb = "would be placed" if self.dry_run else "placed"
        yield f"{self.slug}: {self.rows:,} rows, {self.placed:,} orders {verb}, {self.replayed:,} were there before"
        yield f"goods {_money(self.goods_minor)}, {self.pieces:,} pieces, {self.gifts:,} orders of nothing (gifts)"
        for level, amount_minor in sorted(self.commission_minor.items()):
            yield f"commission of level {level}: {_money(amount_minor)}"
        yield f"company share {_money(self.company_minor)}"
        for bad in self.bad_rows:
            yield f"line {bad.line_no} left out: {' '.join(error.message() for error in bad.errors)}"

    def take(self, purchase: Purchase, verdict: Verdict) -> None:
        """Count one row."""
        if verdict.replayed:
            self.replayed += 1
        elif verdict.accrual is None:
            self.bad_rows.append(BadRow(purchase.line_no, tuple(verdict.errors)))
        else:
            self.placed += 1
            self.gifts += purchase.amount_minor == 0
            self.pieces += purchase.items
            self.goods_minor += verdict.goods_minor
            self.company_minor += sum(verdict.accrual.company.values())
            for _, share in verdict.accrual.shares:
                before = self.commission_minor.get(share.level, 0)
                self.commission_minor[share.level] = before + share.amount_minor


async def run(file: Path, slug: str, *, dry_run: bool = False, progress: Progress | None = None) -> ImportReport:
    """Import the log ``file`` into the brand ``slug``, which is made when it is not there (not by a dry run).

    Raises ``LogRefused`` when the file is no such log, or ``BrandCurrencyDiffers``.
    """
    tell = progress or _untold
    with file.open(encoding="ascii", errors="replace") as log:
        of = sum(1 for _ in log)
        log.seek(0)
        rows = read_log(log, file.name)
        report = ImportReport(slug, dry_run)
        place = await (_rehearsal if dry_run else _performance)(slug, tell)
        while batch := list(islice(rows, BATCH)):
            report.rows += len(batch)
            report.bad_rows += [row for row in batch if isinstance(row, BadRow)]
            purchases = [row for row in batch if isinstance(row, Purchase)]
            for purchase, verdict in zip(purchases, await place(purchases), strict=True):
                report.take(purchase, verdict)
            tell("orders", report.rows, of)
    report.bad_rows.sort()
    return report


_Place: TypeAlias = Callable[[Sequence[Purchase]], Awaitable[list[Verdict]]]


async def _performance(slug: str, tell: Progress) -> _Place:
    """Make what is missing; then orders are placed."""
    tell("brand", 0, 1)
    brand = await _found(slug) or await make_brand(slug)
    sellers = await prepare_brand(brand)
    actor = system(brand.id, "import orders")
    tell("brand", 1, 1)

    async def place(purchases: Sequence[Purchase]) -> list[Verdict]:
        with tenant_scope(brand.id):
            asked = [_order(purchase, sellers, brand.time_zone) for purchase in purchases]
            return await place_orders(asked, actor, imported=True)

    return place


async def _rehearsal(slug: str, tell: Progress) -> _Place:
    """Decide as if orders were placed, in the brand as it is, or as it would be made."""
    tell("brand", 0, 1)
    brand = await _found(slug)
    sellers: Mapping[int, DistributorId] = {}
    if brand is None:
        registry.check_slug(slug)
    else:
        check_currency(brand)
        with tenant_scope(brand.id):
            sellers = await distributors()
    tell("brand", 1, 1)
    if brand is not None and sellers:
        return partial(_preview, brand, sellers)
    gathered, sellers = imagined(brand)
    actor = system(PLATFORM, "import orders")

    async def place(purchases: Sequence[Purchase]) -> list[Verdict]:
        asked = [_order(purchase, sellers, gathered.time_zone) for purchase in purchases]
        return imagine_orders(asked, actor, gathered)

    return place


async def _preview(brand: Brand, sellers: Mapping[int, DistributorId], purchases: Sequence[Purchase]) -> list[Verdict]:
    asked = [_order(purchase, sellers, brand.time_zone) for purchase in purchases]
    with tenant_scope(brand.id):
        return await preview_orders(asked, system(brand.id, "import orders"), imported=True)


async def _found(slug: str) -> Brand | None:
    try:
        return await registry.by_slug(slug)
    except NotFound:
        return None


def _order(purchase: Purchase, sellers: Mapping[int, DistributorId], time_zone: str) -> PlaceOrder:
    paid_at = _noon(purchase.day, time_zone)
    return PlaceOrder(
        seller_id=sellers[seller_of(purchase.customer)],
        lines=(PlaceLine(sku=SKU, quantity=purchase.items, amount_minor=purchase.amount_minor),),
        idempotency_key=purchase.key,
        customer=f"{purchase.customer:05}",
        channel="web",
        number=f"CD-{purchase.row_no:06}-{purchase.digest[:6]}",
        placed_at=paid_at,
        paid_at=paid_at,
        shipped_at=paid_at + SHIPPING,
        delivered_at=paid_at + DELIVERY,
    )


@lru_cache(maxsize=1_000)
def _noon(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(12), ZoneInfo(time_zone)).astimezone(UTC)


def _money(amount_minor: int) -> str:
    return formatted(amount_minor, CURRENCY, "en")


def _untold(step: str, done: int, of: int) -> None:
    """Progress for nobody."""
