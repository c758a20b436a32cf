"""What became of an order or a return of a file. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from saas.imports.table import Finding


class Fate(StrEnum):
    """Written now, or by a dry run would be; there before with the same content; or left out."""

    WRITTEN = "written"
    REPLAYED = "replayed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one unit, and why when it was left out."""

    fate: Fate
    findings: Sequence[Finding]
