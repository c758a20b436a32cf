"""The access table's part about what a brand says of its API."""

from typing import Final

from tenants.access import OWNER, STAFF, Scope, key, on
from tenants.access_groups import page

_REGISTER: Final = OWNER | key(Scope.DOCUMENTS_WRITE)

API: Final = [
    on("ApiPolicy", STAFF.may("trustedOnly origins costLimits")),
    on("CostLimit", STAFF.may("caller most")),
    on("TrustedDocument", (STAFF | _REGISTER).may("hash app name text registeredAt")),
    *page("TrustedDocument", STAFF),
    on("ApiPolicyPayload", OWNER.may("policy userErrors")),
    on("RegisterDocumentsPayload", _REGISTER.may("documents userErrors")),
    on("EndDocumentsPayload", OWNER.may("ended userErrors")),
]
"""The types; the roots stand with the others."""
