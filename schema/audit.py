"""The audit log, for those who look after a brand."""

from datetime import datetime
from typing import Annotated

import strawberry

from schema.ids import maybe_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from tenants import audit
from tenants.audit import Line


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
    detail: str = strawberry.field(description="More about it, as JSON; without personal data in clear.")


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
        detail=line.detail,
    )


@strawberry.type
class AuditQuery:
    """Reads of the log."""

    @strawberry.field(description="The brand's audit log, the latest first.")
    async def audit_log(
        self,
        action: Annotated[str | None, strawberry.argument(description="Only this action, or all of `order.`.")] = None,
        actor: Annotated[str | None, strawberry.argument(description="Only by this log-in or name.")] = None,
        since: Annotated[datetime | None, strawberry.argument(description="Then or later.")] = None,
        until: Annotated[datetime | None, strawberry.argument(description="Before.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[AuditLine]:
        """A page of the log."""
        page = await audit.lines(request(first, after), action=action, actor=actor, since=since, until=until)
        return connection(page, audit_line, after)
