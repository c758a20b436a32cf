"""The audit log, for those who look after a brand."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
import strawberry

from schema.downloads import FileDownload, file_download
from schema.enums import described
from schema.ids import maybe_global, split_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from tenants import audit
from tenants.audit import Line, Sought
from tenants.audit_export import AuditForm, document

described("How the lines of a log are written.", CSV="Comma-separated values.", JSON_LINES="A JSON object a line.")(
    AuditForm
)


@strawberry.type(description="Who did what to whom.")
class AuditLine:
    """A line of the log; it never changes."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    at: datetime = strawberry.field(description="When.")
    actor_kind: str = strawberry.field(description="`member`, `operator`, `api_key` or `system`.")
    actor_id: strawberry.ID | None = strawberry.field(description="Which member, if one did it.")
    actor: str = strawberry.field(description="The actor's log-in or name.")
    action: str = strawberry.field(description="What was done, such as `order.place`.")
    subject: str | None = strawberry.field(description="To what, if to one thing.")
    on_behalf_of: strawberry.ID | None = strawberry.field(description="The distributor it was done for, if for one.")
    detail: str = strawberry.field(
        description="More about it, as JSON: `before` and `after` hold what was changed; no personal data in clear."
    )


def audit_line(line: Line) -> AuditLine:
    """A line for the API."""
    return AuditLine(
        id=to_global("AuditLine", line.id),
        at=line.at,
        actor_kind=line.actor_kind,
        actor_id=maybe_global("Member", line.actor_id) if line.actor_kind == "member" else None,
        actor=line.actor_label,
        action=line.action,
        subject=line.subject,
        on_behalf_of=_acted_for(line),
        detail=line.detail,
    )


def _acted_for(line: Line) -> strawberry.ID | None:
    found = orjson.loads(line.detail).get("on_behalf_of")
    return to_global("Distributor", UUID(found)) if found else None


def _subject(text: str | None) -> str | None:
    """What a line says it was done to: the UUID of a global id, or the text itself."""
    found = split_global(text) if text else None
    return str(found[1]) if found else text


Action = Annotated[str | None, strawberry.argument(description="Only this action, or all of `order.`.")]
By = Annotated[str | None, strawberry.argument(description="Only by this log-in or name.")]
Of = Annotated[str | None, strawberry.argument(description="Only what was done to this: a global id, or a name.")]
Since = Annotated[datetime | None, strawberry.argument(description="Then or later.")]
Until = Annotated[datetime | None, strawberry.argument(description="Before.")]


@strawberry.type
class AuditQuery:
    """Reads of the log."""

    @strawberry.field(description="The brand's audit log, the latest first.")
    async def audit_log(
        self,
        action: Action = None,
        actor: By = None,
        subject: Of = None,
        since: Since = None,
        until: Until = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[AuditLine]:
        """A page of the log."""
        sought = Sought(action=action, actor=actor, subject=_subject(subject), since=since, until=until)
        return connection(await audit.lines(request(first, after), sought), audit_line, after)

    @strawberry.field(
        description="The brand's audit log as a file, the oldest line first, each with its link of the hash chain; at "
        "most 20,000 lines."
    )
    async def audit_document(
        self,
        form: Annotated[AuditForm, strawberry.argument(description="How it is written.")],
        action: Action = None,
        actor: By = None,
        subject: Of = None,
        since: Since = None,
        until: Until = None,
    ) -> FileDownload:
        """The lines as a file."""
        sought = Sought(action=action, actor=actor, subject=_subject(subject), since=since, until=until)
        return file_download(await document(form, sought))
