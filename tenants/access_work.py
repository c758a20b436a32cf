"""The access table's part about work that runs by itself: jobs, schedules, imports, notifications."""

from typing import Final

from tenants.access import DISTRIBUTOR, FINANCE, OPERATIONS, OPERATOR, OWNER, STAFF, on
from tenants.access_groups import page

_MEMBERS: Final = STAFF | DISTRIBUTOR

WORK: Final = [
    on(
        "Job",
        STAFF.may("id kind status step done total attempts cancelRequested runAt createdAt startedAt finishedAt error"),
        STAFF.may("schedule dueAt dismissedAt dismissal"),
    ),
    *page("Job", STAFF),
    on("JobPayload", (OPERATIONS | FINANCE).may("job userErrors")),
    on("Schedule", STAFF.may("task every at weekday monthDay paused timeZone nextRuns changedAt")),
    on("ResetSandboxPayload", (OWNER | OPERATOR).may("tenant orders distributors userErrors"), OWNER.may("job")),
    on("SchedulePayload", OWNER.may("schedule userErrors")),
    on(
        "ImportFile",
        STAFF.may("id kind name dryRun historical rowCount units done written replayed refused createdAt finishedAt"),
        STAFF.may("job findings csv"),
    ),
    *page("ImportFile", STAFF),
    on("ImportFinding", STAFF.may("row column code message")),
    *page("ImportFinding", STAFF),
    on("ImportTemplate", STAFF.may("fileName content columns")),
    on("ImportColumn", STAFF.may("key title form required note example")),
    on("ImportPayload", OPERATIONS.may("file userErrors")),
    on("Notification", _MEMBERS.may("id kind subjectId at readAt message")),
    *page("Notification", _MEMBERS),
    on("MarkNotificationsReadPayload", _MEMBERS.may("marked userErrors")),
]
"""The types; the roots stand with the others."""
