"""A brand on paper: its tree, its orders and everybody's money in plain dictionaries, written from docs/rules.md.

Shares no code with the house but the program document; amounts come from the naive rules of commission. The parts stand
on one another: things, the tree, goods, money.
"""

from tests.paper.goods import STEPS
from tests.paper.money import Paper
from tests.paper.things import Batch, Month, Person, Request, Sale

__all__ = ["STEPS", "Batch", "Month", "Paper", "Person", "Request", "Sale"]
