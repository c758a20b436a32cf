"""Identifiers: UUID version 7, made by the process that writes the row, so no insert waits for a number.

They order by time of creation, reveal no volumes, and need no coordination between machines. Each kind has its
own ``NewType``; what leaves the API is a prefix and the hex digits (``dst_0190…``), opaque to callers.
"""

from typing import NewType
from uuid import UUID

from uuid_utils.compat import uuid7

TenantId = NewType("TenantId", int)
MemberId = NewType("MemberId", UUID)
DistributorId = NewType("DistributorId", UUID)
ProductId = NewType("ProductId", UUID)
OrderId = NewType("OrderId", UUID)
OrderLineId = NewType("OrderLineId", UUID)
ListingId = NewType("ListingId", UUID)
CommissionId = NewType("CommissionId", UUID)
SettlementId = NewType("SettlementId", UUID)
StatementId = NewType("StatementId", UUID)
PayoutId = NewType("PayoutId", UUID)
PayoutBatchId = NewType("PayoutBatchId", UUID)
ExitId = NewType("ExitId", UUID)
ProgramId = NewType("ProgramId", UUID)
PeriodCloseId = NewType("PeriodCloseId", UUID)
AwardId = NewType("AwardId", UUID)
JobId = NewType("JobId", UUID)
SimulationId = NewType("SimulationId", UUID)
ReturnId = NewType("ReturnId", UUID)
WriteOffId = NewType("WriteOffId", UUID)
ImportFileId = NewType("ImportFileId", UUID)
NotificationId = NewType("NotificationId", UUID)
AdjustmentId = NewType("AdjustmentId", UUID)

PLATFORM = TenantId(0)
"""The platform's own tenant: operators live in it, no brand does."""


def new_id() -> UUID:
    """A new time-ordered identifier."""
    return uuid7()
