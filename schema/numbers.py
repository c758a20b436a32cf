"""The kinds of numbers that people are known by."""

from saas.network.orange import Number
from schema.enums import described

described(
    "Which number of a person is meant.",
    name="BarredNumber",
    PHONE="The phone number.",
    ID_NUMBER="The identity or registration number.",
)(Number)

__all__ = ["Number"]
