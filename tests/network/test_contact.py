"""One person, one number, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.network.contact import masked_id_number, masked_name, masked_phone, normal_id_number, normal_phone


@pytest.mark.parametrize(
    "text",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "+86 138 1234 5678",
        "+86-13812345678",
        "8613812345678",
        "008613812345678",
        "(+86)13812345678",
        "１３８１２３４５６７８",
        "\u202d13812345678\u202c",
        "138\u200b12345678",
    ],
)
def test_spellings_of_one_mobile_are_one_number(text: str) -> None:
    assert normal_phone(text) == "+8613812345678"


@pytest.mark.parametrize("text", ["021-62345678", "+86 21 62345678", "0086 (021) 62345678"])
def test_spellings_of_one_landline_are_one_number(text: str) -> None:
    assert normal_phone(text) == "+862162345678"


def test_a_foreign_number_keeps_its_country() -> None:
    assert normal_phone("+1 (415) 555-2671") == "+14155552671"
    assert normal_phone("001 415 555 2671") == "+14155552671"


@pytest.mark.parametrize(
    "text", ["", "12345", "62345678", "+8612345", "+0123456789", "1381234567x", "٠١٢٣٤٥٦٧٨٩٠", "+"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert normal_phone(text) is None


@given(st.text(max_size=30))
def test_any_text_is_a_number_in_normal_form_or_none(text: str) -> None:
    normal = normal_phone(text)
    assert normal is None or normal_phone(normal) == normal
    id_number = normal_id_number(text)
    assert id_number is None or normal_id_number(id_number) == id_number


def test_id_numbers_ignore_case_and_separators() -> None:
    assert normal_id_number(" 31010119900101123x ") == normal_id_number("310101-19900101-123X") == "31010119900101123X"
    assert normal_id_number("12345") is None
    assert normal_id_number("身份证号码不详") is None


def test_masks_hide_the_middle() -> None:
    assert masked_phone("+8613812345678") == "138****5678"
    assert masked_phone("+1234567") == "****67"
    assert masked_id_number("31010119900101123X") == "310***********123X"
    assert masked_id_number("AB1234") == "****34"
    assert masked_name("王小明") == "王**"
