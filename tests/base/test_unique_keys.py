"""What there can be only one of: the keys that stand behind every "once" of the house, on both databases."""

from saas.base.db import Database, reading
from tests.factories import LOTUS, as_tenant

ONCE = {
    "adjustment": {"lifts_id, some"},
    "api_key": {"key_hash"},
    "award": {"close_id component distributor_id scope", "component once_key, some"},
    "chain_link": {"log row_id"},
    "commission": {"line_id component level"},
    "compliance_override": {"program_number content_hash rule path"},
    "distributor": {"code", "no", "path"},
    "event": {"seq, some"},
    "exit_case": {"certificate_no", "distributor_id, some"},
    "job": {"schedule due_at, some"},
    "ledger_transaction": {"idempotency_key"},
    "listing": {"distributor_id product_id channel, some"},
    "login_throttle": {"subject_hash"},
    "member": {"login", "distributor_id"},
    "orange_list": {"kind value_hash"},
    "password_link": {"token_hash", "member_id, some"},
    "recovery_code": {"member_id code_hash"},
    "order_line": {"order_id line_no"},
    "payout_batch": {"number"},
    "payout_destination": {"distributor_id, some"},
    "period_close": {"length period_from"},
    "price_case": {"line_id"},
    "product": {"sku"},
    "program_version": {"number", ", some"},
    "provider_account": {"provider"},
    "return_case": {"exchange_order_id"},
    "sales_order": {"number"},
    "session": {"token_hash"},
    "settlement": {"currency period_from"},
    "sponsorship": {"distributor_id, some"},
    "standing": {"distributor_id, some"},
    "statement": {"settlement_id distributor_id", "number"},
    "tier_review": {"close_id distributor_id"},
    "trace_code": {"code, some"},
    "webhook_attempt": {"delivery_id no"},
    "webhook_delivery": {"webhook_id event_id"},
}
"""Columns after the tenant, beside primary keys; ``some``: among the rows of some states. A new key is added here."""

SQL = {
    "sqlite": "SELECT m.name AS place, i.partial AS some, (SELECT group_concat(c.name, ' ') FROM "
    "(SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) c) AS columns FROM sqlite_master m, "
    "pragma_index_list(m.name) i WHERE m.type = 'table' AND i.\"unique\" = 1 AND i.origin <> 'pk'",
    "postgresql": "SELECT t.relname::text AS place, i.indpred IS NOT NULL AS some, "
    "string_agg(a.attname, ' ' ORDER BY k.at) AS columns FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = t.relnamespace CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (no, at) "
    "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.no WHERE n.nspname = 'public' AND i.indisunique "
    "AND NOT i.indisprimary GROUP BY t.relname, i.indexrelid, i.indpred",
}


async def test_what_there_is_one_of_is_kept_so_by_the_database(db: Database) -> None:
    with as_tenant(LOTUS):
        async with reading() as tx:
            rows = await tx.rows(SQL[db.kind])
    found: dict[str, set[str]] = {}
    for row in rows:
        tenant, _, columns = row["columns"].partition(" ")
        if tenant == "tenant_id":
            found.setdefault(row["place"], set()).add(columns + (", some" if row["some"] else ""))
    assert found == ONCE
