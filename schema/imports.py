"""Imports: files of orders and returns, what becomes of them, and what was wrong."""

import binascii
from base64 import b64decode
from datetime import datetime
from typing import Annotated

import strawberry

from saas.base.errors import Said
from saas.base.ids import ImportFileId
from saas.imports import columns, files, views
from saas.imports.columns import Form, ImportKind
from saas.imports.errors import FileUnreadable
from saas.imports.files import BringIn
from saas.imports.views import FindingView, ImportView
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, to_global
from schema.jobs import Job, job_by_id
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request

described("What the rows of a file are.", ORDERS="Lines of orders.", RETURNS="Lines of returns.")(ImportKind)
described(
    "How the cells of a column are written.",
    name="ImportForm",
    TEXT="Text.",
    INTEGER="A whole number.",
    AMOUNT="An amount in the brand's currency; `1,234.50` is one.",
    MOMENT="A day or a moment, in the brand's time zone unless it names its own.",
    FLAG="Yes or no, 是 or 否.",
)(Form)

Kind = Annotated[ImportKind, strawberry.argument(description="What the rows are.")]


def _said(info: Info, words: Said) -> str:
    return words.zh if info.context.locale.lower().startswith("zh") else words.en


@strawberry.type(description="What is wrong with a row of a file, and what to do.")
class ImportFinding:
    """A finding."""

    row: int = strawberry.field(description="The row as a spreadsheet program counts; the header is row 1.")
    column: str | None = strawberry.field(description="Title of the column it is about, in the caller's language.")
    code: str = strawberry.field(description="Stable code, one of `ErrorCode`.")
    message: str = strawberry.field(description="What to do, in the caller's language.")


