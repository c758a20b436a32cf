"""The committed SDL is the schema; everything in it is described; breaking changes are seen."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    find_breaking_changes,
)

from schema.schema import sdl

SDL = Path(__file__).parents[2] / "schema" / "schema.graphql"


def test_the_committed_sdl_is_the_schema() -> None:
    assert SDL.read_text(encoding="utf-8") == sdl(), "run `python main.py export-schema`"


def test_nothing_is_broken_for_who_built_on_the_committed_sdl() -> None:
    assert find_breaking_changes(build_schema(SDL.read_text(encoding="utf-8")), build_schema(sdl())) == []


def undescribed() -> list[str]:
    """Coordinates without a description."""
    missing = []
    for name, kind in build_schema(sdl()).type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Boolean", "ID", "Float"}:
            continue
        if not kind.description:
            missing.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                if not field.description:
                    missing.append(f"{name}.{field_name}")
                missing += [f"{name}.{field_name}({a})" for a, arg in field.args.items() if not arg.description]
        elif isinstance(kind, GraphQLInputObjectType):
            missing += [f"{name}.{f}" for f, field in kind.fields.items() if not field.description]
        elif isinstance(kind, GraphQLEnumType):
            missing += [f"{name}.{v}" for v, value in kind.values.items() if not value.description]
    return missing


def test_every_type_field_argument_and_value_is_described() -> None:
    assert undescribed() == []


def test_every_mutation_takes_one_input_and_answers_user_errors() -> None:
    built = build_schema(sdl())
    assert built.mutation_type
    for name, field in built.mutation_type.fields.items():
        assert list(field.args) == ["input"], name
        payload = getattr(field.type, "of_type", field.type)
        assert isinstance(payload, GraphQLObjectType), name
        assert "userErrors" in payload.fields, name
        assert payload.name.endswith("Payload"), name
