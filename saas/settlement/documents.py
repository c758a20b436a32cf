"""Statements and settlements as files, with every line and the very amounts of the ledger (docs/rules.md §6)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from saas.base.db import Row, Tx, reading
from saas.base.documents import MEDIA_TYPES, SHEET_ROWS_MOST, Cell, Document, Download, Form, Table, as_csv, as_xlsx
from saas.base.errors import Said
from saas.base.ids import SettlementId, StatementId
from saas.base.money import Money
from saas.network.queries import find
from saas.performance.queries import awards_on
from saas.settlement.adjusted import AdjustmentKind, AdjustmentView, adjustments_on
from saas.settlement.errors import DocumentTooLong
from saas.settlement.queries import StatementView, settlement_by_id, statement_by_id
from saas.settlement.wording import (
    ADJUSTMENT_HEAD,
    ADJUSTMENTS,
    AWARD_HEAD,
    AWARDS,
    FACTS,
    LIFTED,
    LINE_HEAD,
    LINES,
    PAGE,
    PENALTIES,
    PENALTY,
    PENALTY_HEAD,
    STATEMENT_HEAD,
    STATEMENTS,
    SUMMARY,
    TITLE,
    in_language,
    recovery_note,
)
from tenants.registry import this_brand

MOST = {Form.PDF: 10_000, Form.XLSX: 200_000, Form.CSV: SHEET_ROWS_MOST}
"""Rows that a file of each form may have, so that making one ends while somebody waits for it."""


async def statement_document(statement_id: StatementId, form: Form, locale: str | None = None) -> Download:
    """A statement with all of its lines; in the distributor's language where no other is asked for.

    Raises ``NotFound`` or ``DocumentTooLong``.
    """
    async with reading() as tx:
        view = await statement_by_id(statement_id)
        _check_length(view.lines, form)
        locale = locale or await _language_of(tx, view)
        document = await _statement(tx, view, locale)
    return await _written(document, form, locale, view.number)


async def settlement_document(settlement_id: SettlementId, form: Form, locale: str) -> Download:
    """A closed period: a line for each statement, and what they come to. Raises ``NotFound`` or ``DocumentTooLong``."""
    async with reading() as tx:
        view = await settlement_by_id(settlement_id)
        _check_length(view.statements, form)
        rows = await tx.rows(_STATEMENTS, tx.tenant_id, settlement_id)
        brand = await this_brand()
    zone = ZoneInfo(brand.time_zone)
    facts = _facts(
        locale,
        brand=brand.name,
        period=view.period.label,
        **{"from": _local(view.period.since, zone), "until": _local(view.period.until, zone)},
        time_zone=brand.time_zone,
        currency=view.currency,
        closed_at=_local(view.closed_at, zone),
        statements=view.statements,
        **_sums(rows, view.currency),
    )
    table = Table(
        title=in_language(STATEMENTS, locale),
        head=[in_language(said, locale) for said in STATEMENT_HEAD],
        widths=(22, 12, 16, 12, 12, 12, 12, 12, 12, 12, 12, 12, 13),
        rows=[[row["number"], row["code"], row["name"], *_amounts(row, view.currency)] for row in rows],
    )
    document = Document(
        title=in_language(SUMMARY, locale),
        subject=f"{brand.name} {view.period.label}",
        facts=facts,
        tables=[table],
        wide=True,
        page=in_language(PAGE, locale),
    )
    return await _written(document, form, locale, f"settlement-{view.period.since:%Y%m%d}-{view.currency}")


_AMOUNTS = (
    "opening_minor",
    "commission_minor",
    "awards_minor",
    "adjusted_minor",
    "penalties_minor",
    "adjustment_minor",
    "payout_minor",
    "recovered_minor",
    "debt_left_minor",
    "closing_minor",
)
_STATEMENTS = (
    "SELECT s.number, d.code, d.name, s.opening_minor, s.commission_minor, s.awards_minor, s.adjusted_minor, "
    "s.penalties_minor, s.adjustment_minor, s.payout_minor, s.recovered_minor, "
    "s.debt_minor - s.recovered_minor AS debt_left_minor, s.closing_minor FROM statement s "
    "JOIN distributor d ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id "
    "WHERE s.tenant_id = $1 AND s.settlement_id = $2 ORDER BY s.number"
)
_LINES = (
    "SELECT c.earned_at, o.number, l.sku, c.component, c.level, c.tier, c.base_minor, c.quantity, "
    "c.amount_minor - c.reversed_minor + c.clawed_minor AS amount_minor FROM commission c "
    "JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id "
    "JOIN order_line l ON l.tenant_id = c.tenant_id AND l.id = c.line_id "
    "WHERE c.tenant_id = $1 AND c.statement_id = $2 ORDER BY c.earned_at, c.id"
)
"""What each line was worth when it was put on the statement, with the order it comes from."""


async def _statement(tx: Tx, view: StatementView, locale: str) -> Document:
    brand = await this_brand()
    owner = (await find([view.distributor_id]))[view.distributor_id]
    period = (await settlement_by_id(view.settlement_id)).period
    zone, currency = ZoneInfo(brand.time_zone), view.currency
    note = recovery_note(view, locale)
    return Document(
        title=in_language(TITLE, locale),
        subject=view.number,
        facts=_facts(
            locale,
            brand=brand.name,
            distributor=f"{owner.name} ({owner.code})",
            number=view.number,
            period=view.label,
            **{"from": _local(period.since, zone), "until": _local(period.until, zone)},
            time_zone=brand.time_zone,
            currency=currency,
            closed_at=_local(view.created_at, zone),
            payable_on=view.payable_on,
            lines=view.lines,
            **_statement_amounts(view),
        ),
        notes=[note] if note else [],
        tables=[one for one in await _tables(tx, view, zone, locale) if one.rows],
        page=in_language(PAGE, locale),
    )


def _statement_amounts(view: StatementView) -> dict[str, Cell]:
    """The sum of the statement, in its order; what is owed where anything is."""
    amounts = {
        "opening": view.opening_minor,
        "commission": view.commission_minor,
        "awards": view.awards_minor,
        "adjustments": view.adjusted_minor,
        "penalties": view.penalties_minor,
        "other": view.adjustment_minor,
        "payouts": view.payout_minor,
        "set_aside": view.set_aside_minor,
        "closing": view.closing_minor,
    }
    if view.debt_minor:
        left = view.debt_minor - view.recovered_minor
        amounts |= {"debt": view.debt_minor, "recovered": view.recovered_minor, "debt_left": left}
    return {name: Money(amount, view.currency) for name, amount in amounts.items()}


async def _tables(tx: Tx, view: StatementView, zone: ZoneInfo, locale: str) -> list[Table]:
    def table(title: Said, head: Sequence[Said], widths: Sequence[int], rows: Sequence[Sequence[Cell]]) -> Table:
        words = [in_language(said, locale) for said in head]
        return Table(title=in_language(title, locale), head=words, widths=widths, rows=rows)

    currency = view.currency
    lines, decided = await tx.rows(_LINES, tx.tenant_id, view.id), await adjustments_on(view.id)
    return [
        table(LINES, LINE_HEAD, (23, 24, 16, 13, 7, 9, 14, 7, 13), [_line(row, zone, currency) for row in lines]),
        table(
            AWARDS,
            AWARD_HEAD,
            (20, 30, 20, 20),
            [
                [one.label, one.component, one.tier, Money(one.amount_minor, currency)]
                for one in await awards_on(view.id)
            ],
        ),
        table(
            ADJUSTMENTS,
            ADJUSTMENT_HEAD,
            (27, 45, 25, 20),
            [_decided(one, zone, currency) for one in decided if one.kind is AdjustmentKind.ADJUSTMENT],
        ),
        table(
            PENALTIES,
            PENALTY_HEAD,
            (27, 17, 38, 25, 20),
            [
                [when, in_language(LIFTED if one.lifts_id else PENALTY, locale), *rest]
                for one in decided
                if one.kind is AdjustmentKind.PENALTY
                for when, *rest in [_decided(one, zone, currency)]
            ],
        ),
    ]


def _line(row: Row, zone: ZoneInfo, currency: str) -> list[Cell]:
    return [
        _local(row["earned_at"], zone),
        row["number"],
        row["sku"],
        row["component"],
        row["level"],
        row["tier"],
        Money(row["base_minor"], currency),
        row["quantity"],
        Money(row["amount_minor"], currency),
    ]


def _decided(one: AdjustmentView, zone: ZoneInfo, currency: str) -> list[Cell]:
    decided_at = _local(one.decided_at, zone) if one.decided_at else None
    return [decided_at, one.reason, one.reference, Money(one.amount_minor, currency)]


def _amounts(row: Row, currency: str) -> list[Cell]:
    return [Money(row[name], currency) for name in _AMOUNTS]


def _sums(rows: Sequence[Row], currency: str) -> dict[str, Cell]:
    earned, rest = ("commission", "awards", "adjustments", "penalties"), ("recovered", "debt_left", "closing")
    named = ("opening", *earned, "other", "payouts", *rest)
    return {
        name: Money(sum(row[column] for row in rows), currency) for name, column in zip(named, _AMOUNTS, strict=True)
    }


def _facts(locale: str, **values: Cell) -> list[tuple[str, Cell]]:
    return [(in_language(FACTS[name], locale), value) for name, value in values.items()]


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


async def _language_of(tx: Tx, view: StatementView) -> str:
    """What the distributor reads where it has a log-in, else the brand's language."""
    chosen = await tx.value(
        "SELECT locale FROM member WHERE tenant_id = $1 AND distributor_id = $2 ORDER BY created_at LIMIT 1",
        tx.tenant_id,
        view.distributor_id,
    )
    return str(chosen or (await this_brand()).locale)


def _check_length(lines: int, form: Form) -> None:
    if lines > MOST[form]:
        raise DocumentTooLong("form", lines=lines, form=form.upper(), most=MOST[form])


async def _written(document: Document, form: Form, locale: str, name: str) -> Download:
    """Written beside the loop, which others need meanwhile."""
    if form is Form.PDF:
        from saas.base.pdf import as_pdf  # 18 MB of fonts' tables, in a process that is asked for a PDF only

        content = await asyncio.to_thread(as_pdf, document, locale)
    else:
        content = await asyncio.to_thread(as_csv if form is Form.CSV else as_xlsx, document)
    return Download(file_name=f"{name}.{form}", media_type=MEDIA_TYPES[form], content=content)
