"""The typed program document of a brand (docs/rules.md §2): parse it, validate it, compile it, write it."""

from tenants.program.compile import CompiledProgram, compile_program
from tenants.program.document import Program
from tenants.program.findings import Finding, Severity, errors_in
from tenants.program.parse import as_data, dump, parse
from tenants.program.validate import validate

__all__ = [
    "CompiledProgram",
    "Finding",
    "Program",
    "Severity",
    "as_data",
    "compile_program",
    "dump",
    "errors_in",
    "parse",
    "validate",
]
