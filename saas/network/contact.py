"""Phones and ID numbers: one normal form to compare by, and a mask to show. Pure.

The orange list compares keyed hashes, so two spellings of one number must become the same text.
"""

import re
from unicodedata import category, normalize

HOME = "+86"
_SEPARATORS = re.compile(r"[\s\-‐-―().·/]+")
_FOREIGN = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_BARE_CODE = re.compile(r"^86(?=1[3-9]\d{9}$)", re.ASCII)
_LANDLINE = re.compile(r"0?[2-9]\d{8,10}", re.ASCII)
_ID_NUMBER = re.compile(r"[0-9A-Z]{6,32}")


def _compact(text: str) -> str:
    """The text in plain widths, without separators and the invisible marks that come with a pasted number."""
    return _SEPARATORS.sub("", "".join(mark for mark in normalize("NFKC", text) if category(mark) != "Cf"))


def normal_phone(text: str) -> str | None:
    """The number with its country code, ``+8613812345678``, or None when it is none.

    Without a country code, a mainland mobile or a landline with its area code is meant.
    """
    compact = _BARE_CODE.sub(HOME, re.sub(r"^00", "+", _compact(text)))
    national = compact.removeprefix(HOME)
    if _MOBILE.fullmatch(national):
        return HOME + national
    if _LANDLINE.fullmatch(national) and (national != compact or national.startswith("0")):
        return HOME + national.removeprefix("0")
    return compact if _FOREIGN.fullmatch(compact) and national == compact else None


def normal_id_number(text: str) -> str | None:
    """The number of an identity card, passport or business licence in capitals without separators, or None."""
    compact = _compact(text).upper()
    return compact if _ID_NUMBER.fullmatch(compact) else None


def masked_phone(normal: str) -> str:
    """A normal phone for the screen: ``138****5678``."""
    digits = normal.removeprefix(HOME)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else f"****{digits[-2:]}"


def masked_id_number(normal: str) -> str:
    """A normal ID number for the screen: ``310***********1234``."""
    if len(normal) < 15:
        return f"{'*' * (len(normal) - 2)}{normal[-2:]}"
    return f"{normal[:3]}{'*' * (len(normal) - 7)}{normal[-4:]}"


def masked_name(name: str) -> str:
    """A name for those who may not know it: ``王**``."""
    return f"{name[:1]}**"
