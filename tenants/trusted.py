"""Trusted documents: the operations of a brand's apps, registered once, then asked for by their SHA-256."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from saas.base import clock
from saas.base.db import reading, transaction
from saas.base.db.memory import Remembered
from saas.base.db.where import Where
from saas.base.errors import InvalidInput, Said
from saas.base.ids import TenantId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.scope import current_tenant
from tenants import audit
from tenants.actors import Actor

DOCUMENTS_MOST = 5_000
"""Documents a brand may have registered at once."""
LABEL_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An operation and what people call it. Whether the schema knows it is the caller's to find out."""

    name: str
    text: str

    @property
    def hash(self) -> str:
        """SHA-256 of the text as UTF-8, in hex."""
        return hash_of(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedDocument:
    """A registered operation."""

    hash: str
    app: str
    name: str
    body: str
    registered_at: datetime


_COLUMNS = "hash, app, name, body, registered_at"
_by_hash: Remembered[tuple[TenantId, str], str] = Remembered(most=2_000, seconds=10)


def hash_of(text: str) -> str:
    """SHA-256 of a text as UTF-8, in hex."""
    return sha256(text.encode()).hexdigest()


async def register(app: str, documents: Sequence[Document], actor: Actor) -> Sequence[TrustedDocument]:
    """Register operations of an app, all or none; one that is there already gets the app and the name given now.

    Raises ``InvalidInput``.
    """
    app = _label(app, "input.app")
    names = [_label(one.name, f"input.documents[{number}].name") for number, one in enumerate(documents)]
    now = clock.now()
    rows = {
        one.hash: (one.hash, app, name, one.text, actor.id, now) for one, name in zip(documents, names, strict=True)
    }
    columns = ("hash", "app", "name", "body", "registered_by", "registered_at")
    again = "(tenant_id, hash) DO UPDATE SET app = excluded.app, name = excluded.name, ended_at = NULL"
    async with transaction() as tx:
        await tx.insert_many("trusted_document", columns, [rows[key] for key in sorted(rows)], or_update=again)
        held = "SELECT count(*) FROM trusted_document WHERE tenant_id = $1 AND ended_at IS NULL"
        if (count := await tx.value(held, tx.tenant_id)) > DOCUMENTS_MOST:
            remedy = Said(f"keep at most {DOCUMENTS_MOST}, end old ones", f"最多保留 {DOCUMENTS_MOST} 个，请停用旧的")
            raise InvalidInput("input.documents", value=count, remedy=remedy)
        found = await tx.rows(
            f"SELECT {_COLUMNS} FROM trusted_document WHERE tenant_id = $1 AND hash {tx.within(2, 'text')}",
            tx.tenant_id,
            sorted(rows),
        )
        await audit.record(actor, "document.register", app, count=len(rows), hashes=sorted(rows)[:100])
    by_hash = {row["hash"]: TrustedDocument(**row) for row in found}
    return [by_hash[one] for one in rows]


async def end(hashes: Sequence[str], actor: Actor) -> Sequence[str]:
    """Trust documents no more, and answer those that were trusted until now."""
    async with transaction() as tx:
        rows = await tx.rows(
            f"SELECT hash FROM trusted_document WHERE tenant_id = $1 AND hash {tx.within(2, 'text')} "
            f"AND ended_at IS NULL ORDER BY hash{tx.for_update}",
            tx.tenant_id,
            sorted(set(hashes)),
        )
        found = [row["hash"] for row in rows]
        if found:
            await tx.execute(
                f"UPDATE trusted_document SET ended_at = $3 WHERE tenant_id = $1 AND hash {tx.within(2, 'text')}",
                *(tx.tenant_id, found, clock.now()),
            )
            await audit.record(actor, "document.end", None, count=len(found), hashes=found[:100])
            tx.after_commit(_by_hash.forget)
    return found


async def documents(page: PageRequest, app: str | None = None) -> Page[TrustedDocument]:
    """The brand's documents by their hash, of one app or of all."""
    async with reading() as tx:
        where = Where(tx)
        if app is not None:
            where.add("app = $", app)
        if page.after:
            where.add("hash > $", decode_cursor(page.after, str)[0])
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM trusted_document WHERE {where.sql} AND ended_at IS NULL "
            f"ORDER BY hash LIMIT {page.first + 1}",
            *where.args,
        )
    found = [TrustedDocument(**row) for row in rows]
    return page_of(found, page, [encode_cursor(one.hash) for one in found])


async def text_of(hash_: str) -> str | None:
    """The text of a document that is trusted here. One that was ended in another process is so within seconds."""
    key = current_tenant(), hash_
    if (known := _by_hash.get(key)) is not None:
        return known
    async with reading() as tx:
        text: str | None = await tx.value(
            "SELECT body FROM trusted_document WHERE tenant_id = $1 AND hash = $2 AND ended_at IS NULL",
            tx.tenant_id,
            hash_,
        )
        if text is not None:
            _by_hash.put(key, text)
    return text


def _label(text: str, field: str) -> str:
    label = text.strip()
    if not 0 < len(label) <= LABEL_LONGEST or not label.isprintable():
        remedy = Said(f"give 1 to {LABEL_LONGEST} visible characters", f"请填写 1 至 {LABEL_LONGEST} 个可见字符")
        raise InvalidInput(field, value=label[:LABEL_LONGEST], remedy=remedy)
    return label
