"""The network, checked against its own history: what a distributor is now is what its last interval says."""

from saas.base.checks import Violation, violations

_MATCHING = (
    "SELECT count(*) FROM standing s WHERE s.tenant_id = d.tenant_id AND s.distributor_id = d.id "
    "AND s.valid_until IS NULL AND s.tier = d.tier AND s.status = d.status"
)
_FOLLOWERS = (
    "SELECT count(*) FROM standing n WHERE n.tenant_id = s.tenant_id AND n.distributor_id = s.distributor_id "
    "AND n.valid_from = s.valid_until"
)


async def standing_agrees() -> list[Violation]:
    """Everybody has one present interval, with its tier and status, and every other ends where the next begins."""
    return await violations(
        "standing_agrees",
        f"SELECT d.code AS subject, 1 AS expected, ({_MATCHING}) AS actual FROM distributor d WHERE d.tenant_id = $1 "
        f"UNION ALL SELECT CAST(s.distributor_id AS text), 1, ({_FOLLOWERS}) FROM standing s "
        f"WHERE s.tenant_id = $1 AND s.valid_until IS NOT NULL",
    )
