"""Statements and settlements as files: the amounts of the ledger in each form, Chinese that is really there."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from saas.base.db import Database, transaction
from saas.base.documents import Document, Download, Form, Table, as_csv, as_xlsx
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, StatementId, new_id
from saas.base.money import Money
from saas.base.pdf import as_pdf
from saas.settlement import documents
from saas.settlement.adjustments import approve_adjustments, request_adjustments
from saas.settlement.commands import CloseSettlement
from saas.settlement.documents import settlement_document, statement_document
from saas.settlement.errors import DocumentTooLong
from saas.settlement.queries import SettlementView, StatementView
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.factories_money import make_distributors, make_order, use_program
from tests.payouts.people import CHECKER, MAKER
from tests.settlement.test_adjustments import asked, line
from tests.settlement.test_settlement import APRIL, close_at, statement_of


@pytest.fixture
async def closed(db: Database) -> tuple[SettlementView, StatementView]:
    """March of Lotus with two statements; Ann's has two lines and an adjustment that begins like a formula."""
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program()
        ann, ben = await make_distributors("ANN", "BEN")
        await _rename(ann, "莲花一店 & Söhne")
        await make_order({ann: 123_456, ben: 7}, hold_until=APRIL - timedelta(days=3))
        await make_order({ann: 4_400}, hold_until=APRIL - timedelta(days=2))
        made = await request_adjustments(asked(line(ann, -50, "=补差价(A1)")), MAKER)
        await approve_adjustments([one.id for one in made.adjustments], CHECKER)
        settlement = await close_at(APRIL, CloseSettlement(idempotency_key="march"))
        return settlement, await statement_of(ann)


async def _rename(owner: DistributorId, name: str) -> None:
    async with transaction() as tx:
        await tx.execute("UPDATE distributor SET name = $2 WHERE tenant_id = $1 AND id = $3", LOTUS, name, owner)


def pages_of(content: bytes) -> list[str]:
    """What each page says; the reader puts the first byte of each code, which is zero, before its character."""
    return [page.extract_text().replace("\0", "") for page in PdfReader(io.BytesIO(content)).pages]


def text_of(made: Download) -> str:
    return "\n".join(pages_of(made.content))


def embedded(content: bytes) -> list[str]:
    """The names of fonts whose glyphs are in the file."""
    found = []
    for page in PdfReader(io.BytesIO(content)).pages:
        fonts: Any = page["/Resources"]["/Font"]  # type: ignore[index]
        for font in fonts.values():
            for below in font.get_object()["/DescendantFonts"]:
                descriptor = below.get_object()["/FontDescriptor"].get_object()
                assert any(descriptor.get(key) for key in ("/FontFile", "/FontFile2", "/FontFile3"))
                found.append(str(descriptor["/FontName"]))
    return found


async def test_a_statement_in_chinese_with_its_glyphs(closed: tuple[SettlementView, StatementView]) -> None:
    _, statement = closed
    with as_tenant(LOTUS):
        made = await statement_document(statement.id, Form.PDF)
    assert (made.file_name, made.media_type) == (f"{statement.number}.pdf", "application/pdf")
    said = text_of(made)
    for words in (
        "结算单",
        "莲花一店 & Söhne (ANN)",
        "期末余额",
        "¥1,278.06",
        "Asia/Shanghai",
        "=补差价(A1)",
        "-¥0.50",
    ):
        assert words in said, words
    assert "2026-04-01 00:00:00" in said  # the end of March where the brand is
    names = embedded(made.content)
    assert names and all("+NotoSansSC" in name for name in names)
    assert len(made.content) < 200_000  # a subset, not the font


async def test_a_statement_in_english_for_who_reads_english(closed: tuple[SettlementView, StatementView]) -> None:
    _, statement = closed
    with as_tenant(LOTUS):
        said = text_of(await statement_document(statement.id, Form.PDF, "en"))
    assert "Settlement statement" in said
    assert "Closing balance" in said
    assert "CN¥1,278.06" in said
    assert "结算单" not in said


