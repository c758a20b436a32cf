"""Random trees and moves against a dictionary: now, and as of every moment there was."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.base.scope import tenant_scope
from saas.network.commands import Move, enrol, leave, move
from saas.network.errors import MoveMakesCycle, SponsorNotActive
from saas.network.queries import (
    Downline,
    SalesPeriod,
    chains,
    children,
    downline,
    totals_of,
    upline,
    visibility_of,
)
from tests.factories import new_brand
from tests.network.world import T0, request, sell, staff, stored, use_program

YEAR = SalesPeriod(first=date(2026, 1, 1), until=date(2027, 1, 1), currency="CNY")
PAGE = PageRequest(first=100)

Tree = dict[str, str | None]
steps = st.lists(
    st.tuples(st.sampled_from(["enrol"] * 4 + ["move"] * 4 + ["leave"]), st.integers(0, 30), st.integers(-1, 30)),
    min_size=5,
    max_size=25,
)


@dataclass
class Model:
    """What the tree should be: who is under whom, in the order they came."""

    tree: Tree = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    def upline(self, code: str) -> list[str]:
        above = self.tree[code]
        return [] if above is None else [above, *self.upline(above)]

    def downline(self, of: str) -> dict[str, int]:
        """Members below with their level."""
        return {code: self.upline(code).index(of) + 1 for code in self.tree if of in self.upline(code)}

    def in_order(self, of: str | None) -> Iterator[str]:
        """Everybody below, each before its own downline."""
        for code in [code for code, sponsor in self.tree.items() if sponsor == of]:
            yield code
            yield from self.in_order(code)

    def snapshot(self) -> "Model":
        return Model(dict(self.tree), set(self.left))


@dataclass
class World:
    """The model and the brand it is compared with."""

    model: Model = field(default_factory=Model)
    ids: dict[str, DistributorId] = field(default_factory=dict)
    past: list[tuple[datetime, Model]] = field(default_factory=list)

    @property
    def codes(self) -> dict[DistributorId | None, str | None]:
        return {None: None} | {id_: code for code, id_ in self.ids.items()}

    def at(self, number: int) -> str | None:
        """One of the codes, or the brand for a negative number."""
        known = list(self.model.tree)
        return known[number % len(known)] if known and number >= 0 else None

    async def take(self, kind: str, one: int, other: int) -> None:
        subject, sponsor = self.at(one), self.at(other)
        if kind == "enrol":
            if sponsor not in self.model.left:
                code = f"D{len(self.model.tree)}"
                self.ids[code] = await enrol(request(code, self.ids[sponsor] if sponsor else None), staff())
                self.model.tree[code] = sponsor
        elif subject is None or subject in self.model.left:
            return
        elif kind == "move":
            await self._move(subject, sponsor)
        else:
            to = "sponsor" if other % 2 else "brand"
            await leave(self.ids[subject], downline_to="sponsor" if other % 2 else "brand", reason="", actor=staff())
            heir = self.model.tree[subject] if to == "sponsor" else None
            self.model.tree = {c: heir if s == subject else s for c, s in self.model.tree.items()}
            self.model.left.add(subject)

    async def _move(self, subject: str, sponsor: str | None) -> None:
        command = Move(distributor=self.ids[subject], sponsor=self.ids[sponsor] if sponsor else None, reason="test")
        if self.model.tree[subject] == sponsor:
            assert await move(command, staff()) == 0
        elif sponsor == subject or (sponsor and subject in self.model.upline(sponsor)):
            with pytest.raises(MoveMakesCycle):
                await move(command, staff())
        elif sponsor in self.model.left:
            with pytest.raises(SponsorNotActive):
                await move(command, staff())
        else:
            assert await move(command, staff()) == 1 + len(self.model.downline(subject))
            self.model.tree[subject] = sponsor

    async def agrees(self, model: Model, as_of: datetime | None) -> None:
        """Whole tree, every subtree, every upline and the totals."""
        everybody = await downline(Downline(as_of=as_of), PAGE)
        assert [row.code for row in everybody.items] == list(model.in_order(None))
        assert {row.code: self.codes[row.sponsor_id] for row in everybody.items} == model.tree
        assert {row.code: row.level - 1 for row in everybody.items} == {c: len(model.upline(c)) for c in model.tree}
        totals = await totals_of([self.ids[code] for code in model.tree], YEAR, as_of=as_of)
        worth = {code: 10 ** (i % 9) for i, code in enumerate(self.ids)}
        for code in model.tree:
            below = model.downline(code)
            found = await downline(Downline(of=self.ids[code], as_of=as_of), PAGE)
            assert {row.code: row.level for row in found.items} == below
            direct = await children(self.ids[code], PAGE, as_of=as_of)
            assert {row.code for row in direct.items} == {c for c, level in below.items() if level == 1}
            above = await upline(self.ids[code], as_of=as_of)
            assert [(row.code, row.level) for row in above] == [(c, i) for i, c in enumerate(model.upline(code), 1)]
            team = {code, *below}
            assert totals[self.ids[code]].own_minor == worth[code]
            assert totals[self.ids[code]].group_minor == sum(worth[c] for c in team)
            assert totals[self.ids[code]].head_count == len(team - model.left)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, viewer=st.integers(0, 30), generations=st.none() | st.integers(0, 3))
async def test_trees_and_their_history_agree_with_a_dictionary(
    db: Database, steps: list[tuple[str, int, int]], viewer: int, generations: int | None
) -> None:
    world = World()
    with tenant_scope(await new_brand()):
        await use_program("lotus", applicant_review="automatic", depth_limit=None, level_names=[])
        for hour, step in enumerate(steps):
            with clock.at(T0 + timedelta(hours=hour)):
                await world.take(*step)
            world.past.append((T0 + timedelta(hours=hour), world.model.snapshot()))  # the very moment counts
        await sell([(id_, date(2026, 5, 1), 10 ** (i % 9)) for i, id_ in enumerate(world.ids.values())])
        now = await stored()
        for code, (sponsor, path, depth) in now.items():
            assert sponsor == world.model.tree[code]
            assert path.split("/") == [*reversed(world.model.upline(code)), code]
            assert depth == len(world.model.upline(code))
        made = await chains([*world.ids.values(), *world.ids.values()])
        assert {code: [m.code for m in made[id_].members] for code, id_ in world.ids.items()} == {
            code: [code, *world.model.upline(code)] for code in world.ids
        }
        await world.agrees(world.model, None)
        for moment, model in world.past[:: max(1, len(world.past) // 4)]:
            await world.agrees(model, moment)
        if world.ids:
            await sees_its_part_only(world, str(world.at(viewer)), generations)


async def sees_its_part_only(world: World, viewer: str, generations: int | None) -> None:
    """A viewer finds of every downline exactly what is within its own, whoever it asks about."""
    view = await visibility_of(world.ids[viewer], generations=generations, masked=False)
    below = world.model.downline(viewer)
    seen = {viewer} | {code for code, level in below.items() if generations is None or level <= generations}
    everybody = await downline(Downline(), PAGE, view)
    assert {row.code for row in everybody.items} == seen
    assert next(row for row in everybody.items if row.code == viewer).sponsor_id is None
    totals = await totals_of(list(world.ids.values()), YEAR, view)
    assert set(totals) == {world.ids[code] for code in seen}
    worth = {code: 10 ** (i % 9) for i, code in enumerate(world.ids)}
    for code, id_ in world.ids.items():
        team = set(world.model.downline(code))
        found = await downline(Downline(of=id_), PAGE, view)
        assert {row.code for row in found.items} == (team & seen if code in seen else set())
        above = await upline(id_, view)
        assert {row.code for row in above} == (set(world.model.upline(code)) & seen if code in seen else set())
        if code in seen:
            assert totals[id_].group_minor == sum(worth[c] for c in {code, *team} & seen)
