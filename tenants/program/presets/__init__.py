"""Programs to start from, and those of the two demo brands. Each file is a complete document."""

from functools import lru_cache
from pathlib import Path

from tenants.program.document import Program
from tenants.program.parse import parse

_FOLDER = Path(__file__).parent
PRESETS = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@lru_cache(maxsize=32)
def preset(code: str) -> Program:
    """The preset called ``code``, one of ``PRESETS``. Raises ``LookupError`` for another."""
    if code not in PRESETS:
        raise LookupError(f"no preset {code}; there are {', '.join(PRESETS)}")
    parsed = parse((_FOLDER / f"{code}.yaml").read_bytes(), "yaml")
    if isinstance(parsed, Program):
        return parsed
    raise LookupError(f"the preset {code} is broken: {parsed[0].path}: {parsed[0].en}")
