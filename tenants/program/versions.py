"""The versions of a brand's program: what others may read and do (docs/rules.md §1, §2)."""

from tenants.program.comparison import Comparison, compare, compare_with
from tenants.program.lifecycle import (
    Activated,
    Effect,
    SaveDraft,
    activate,
    bring_up_to_date,
    roll_back,
    save_draft,
    schedule,
    unschedule,
)
from tenants.program.review import Override, Reviewed, check_document, overrides_of, validate_version
from tenants.program.stored import (
    StoredProgram,
    Version,
    VersionFilter,
    VersionStatus,
    active_program,
    content_of,
    export,
    number_in_force,
    program,
    version_of,
    versions,
)

__all__ = [
    "Activated",
    "Comparison",
    "Effect",
    "Override",
    "Reviewed",
    "SaveDraft",
    "StoredProgram",
    "Version",
    "VersionFilter",
    "VersionStatus",
    "activate",
    "active_program",
    "bring_up_to_date",
    "check_document",
    "compare",
    "compare_with",
    "content_of",
    "export",
    "number_in_force",
    "overrides_of",
    "program",
    "roll_back",
    "save_draft",
    "schedule",
    "unschedule",
    "validate_version",
    "version_of",
    "versions",
]
