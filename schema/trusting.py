"""Operations to be trusted: checked against the schema, from the API or from the file that an app's build writes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, parse, validate

from saas.base.errors import DomainError, InvalidInput, Rejected, Said
from schema.limits import TOKENS_MAX, at_most_a_thousand, too_repetitive
from tenants import trusted
from tenants.actors import Actor
from tenants.trusted import Document, TrustedDocument


async def register(
    schema: GraphQLSchema, app: str, documents: Sequence[Document], actor: Actor
) -> Sequence[TrustedDocument]:
    """Register operations that the schema knows, all or none. Raises ``InvalidInput``, or ``Rejected`` with each."""
    at_most_a_thousand(documents, "input.documents")
    wrong = list(_objections(schema, documents))
    if wrong:
        raise Rejected(wrong)
    return await trusted.register(app, documents, actor)


def _objections(schema: GraphQLSchema, documents: Sequence[Document]) -> Iterator[DomainError]:
    for number, one in enumerate(documents):
        if found := _objection(schema, one.text):
            field = f"input.documents[{number}].text"
            yield InvalidInput(field, value=one.name[:100], remedy=Said(found, f"请修正：{found}"))


def _objection(schema: GraphQLSchema, text: str) -> str:
    """What is wrong with an operation first of all; empty when nothing is."""
    try:
        parsed = parse(text, max_tokens=TOKENS_MAX)
    except GraphQLError as exc:
        return exc.message
    if not any(isinstance(one, OperationDefinitionNode) for one in parsed.definitions):
        return "there is no operation in it"
    errors = too_repetitive(parsed) or validate(schema, parsed, max_errors=1)
    return errors[0].message if errors else ""


async def register_file(path: Path, app: str, actor: Actor) -> Sequence[TrustedDocument]:
    """Register what an app's build wrote down (``documents_in``). Raises ``InvalidInput`` with the first objection."""
    from schema.schema import schema  # the whole API, which other commands can do without

    try:
        return await register(schema._schema, app, documents_in(path), actor)
    except Rejected as several:
        raise several.errors[0] from several


def documents_in(path: Path) -> Sequence[Document]:
    """The operations of a file: GraphQL; JSON of texts by their hash; or Apollo's manifest of persisted queries.

    Raises ``InvalidInput``.
    """
    content = path.read_bytes()
    if path.suffix != ".json":
        return [Document(name=path.stem, text=content.decode(errors="replace"))]
    try:
        found = orjson.loads(content)
        if not isinstance(found, Mapping):
            raise TypeError("an object is needed")
        if isinstance(found.get("operations"), list):
            return [_document(one["id"], one["body"], one["name"]) for one in found["operations"]]
        return [_document(hash_, text, None) for hash_, text in found.items()]
    except (ValueError, TypeError, KeyError) as exc:
        remedy = Said(f"give texts by their hash, or a manifest ({exc})", f"请提供以哈希为键的文本或清单（{exc}）")
        raise InvalidInput("file", value=path.name, remedy=remedy) from exc


def _document(hash_: Any, text: Any, name: Any) -> Document:
    """An operation whose hash is what we would call it too. Raises ``InvalidInput`` or ``TypeError``."""
    if not isinstance(hash_, str) or not isinstance(text, str):
        raise TypeError("hash and text are needed")
    found = Document(name=name if isinstance(name, str) else _name_in(text) or hash_[:12], text=text)
    if hash_.removeprefix("sha256:") != found.hash:
        remedy = Said(f"hash the text with SHA-256: {found.hash}", f"请对文本使用 SHA-256：{found.hash}")
        raise InvalidInput("file", value=hash_[:80], remedy=remedy)
    return found


def _name_in(text: str) -> str:
    """The name of the first operation of a text that can be read."""
    try:
        parsed = parse(text, max_tokens=TOKENS_MAX)
    except GraphQLError:
        return ""
    named = (one.name for one in parsed.definitions if isinstance(one, OperationDefinitionNode))
    return next((name.value for name in named if name), "")
