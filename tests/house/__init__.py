"""A brand in the database and the same brand on paper, and all that can happen to both: the ground of random lives.

docs/rules.md §5: entries add up to zero, available within what was accrued less what was reversed, paid within
settled, nothing earned without ground. Also: commission is what the naive rules say, the company keeps the rest, and
daily sums are those of the orders less what came back. The parts stand on one another: ground, people, goods, money.

Left out: stock that is bought back, and components by pieces, cross-region leads and group sales.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from saas.base import clock
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.payouts.providers import GATEWAYS
from saas.payouts.queries import payout_by_id
from saas.proof.checks import broken
from tenants.program import Program, errors_in, parse, validate
from tenants.program.versions import SaveDraft, activate, save_draft
from tests.house.goods import ORDER_STEPS
from tests.house.ground import PRODUCTS, T0
from tests.house.money import Purse
from tests.network.world import staff
from tests.orders.world import balances, table
from tests.paper import Paper
from tests.tenants.program.documents import documents, rates

__all__ = ["T0", "House", "found_house", "programs", "steps"]

KINDS = (
    ["place"] * 4 + ["sell"] * 3 + ["pay"] * 2 + ["ship", "deliver"] * 4 + ["cancel"] * 2 + ["enrol", "wait"] * 4
    + ["whole_sale"] * 9 + ["close", "move", "tier", "suspend", "reinstate", "reinstate"]
    + ["ask_to_leave", "execute", "leave", "stay", "close_exits"] + ["release"] * 2 + ["settle"] * 6
    + ["close_month"] * 2 + ["request"] * 8 + ["withdraw", "card", "verify"] + ["pay_out"] * 3
    + ["gather", "approve", "submit"] * 2 + ["undo"] + ["result", "carry"] * 3 + ["bring_back"] * 4
    + ["ask_back", "decide_back", "receive", "refund"] * 2 + ["forgive", "decide_debt"] * 2
    + ["ask_decision", "answer"] * 2 + ["ask_lift"]
)  # fmt: skip
Step = tuple[str, int, int, int]


@st.composite
def programs(draw: st.DrawFn) -> dict[str, Any]:
    """Documents a brand may activate, with every setting of settlement, returns and exits, and months that pay."""
    made = draw(documents(levels=3, most=900))
    made["commission"]["components"].append(rates(*draw(st.lists(st.integers(100, 800), min_size=1, max_size=3))))
    bands = [{"from_minor": 0, "rate_bps": 50}, {"from_minor": 40_000, "rate_bps": draw(st.integers(51, 300))}]
    made["commission"]["components"].append({"kind": "tiered_rebate", "key": "rebate", "bands": bands})
    made["tiers"][1] |= {
        "promotion": {"kind": "own_sales", "at_least_minor": 60_000},
        "keep": {"kind": "own_sales", "at_least_minor": draw(st.sampled_from([1, 20_000]))},
    }
    made["tier_rules"] = {"period": "month", "grace_periods": 0}
    brackets = [{"from_minor": 0, "rate_bps": 300}, {"from_minor": 1_000, "rate_bps": 2_000}]
    made["settlement"] |= {
        "hold_days": draw(st.integers(0, 10)),
        "minimum_payout_minor": draw(st.sampled_from([0, 1, 500])),
        "maximum_payout_minor": draw(st.sampled_from([None, 2_000])),
        "fee_bps": draw(st.sampled_from([0, 60, 5_000])),
        "withholding_without_invoice_bps": draw(st.sampled_from([0, 2_000, 6_000])),
        "withholding_brackets": draw(st.sampled_from([[], brackets])),
        "withholding_applies": draw(st.sampled_from(["WHOLE", "MARGINAL"])),
        "cooling_days": draw(st.sampled_from([0, 3])),
    }
    made["returns"] = {"window_days": draw(st.integers(0, 10)), "products": {"X": draw(st.integers(0, 10))}}
    to = st.sampled_from(["sponsor", "brand", "heir"])
    terms = st.fixed_dictionaries({"downline_to": to, "pending": st.sampled_from(["keep", "forfeit"])})
    made["exit"] = {kind: draw(terms) for kind in ("voluntary", "breach", "inactivity", "brand_decision")}
    made["hierarchy"]["applicant_review"] = "automatic"
    parsed = parse(made)
    assume(isinstance(parsed, Program) and not errors_in(validate(parsed)))
    return made


def steps(seed: int, length: int) -> list[Step]:
    """A long life; lists that Hypothesis draws one by one stay too short and too even for money to get anywhere."""
    chance = Random(seed)
    amount = partial(chance.randrange, 10**6)
    return [(chance.choice(KINDS), amount(), amount(), amount()) for _ in range(length)]


class House(Purse):
    """Everything that may happen, and whether both brands agree."""

    async def take(self, step: Step) -> None:
        """One step, at its own moment."""
        kind, *given = step
        self.now += timedelta(minutes=1)
        with clock.at(self.now), self.at_the_bank():
            if kind in ORDER_STEPS:
                await self.order_step(kind, given[0])
            else:
                await getattr(self, kind)(*given)

    @contextmanager
    def at_the_bank(self) -> Iterator[None]:
        """Have the bank of this life answer."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setitem(GATEWAYS, "wechat_pay", self.bank)
            yield

    async def agrees(self) -> None:
        """The books are sound, and say what the paper says."""
        assert await broken() == []
        own = await table(
            "SELECT '', account, CAST(sum(amount_minor) AS bigint) FROM ledger_entry "
            "WHERE tenant_id = $1 AND owner_id IS NULL GROUP BY account"
        )
        booked = await balances() | {(owner, account): amount for owner, account, amount in own if amount}
        assert booked == {key: amount for key, amount in self.paper.money.items() if amount}
        sold = await table(
            "SELECT d.code, s.day, s.amount_minor FROM sales_day s JOIN distributor d "
            "ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id WHERE s.tenant_id = $1 AND s.amount_minor <> 0"
        )
        assert {(code, str(day)): amount for code, day, amount in sold} == {
            k: v for k, v in self.paper.sold().items() if v
        }
        await self._lines_agree()
        await self._people_agree()
        for id_, payout in zip(self.asked, self.paper.payouts, strict=True):
            assert (await payout_by_id(id_)).status == payout.state
        assert set(self.bank.sent.values()) <= {1}

    async def _lines_agree(self) -> None:
        """Each share is what the naive rules say, and the company keeps the base without the shares."""
        rows = await table(
            "SELECT c.order_id, l.line_no, c.component, c.level, c.amount_minor FROM commission c JOIN order_line l "
            "ON l.tenant_id = c.tenant_id AND l.id = c.line_id WHERE c.tenant_id = $1 AND c.amount_minor <> 0"
        )
        company = await table("SELECT order_id, line_no, company_minor FROM order_line WHERE tenant_id = $1")
        kept = {(order, number): minor for order, number, minor in company}
        paid = {(order, number, component, level): amount for order, number, component, level, amount in rows}
        expected: dict[tuple[object, ...], int] = {}
        for order, sale in zip(self.orders, self.paper.sales, strict=True):
            for number in range(1, len(sale.lines) + 1):
                amounts = sale.amounts[number - 1] if sale.day else {}
                expected |= {(order, number, *key): amount for key, amount in amounts.items()}
                assert kept[order, number] == (sale.bases[number - 1] - sum(amounts.values()) if sale.day else None)
        assert paid == expected

    async def _people_agree(self) -> None:
        """Everybody hangs where the paper says, in that tier and standing."""
        rows = await table(
            "SELECT d.code, s.code AS above, d.tier, d.status FROM distributor d LEFT JOIN distributor s "
            "ON s.tenant_id = d.tenant_id AND s.id = d.sponsor_id WHERE d.tenant_id = $1"
        )
        people = self.paper.people.items()
        assert set(rows) == {(code, person.sponsor, person.tier, person.status) for code, person in people}


async def found_house(program: dict[str, Any]) -> House:
    """The active brand under a program, with products and a handful of people, at ``T0``."""
    parsed = parse(program)
    assert isinstance(parsed, Program)
    house = House(Paper(parsed))
    draft = await save_draft(SaveDraft(document=program), staff())
    await activate(draft.version.number, staff())
    await put_products([PutProduct(sku=s, name=s, category=c) for s, c in PRODUCTS.items()], staff())
    for number in (0, 1, 6, 7, 8):
        await house.enrol(number, number, number)
    return house