@strawberry.type(description="A file that was brought in, and how far it is (导入).")
class ImportFile:
    """An import."""

    view: strawberry.Private[ImportView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    kind: ImportKind = strawberry.field(description="What its rows are.")
    name: str = strawberry.field(description="Its name.")
    dry_run: bool = strawberry.field(description="Whether nothing is written.")
    historical: bool = strawberry.field(
        description="Whether orders of before the last change of program or tree are taken, and follow it as it stands."
    )
    row_count: int = strawberry.field(description="Rows below the header that are not empty.")
    units: int = strawberry.field(description="Orders or returns that its rows are.")
    done: int = strawberry.field(description="How many of them are done with.")
    written: int = strawberry.field(description="How many are written, or would be.")
    replayed: int = strawberry.field(description="How many were there before, alike; nothing was done.")
    refused: int = strawberry.field(description="How many were left out; the findings say why.")
    created_at: datetime = strawberry.field(description="When it was brought in.")
    finished_at: datetime | None = strawberry.field(description="When all of it was done with.")

    @strawberry.field(description="The job that carries it out; none when it was brought in by command.")
    async def job(self, info: Info) -> Job | None:
        """A job."""
        return None if self.view.job_id is None else await job_by_id(info, self.view.job_id)

    @strawberry.field(description="What was wrong, in the order it was found.")
    async def findings(self, info: Info, first: First = PAGE_DEFAULT, after: After = None) -> Connection[ImportFinding]:
        """A page of findings."""
        page = await views.findings(self.view.id, request(first, after))
        return connection(page, lambda one: _finding(info, one), after)

    @strawberry.field(description="All findings as CSV, in the caller's language.")
    async def csv(self, info: Info) -> str:
        """A file."""
        return await views.findings_csv(self.view.id, info.context.locale)


def _finding(info: Info, view: FindingView) -> ImportFinding:
    column = None if view.column is None else _said(info, view.column)
    return ImportFinding(row=view.row_no, column=column, code=view.code, message=_said(info, view.message))


def import_file(view: ImportView) -> ImportFile:
    """A file for the API."""
    return ImportFile(
        view=view,
        id=to_global("ImportFile", view.id),
        kind=view.kind,
        name=view.name,
        dry_run=view.dry_run,
        historical=view.historical,
        row_count=view.row_count,
        units=view.units,
        done=view.done,
        written=view.written,
        replayed=view.replayed,
        refused=view.refused,
        created_at=view.created_at,
        finished_at=view.finished_at,
    )


@strawberry.type(description="A column of a file.")
class ImportColumn:
    """A column."""

    key: str = strawberry.field(description="Its key, which is a header too.")
    title: str = strawberry.field(description="Its header in the caller's language.")
    form: Form = strawberry.field(description="How its cells are written.")
    required: bool = strawberry.field(description="Whether every order or return needs it.")
    note: str = strawberry.field(description="What to know of it; often nothing.")
    example: str = strawberry.field(description="An example.")


@strawberry.type(description="A file to fill in.")
class ImportTemplate:
    """A template."""

    file_name: str = strawberry.field(description="A name for it.")
    content: str = strawberry.field(
        description="CSV in UTF-8 with a byte-order mark: headers, and a row as an example."
    )
    columns: list[ImportColumn] = strawberry.field(description="What its columns are.")


@strawberry.input(description="A file of orders or returns to bring in.")
class ImportFileInput:
    """A file."""

    kind: ImportKind = strawberry.field(description="What its rows are.")
    name: str = strawberry.field(description="Its name, for people.")
    content: str = strawberry.field(
        description="CSV (UTF-8, UTF-16, GBK) or XLSX in Base64: about 700,000 bytes, 20,000 rows at most."
    )
    dry_run: bool = strawberry.field(default=False, description="Find all that is wrong, write nothing.")
    historical: bool = strawberry.field(
        default=False,
        description="Take orders of before the last change of program or tree, which then follow both as they stand. "
        "Owners only.",
    )
    idempotency_key: str = strawberry.field(description="The same key and content answer the same import.")


@strawberry.type(description="A file that was taken in.")
class ImportPayload(Payload):
    """Answer of an import."""

    file: ImportFile | None = strawberry.field(default=None, description="The file and its job; none when refused.")


@strawberry.type
class ImportQuery:
    """Reads of imports."""

    @strawberry.field(description="One file that was brought in.")
    async def import_file(
        self, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> ImportFile:
        """An import."""
        return import_file(await views.import_file(ImportFileId(from_global("ImportFile", id, "id"))))

    @strawberry.field(description="The files that were brought in, the latest first.")
    async def import_files(
        self,
        kind: Annotated[ImportKind | None, strawberry.argument(description="Only these.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[ImportFile]:
        """A page of imports."""
        return connection(await views.import_files(request(first, after), kind), import_file, after)

    @strawberry.field(description="The file to fill in, with headers in the caller's language.")
    async def import_template(self, info: Info, kind: Kind) -> ImportTemplate:
        """A template."""
        language = info.context.locale
        told = [
            ImportColumn(
                key=one.key,
                title=one.header(language),
                form=one.form,
                required=one.required,
                note=_said(info, one.note),
                example=one.example,
            )
            for one in columns.COLUMNS[kind]
        ]
        content = columns.template(kind, language)
        return ImportTemplate(file_name=f"{kind}.csv", content=content, columns=told)


@strawberry.type
class ImportMutation:
    """Writes of imports."""

    @strawberry.mutation(
        description="Bring a file in: a job places its orders, or writes its returns, each whole or not at all."
    )
    @refusals(ImportPayload)
    async def import_file(self, info: Info, input: In[ImportFileInput]) -> ImportPayload:
        """Bring it in."""
        command = BringIn(
            kind=input.kind,
            name=input.name,
            content=_bytes(input.content),
            dry_run=input.dry_run,
            historical=input.historical,
            idempotency_key=input.idempotency_key,
        )
        return ImportPayload(file=import_file(await files.bring_in(command, info.context.who)))


def _bytes(content: str) -> bytes:
    """The file. Raises ``FileUnreadable``."""
    try:
        return b64decode(content, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise FileUnreadable("input.content", why=Said("it is not in Base64", "不是 Base64 编码")) from wrong
