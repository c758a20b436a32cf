"""The findings on a document's structure: pydantic's errors in the brand's words, with the place and the remedy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from reprlib import Repr
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tenants.program import components, document, parts, pricing
from tenants.program.findings import NO_HINT, Finding, finding, hint, path_of
from tenants.program.parts import AMOUNT_MAX

_TYPES = {
    "int_type": ("a whole number", "整数"),
    "string_type": ("text; put it in quotes", "文本，请加引号"),
    "string_unicode": ("valid text", "有效文本"),
    "bool_type": ("true or false", " true 或 false"),
    "model_type": ("a set of settings", "一组设置"),
    "model_attributes_type": ("a set of settings", "一组设置"),
    "mapping_type": ("a set of entries", "一组键值"),
    "tuple_type": ("a list", "列表"),
    "invalid_key": ("a key; put it in quotes", "键名，请加引号"),
    "iso_date": ("a day written YYYY-MM-DD", "以 YYYY-MM-DD 书写的日期"),
}
_FORMS = {
    parts.CODE_FORM: (
        "small letters, digits and _, at most 40, beginning with a letter",
        "小写字母、数字和下划线，最长 40 位，以字母开头",
    ),
    parts.NUMBER_FORM: ("1 to 64 characters without spaces", "1 至 64 个字符，不含空格"),
    parts.CURRENCY_FORM: ("three capital letters like CNY", "三个大写字母，例如 CNY"),
    parts.REGION_FORM: ("the six digits of a GB/T 2260 code, in quotes", "六位 GB/T 2260 行政区划代码，请加引号"),
    parts.PROFILE_FORM: ("the code of a compliance profile, such as CN", "合规档案的代码，例如 CN"),
    parts.TEXT_FORM: ("one line without spaces at its ends", "单行文本，首尾无空格"),
}
_BOUNDS = {"greater_than_equal": "ge", "less_than_equal": "le"}
_LENGTHS = {
    "too_short": "min_length",
    "too_long": "max_length",
    "string_too_short": "min_length",
    "string_too_long": "max_length",
}
_PARTS = [
    part
    for module in (components, document, parts, pricing)
    for part in vars(module).values()
    if isinstance(part, type) and issubclass(part, BaseModel)
]
_KEYS = {key for part in _PARTS for key in part.model_fields}
_KINDS = {
    kind
    for part in _PARTS
    if (field := part.model_fields.get("kind")) is not None
    for kind in get_args(field.annotation)
}
_short = Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_short.maxlevel = 2


def structural(exc: ValidationError, document: object) -> list[Finding]:
    """Turn pydantic's errors on ``document`` into findings."""
    errors = exc.errors(include_url=False)
    places = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    # A list whose entries are refused is also reported as too short: the entries say it better.
    return [_finding(error, document) for error in errors if error["type"] != "too_short" or error["loc"] not in places]


def _finding(error: ErrorDetails, document: object) -> Finding:
    steps = list(steps_of(error["loc"], document))
    match error["type"]:
        case "extra_forbidden":
            key = str(steps[-1])
            return finding(path_of(steps), "UNKNOWN_KEY", key=key, **hint(key, sorted(_KEYS)))
        case "missing":
            return finding(path_of(steps), "MISSING_KEY", key=steps[-1])
        case "union_tag_not_found":
            return finding(path_of([*steps, "kind"]), "MISSING_KEY", key="kind")
        case "union_tag_invalid":
            return _choice([*steps, "kind"], error["ctx"]["tag"], error["ctx"]["expected_tags"])
        case "literal_error":
            return _choice(steps, error["input"], error["ctx"]["expected"])
    return _wrong_value(error, path_of(steps))


def _choice(steps: Sequence[str | int], given: object, expected: str) -> Finding:
    choices = re.findall(r"'([^']*)'", expected)
    words = {"value": _shown(given), "choices": ", ".join(choices)}
    return finding(
        path_of(steps), "UNKNOWN_CHOICE", **words, **hint(given[:100] if isinstance(given, str) else "", choices)
    )


def _wrong_value(error: ErrorDetails, path: str) -> Finding:
    kind, context, value = error["type"], error.get("ctx", {}), _shown(error["input"])
    if kind in _TYPES:
        expected, expected_zh = _TYPES[kind]
        words = {"value": value, "expected": expected, "expected_zh": expected_zh}
        return finding(path, "WRONG_TYPE", **words, **_closest_whole(kind, error["input"]))
    if kind in _BOUNDS:
        return finding(path, "OUT_OF_RANGE", value=value, closest=context[_BOUNDS[kind]])
    if kind in _LENGTHS:
        return finding(path, "BAD_LENGTH", length=len(error["input"]), closest=context[_LENGTHS[kind]])
    if kind == "string_pattern_mismatch":
        form, form_zh = _FORMS[context["pattern"]]
        return finding(path, "BAD_TEXT", value=value, form=form, form_zh=form_zh)
    return finding(path, "INVALID_VALUE", value=value, why=error["msg"], why_zh="格式不正确")


def _shown(value: object) -> str:
    """A value as documents write it, cut short."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return str(value)[:60] if isinstance(value, Decimal) else _short.repr(value)


def _closest_whole(kind: str, value: object) -> dict[str, str]:
    """The whole number closest to one that was given as text or with decimals; none in a document is below zero."""
    try:
        number = Decimal(str(value)) if kind == "int_type" and not isinstance(value, bool) else None
        beyond = number is None or abs(number) > AMOUNT_MAX
        closest = None if number is None or beyond else max(0, int(number.quantize(Decimal(1), ROUND_HALF_UP)))
    except ArithmeticError:
        closest = None
    if closest is None:
        return NO_HINT
    return {"hint": f"; the closest allowed value is {closest}", "hint_zh": f"；最接近的允许值为 {closest}"}


def steps_of(location: Sequence[str | int], document: object) -> Iterator[str | int]:
    """A location without the marks pydantic adds: the kind it chose in a union, and ``[key]``."""
    here, entered = document, True
    for step in location:
        if step == "[key]" or (entered and isinstance(here, Mapping) and here.get("kind") == step in _KINDS):
            entered = False
            continue
        yield step
        entered = True
        if isinstance(here, Mapping):
            here = here.get(step)
        elif isinstance(here, list | tuple) and isinstance(step, int) and 0 <= step < len(here):
            here = here[step]
        else:
            here = None