async def test_amounts_in_the_sheets_are_those_of_the_ledger(closed: tuple[SettlementView, StatementView]) -> None:
    settlement, statement = closed
    with as_tenant(LOTUS):
        book = CalamineWorkbook.from_filelike(io.BytesIO((await statement_document(statement.id, Form.XLSX)).content))
        rows = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
        whole = await settlement_document(settlement.id, Form.XLSX, "en")
        csv_file = await settlement_document(settlement.id, Form.CSV, "zh-CN")
        lines = await statement_document(statement.id, Form.CSV, "en")
    facts = {row[0]: row[1] for row in rows[0] if len(row) > 1}
    assert (facts["期末余额"], facts["佣金"], facts["调整"]) == (1_278.06, 1_278.56, -0.5)
    assert [row[-1] for row in rows[1][1:]] == [1_234.56, 44.0]
    assert rows[2][1][1:] == ["=补差价(A1)", "S20260301-CNY-000001", -0.5]
    listed = CalamineWorkbook.from_filelike(io.BytesIO(whole.content)).get_sheet_by_index(1).to_python()
    assert [row[-1] for row in listed[1:]] == [1_278.06, 0.07]
    read = list(csv.reader(io.StringIO(csv_file.content.decode("utf-8-sig"))))
    assert ["期末余额", "1278.13"] in read
    assert read[-2][0].endswith("000001") and read[-2][-1] == "1278.06"
    assert any("'=补差价(A1)" in row for row in csv.reader(io.StringIO(lines.content.decode("utf-8-sig"))))


async def test_another_brand_has_no_such_documents(closed: tuple[SettlementView, StatementView]) -> None:
    settlement, statement = closed
    with as_tenant(CEDAR):
        for form in Form:
            with pytest.raises(NotFound):
                await statement_document(statement.id, form)
            with pytest.raises(NotFound):
                await settlement_document(settlement.id, form, "en")
    with as_tenant(LOTUS), pytest.raises(NotFound):
        await statement_document(StatementId(new_id()), Form.CSV)


async def test_more_lines_than_a_form_holds_are_refused(
    closed: tuple[SettlementView, StatementView], monkeypatch: pytest.MonkeyPatch
) -> None:
    settlement, statement = closed
    monkeypatch.setitem(documents.MOST, Form.PDF, 1)
    with as_tenant(LOTUS):
        for refused in (
            statement_document(statement.id, Form.PDF),
            settlement_document(settlement.id, Form.PDF, "en"),
        ):
            with pytest.raises(DocumentTooLong) as error:
                await refused
            assert error.value.params["lines"] == 2


def sample(rows: int) -> Document:
    """A document of that many rows."""
    table = Table(
        title="佣金明细",
        head=["时间", "订单", "金额"],
        widths=(20, 60, 20),
        rows=[[f"2026-03-{1 + n % 28:02}", f"订单 {n} " + "长" * (n % 90), Money(n, "CNY")] for n in range(rows)],
    )
    return Document(title="结算单", subject="S1", facts=[("余额", Money(-1, "JPY"))], notes=["注"], tables=[table])


def test_thousands_of_lines_go_on_over_pages_and_each_says_what_it_is() -> None:
    pages = pages_of(as_pdf(sample(2_000), "zh-CN"))
    assert len(pages) > 30
    for number, page in enumerate(pages, start=1):
        assert "金额" in page
        assert f"{number} / {len(pages)}" in page
    assert sum(len(re.findall(r"订单 \d", page)) for page in pages) == 2_000
    assert "订单 1999 " in pages[-1]


def test_a_currency_without_decimals_and_an_empty_table(tmp_path: Path) -> None:
    document = sample(0)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(as_xlsx(document))).get_sheet_by_index(0).to_python()
    assert rows[1] == ["余额", -1.0]
    assert "余额,-1\r\n" in as_csv(document).decode("utf-8-sig")
    assert as_pdf(document, "en").startswith(b"%PDF-")
