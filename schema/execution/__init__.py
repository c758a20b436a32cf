"""Execution: objects whose fields can be read without asking anybody are answered by one generated function.

``CompilingExecutor`` gives the same answers and errors as Strawberry's own executor; tests/schema/execution proves it
differentially. Why and how: docs/adr/0025-compiled-selections.md.
"""

from schema.execution.executor import CompilingExecutor

__all__ = ["CompilingExecutor"]
