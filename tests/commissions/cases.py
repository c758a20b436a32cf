"""Strategies for lines and chains that meet the documents of ``tests/tenants/program/documents.py``."""

from hypothesis import strategies as st

from saas.commissions.rules import Line, Member
from tests.tenants.program.documents import CATEGORIES, DAYS, SKUS, TIERS

members = st.lists(
    st.builds(
        Member,
        st.uuids(),
        st.sampled_from([*TIERS, None]),
        st.sampled_from(["active", "active", "active", "suspended", "exited", "applied"]),
    ),
    max_size=7,
).map(tuple)
lines = st.builds(
    Line,
    st.sampled_from([*SKUS, "other"]),
    st.sampled_from([*CATEGORIES, "other", None]),
    st.integers(1, 200),
    st.integers(0, 300) | st.integers(0, 10**8),
    st.sampled_from(DAYS),
    st.booleans(),
)
