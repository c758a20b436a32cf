"""Who may see which events: whoever may read what they are about."""

from collections.abc import Collection, Mapping
from uuid import UUID

from saas.events.rules import EventKind, Subject, Wanted
from tenants.access import STAFF, Rule
from tenants.access_groups import COMMISSIONS_READ, EXITS_READ, MONEY_READ, ORDERS_READ
from tenants.actors import Actor, Role

SEEN_BY: Mapping[Subject, Rule] = {
    Subject.ORDER: ORDERS_READ,
    Subject.COMMISSION: COMMISSIONS_READ,
    Subject.BALANCE: MONEY_READ,
    Subject.PAYOUT: MONEY_READ,
    Subject.EXIT: EXITS_READ,
    Subject.JOB: STAFF,
    Subject.WEBHOOK: STAFF,
}
"""Who may see an event: whoever may read what it is about. Of that, a distributor only what is its own."""


def kinds_for(actor: Actor, wanted: Collection[EventKind] | None = None) -> frozenset[EventKind]:
    """Of the wanted kinds, or of all, those that the actor may see."""
    return frozenset(kind for kind in wanted or EventKind if SEEN_BY[kind.subject].admits(actor))


def wanted_by(actor: Actor, kinds: Collection[EventKind] | None = None, subject_id: UUID | None = None) -> Wanted:
    """What the actor gets of what it asks for; a distributor without a place in the tree gets nothing."""
    own = actor.distributor_id if actor.role is Role.DISTRIBUTOR else None
    seen = kinds_for(actor, kinds)
    if actor.role is Role.DISTRIBUTOR and own is None:
        seen = frozenset()
    return Wanted(kinds=seen, distributor_id=own, subject_id=subject_id)
