"""Operations that a brand registers, as the commands see them; the API's tests have the rest."""

from saas.base.db import Database, transaction
from tenants import trusted
from tenants.actors import system
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.payouts.people import started
from tests.tenants.people import audited


async def test_of_two_who_end_an_operation_at_once_one_does(db: Database) -> None:
    await make_tenants()
    actor = system(LOTUS, "test")
    with as_tenant(LOTUS):
        (known,) = await trusted.register("web", [trusted.Document(name="Me", text="{ me { id } }")], actor)
        async with transaction():
            assert await trusted.end([known.hash], actor) == [known.hash]
            again = await started(trusted.end([known.hash], actor))
        assert await again == []
    assert [action for _, action in await audited(LOTUS)].count("document.end") == 1
