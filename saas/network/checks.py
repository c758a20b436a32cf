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


async def sponsors_stand() -> list[Violation]:
    """Nobody hangs under someone who left, and the present sponsor is the one of the history."""
    return await violations(
        "sponsors_stand",
        "SELECT d.code AS subject, 0 AS expected, 1 AS actual FROM distributor d JOIN distributor s "
        "ON s.tenant_id = d.tenant_id AND s.id = d.sponsor_id WHERE d.tenant_id = $1 AND s.status = 'exited' "
        "UNION ALL SELECT d.code || ' history', 0, 1 FROM distributor d JOIN sponsorship h "
        "ON h.tenant_id = d.tenant_id AND h.distributor_id = d.id AND h.valid_until IS NULL "
        "WHERE d.tenant_id = $1 "
        "AND coalesce(CAST(h.sponsor_id AS text), '') <> coalesce(CAST(d.sponsor_id AS text), '')",
    )
