"""Following a brand's events: from a place of the log or from now on, without a gap and each once."""

from collections.abc import AsyncGenerator, Callable, Collection
from uuid import UUID

from saas.events import queries
from saas.events.audience import wanted_by
from saas.events.hub import current_hub
from saas.events.rules import EventKind, Numbered
from saas.events.streams import Stream
from tenants.actors import Actor

PAGE = 100


async def follow(
    actor: Actor,
    token: str | None,
    *,
    kinds: Collection[EventKind] | None = None,
    subject_id: UUID | None = None,
    after: str | None = None,
    cut: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Numbered, None]:
    """What the actor may see of what happens, as long as ``token`` holds; close it with ``aclosing``.

    With ``after`` it begins with what happened since that cursor. ``cut`` is called when the stream has ended and its
    connection takes nothing any more. Raises ``EventsForgotten`` or ``TooManyStreams`` at first, and at the end what
    ``Stream.next`` does.
    """
    wanted = wanted_by(actor, kinds, subject_id)
    last = await queries.head() if after is None else await queries.place_of(after)
    while len(page := await queries.after(last, PAGE, wanted)) == PAGE:
        for event in page:
            yield event
        last = page[-1].seq
    hub, stream = current_hub(), Stream(actor, token, wanted, cut)
    try:
        await hub.join(stream)
        # What became known while it joined is in the log, in the queue, or in both.
        while page := await queries.after(last, PAGE, wanted):
            for event in page:
                yield event
            last = page[-1].seq
        while True:
            event = await stream.next()
            if event.seq > last:
                last = event.seq
                yield event
    finally:
        hub.leave(stream)
