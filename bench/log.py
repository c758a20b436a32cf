"""A purchase log as large as the one the import is made for, from the tenth of it that the demo keeps."""

from collections.abc import Iterator
from pathlib import Path

from saas.imports.log import HEADER

DEMO = Path(__file__).parent.parent / "saas" / "demo" / "data" / "orders.txt"


def write_log(path: Path, rows: int) -> None:
    """Write ``rows`` purchases: the demo's, over and over, each time by other customers."""
    kept = [line.split() for line in DEMO.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    purchases = kept[1:]
    customers = max(int(customer) for customer, *_ in purchases)
    with path.open("w", encoding="ascii") as log:
        log.write(" ".join(HEADER) + "\n")
        log.writelines(_shifted(purchases, customers, rows))


def _shifted(purchases: list[list[str]], customers: int, rows: int) -> Iterator[str]:
    for number in range(rows):
        again, at = divmod(number, len(purchases))
        customer, *rest = purchases[at]
        yield f"{int(customer) + again * customers:05} {' '.join(rest)}\n"
