"""How much torture: small counts with every run of the tests, full ones with ``make torture``; and the seeds."""

import os
from dataclasses import dataclass
from random import Random, randrange


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How often each kind of thing happens, per database."""

    lives: int
    steps: int
    kills: int
    restarts: int
    rounds: int
    races: int
    hostile: int
    every_nth: int
    """Of the commits around payments that are sent, each so-manieth is crashed at; of the sends each."""


SMALL = Size(lives=200, steps=30, kills=20, restarts=5, rounds=50, races=6, hostile=120, every_nth=5)
FULL = Size(lives=5_000, steps=50, kills=300, restarts=100, rounds=1_000, races=200, hostile=2_000, every_nth=1)
SIZE = FULL if os.environ.get("TORTURE") == "full" else SMALL
"""``TORTURE=full`` makes it long."""


def chance() -> Random:
    """Random numbers of a seed that is printed; ``TORTURE_SEED`` gives the seed of a run to replay."""
    seed = int(os.environ.get("TORTURE_SEED") or randrange(2**32))
    print(f"TORTURE_SEED={seed}")  # shown with the failure
    return Random(seed)
