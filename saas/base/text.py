"""What people write for people, and the form of it that is kept."""

from unicodedata import category

from saas.base.errors import ReasonRefused

REASON_LONGEST = 500
_LINES = "\n\r\t"


def reason_of(text: str, field: str = "input.reason") -> str:
    """The reason as it is kept, without the space around it; several lines are allowed. Raises ``ReasonRefused``."""
    reason = text.strip()
    visible = any(mark.isprintable() for mark in reason)
    if (
        not visible
        or len(reason) > REASON_LONGEST
        or any(category(m) in {"Cc", "Cs"} for m in reason if m not in _LINES)
    ):
        raise ReasonRefused(field, longest=REASON_LONGEST)
    return reason
