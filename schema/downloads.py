"""Files of statements and settlements."""

from base64 import b64encode
from typing import Annotated

import strawberry

from saas.base.documents import Download, Form
from saas.base.errors import NotFound
from saas.base.ids import SettlementId, StatementId
from saas.settlement import documents
from saas.settlement.queries import statement_by_id
from schema.context import Info, locale_of
from schema.enums import described
from schema.ids import from_global
from tenants.actors import Role

described(
    "How a document is written.",
    name="DocumentForm",
    PDF="Pages to print, with the glyphs they use; at most 10,000 lines.",
    CSV="Comma-separated values in UTF-8.",
    XLSX="A workbook in which amounts are numbers; at most 200,000 lines.",
)(Form)


@strawberry.type(description="A file to save.")
class FileDownload:
    """A file within an answer."""

    file_name: str = strawberry.field(description="A name for it.")
    media_type: str = strawberry.field(description="Its type.")
    content: str = strawberry.field(description="Its bytes in base64.")


def file_download(made: Download) -> FileDownload:
    """A file for the API."""
    content = b64encode(made.content).decode()
    return FileDownload(file_name=made.file_name, media_type=made.media_type, content=content)


AsForm = Annotated[Form, strawberry.argument(description="How it is written.")]


@strawberry.type
class DocumentQuery:
    """Reads of files."""

    @strawberry.field(description="A statement as a file; a distributor reads its own.")
    async def statement_document(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The statement.")],
        form: AsForm = Form.PDF,
        locale: Annotated[
            str | None, strawberry.argument(description="`zh-CN` or `en`; the distributor's own by default.")
        ] = None,
    ) -> FileDownload:
        """One statement."""
        statement_id, who = StatementId(from_global("Statement", id, "id")), info.context.who
        owner = (await statement_by_id(statement_id)).distributor_id
        if who.role is Role.DISTRIBUTOR and owner != who.distributor_id:
            raise NotFound("id", kind="statement", value=id)
        language = locale_of(locale, info.context.locale) if locale else None
        return file_download(await documents.statement_document(statement_id, form, language))

    @strawberry.field(description="A closed period as a file: a line for each statement.")
    async def settlement_document(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The settlement.")],
        form: AsForm = Form.PDF,
    ) -> FileDownload:
        """One settlement."""
        settlement_id = SettlementId(from_global("Settlement", id, "id"))
        return file_download(await documents.settlement_document(settlement_id, form, info.context.locale))
