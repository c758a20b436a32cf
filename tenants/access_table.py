"""The access table: every field of the API beside the rule of who may ask for it. What is not here is denied.

Roots come first, then the types by feature. A distributor's *rows* are narrowed by the queries; here it says which
fields it may name at all.
"""

from collections.abc import Hashable
from typing import Final

from tenants.access import (
    ANYONE,
    DISTRIBUTOR,
    FINANCE,
    LOGGED_IN,
    OPERATIONS,
    OPERATOR,
    OWNER,
    STAFF,
    Scope,
    joined,
    key,
    on,
    role,
)
from tenants.access_api import API
from tenants.access_events import EVENTS
from tenants.access_exits import EXITS
from tenants.access_groups import (
    CATALOG_READ,
    CATALOG_WRITE,
    COMMISSIONS_READ,
    ENROL,
    EXITS_READ,
    KNOWN,
    MONEY_READ,
    NETWORK_READ,
    ORDERS_MOVE,
    ORDERS_PLACE,
    ORDERS_READ,
    page,
)
from tenants.access_money import MONEY
from tenants.access_sales import SALES
from tenants.access_work import WORK
from tenants.actors import Actor, Role

RULES: Final = joined(
    [
        *SALES,
        *MONEY,
        *API,
        on(
            "Query",
            ANYONE.may("me tenant"),
            OPERATOR.may("tenants"),
            LOGGED_IN.may("mySessions"),
            (STAFF | OPERATOR).may("securityPolicy"),
            (OWNER | OPERATIONS | role(Role.AUDITOR) | OPERATOR).may("members"),
            (OWNER | role(Role.AUDITOR)).may("apiKeys"),
            STAFF.may("apiPolicy trustedDocuments"),
            STAFF.may("program programVersions programDiff checkProgram priceCases orangeList"),
            (STAFF | OPERATOR).may("programPresets complianceOverrides"),
            NETWORK_READ.may("distributor downline upline"),
            CATALOG_READ.may("products"),
            ORDERS_READ.may("order orders listings"),
            (STAFF | ORDERS_PLACE).may("priceQuote"),
            (CATALOG_READ | ORDERS_PLACE).may("priceList"),
            STAFF.may("belowFloor belowFloorCount"),
            COMMISSIONS_READ.may("commissions commissionSummary"),
            (OWNER | role(Role.AUDITOR) | OPERATOR).may("auditLog auditDocument"),
            EXITS_READ.may("exit exits"),
            (STAFF | DISTRIBUTOR).may("notifications unreadNotificationCount"),
            STAFF.may("exitPreview inactiveDistributors"),
            STAFF.may("deadJobCount schedules importFile importFiles importTemplate"),
            STAFF.may("job jobs simulation simulations simulatedOrder compareSimulations"),
            MONEY_READ.may("balance ledgerEntries statement statements payout payouts payoutDestination"),
            MONEY_READ.may("awards tierReviews"),
            STAFF.may("periodsDue periodPreview periodCloses providerAccounts"),
            STAFF.may("settlements settlementPreview payoutDestinations payoutBatch payoutBatches"),
        ),
        *EVENTS,
        on(
            "Mutation",
            ANYONE.may("logIn followLink"),
            LOGGED_IN.may("logOut changePassword revokeSessions revokeSession"),
            LOGGED_IN.may("beginSecondFactor confirmSecondFactor renewRecoveryCodes removeSecondFactor"),
            (OWNER | OPERATOR).may("setSecurityPolicy resetSandbox"),
            (OPERATIONS | OPERATOR).may("inviteMember createPasswordLink"),
            OPERATOR.may("createTenant setTenantStatus addTenantDomain overrideFinding lookUpPerson"),
            (OPERATIONS | OPERATOR).may("createMember setMemberStatus resetPassword"),
            OWNER.may(
                "changeRole createApiKey rotateApiKey revokeApiKey saveProgramDraft startFromPreset activateProgram"
            ),
            OWNER.may("scheduleProgram unscheduleProgram rollBackProgram setApiPolicy endDocuments"),
            (OWNER | key(Scope.DOCUMENTS_WRITE)).may("registerDocuments"),
            ENROL.may("enrol"),
            (OPERATIONS | key(Scope.NETWORK_WRITE)).may("enrolMany"),
            OPERATIONS.may("approveDistributor rejectDistributor suspendDistributor reinstateDistributor"),
            OPERATIONS.may("setTier setTiers importFile"),
            (OPERATIONS | DISTRIBUTOR).may("moveDistributor"),
            OPERATIONS.may("revealPhone barNumber liftBar closePriceCase"),
            CATALOG_WRITE.may("putProducts archiveProducts"),
            ORDERS_PLACE.may("placeOrder"),
            ORDERS_MOVE.may("placeOrders payOrder shipOrder deliverOrder closeOrder"),
            ORDERS_PLACE.may("cancelOrder openListing changeListingPrice closeListing"),
            (OPERATIONS | DISTRIBUTOR).may("quoteExit withdrawExit"),
            OPERATIONS.may("approveExit rejectExit executeExit closeExit quoteInactiveExits startInactiveExits"),
            OPERATIONS.may("approveExits executeExits"),
            OWNER.may("erasePersonalData"),
            FINANCE.may("closePeriod recordPayoutResult"),
            FINANCE.may("releaseCommission closeSettlement verifyPayoutDestination revealPayoutDestination"),
            FINANCE.may("sweepPayouts createPayoutBatch approvePayoutBatch cancelPayoutBatch submitPayoutBatch"),
            OWNER.may("setProviderAccount simulateProgram"),
            (OPERATIONS | FINANCE).may("cancelJob retryJob dismissJob startTask"),
            (STAFF | DISTRIBUTOR).may("markNotificationsRead"),
            OWNER.may("setSchedule pauseSchedule resumeSchedule"),
            (FINANCE | DISTRIBUTOR).may("setPayoutDestination requestPayout cancelPayout"),
        ),
        # -- what many share ---------------------------------------------------------------------------------
        on("PageInfo", KNOWN.may("endCursor hasNextPage hasPreviousPage startCursor")),
        on("Money", KNOWN.may("amountMinor currency formatted")),
        on("UserError", ANYONE.may("code field message")),
        on("DonePayload", KNOWN.may("done userErrors")),
        # -- brands and people -------------------------------------------------------------------------------
        on("Tenant", ANYONE.may("slug name locale currency timeZone"), KNOWN.may("status createdAt sandbox")),
        *page("Tenant", OPERATOR),
        on("LookUpPersonPayload", OPERATOR.may("people brandsAsked userErrors")),
        on("PersonFound", OPERATOR.may("brand distributorId code nameMasked status")),
        on("TenantPayload", OPERATOR.may("tenant ownerLink userErrors")),
        on("OwnerLink", OPERATOR.may("token expiresAt")),
        on("Member", ANYONE.may("id login name role status locale distributorId createdAt secondFactorSince tenant")),
        *page("Member", STAFF | OPERATOR),
        on("MemberPayload", (OPERATIONS | OPERATOR).may("member userErrors")),
        on("SecurityPolicy", (STAFF | OPERATOR).may("secondFactorRoles")),
        on("SecurityPolicyPayload", (OWNER | OPERATOR).may("policy userErrors")),
        on("BeginSecondFactorPayload", LOGGED_IN.may("secret uri userErrors")),
        on("RecoveryCodesPayload", LOGGED_IN.may("codes userErrors")),
        on("PasswordLinkPayload", (OPERATIONS | OPERATOR).may("member token expiresAt userErrors")),
        on("FollowLinkPayload", ANYONE.may("done userErrors")),
        on("LogInPayload", ANYONE.may("member token expiresAt userErrors")),
        on("Session", LOGGED_IN.may("id kind createdAt expiresAt lastSeenAt")),
        on(
            "ApiKey",
            (OWNER | role(Role.AUDITOR)).may("id name prefix scopes createdAt expiresAt lastUsedAt revokedAt replaces"),
        ),
        on("ApiKeyPayload", OWNER.may("apiKey token userErrors")),
        # -- programs ----------------------------------------------------------------------------------------
        on(
            "ProgramVersion",
            STAFF.may(
                "id number label status contentHash createdBy createdAt updatedAt scheduledAt activatedAt retiredAt"
            ),
            STAFF.may("basedOn document findings overrides notices"),
        ),
        *page("ProgramVersion", STAFF),
        on("ProgramFinding", (STAFF | OPERATOR).may("path severity code message rule overridable overridden")),
        on("FindingOverride", (STAFF | OPERATOR).may("operator reason at")),
        on("ProgramPreset", (STAFF | OPERATOR).may("name title description document")),
        on("ProgramPayload", OWNER.may("program findings effect userErrors")),
        on("ProgramEffect", OWNER.may("at replaces followedBy diff")),
        on("ProgramDiff", STAFF.may("total changes")),
        on("ProgramChange", STAFF.may("path kind before after sentence")),
        *page("ProgramChange", STAFF),
        on(
            "ComplianceOverride",
            (STAFF | OPERATOR).may("programNumber contentHash rule path reason operator overriddenAt"),
        ),
        *page("ComplianceOverride", STAFF | OPERATOR),
        on("OverrideFindingPayload", OPERATOR.may("findings userErrors")),
        # -- the network -------------------------------------------------------------------------------------
        on(
            "Distributor",
            (NETWORK_READ | ORDERS_READ | COMMISSIONS_READ).may(
                "id code name kind status tier region sponsorId depth level appliedAt joinedAt exitedAt"
            ),
            (STAFF | DISTRIBUTOR | key(Scope.NETWORK_READ)).may("phoneMasked idNumberMasked"),
            NETWORK_READ.may("sponsor totals upline children sponsorships standingHistory tierPin"),
        ),
        *page("Distributor", NETWORK_READ),
        on("DistributorTotals", NETWORK_READ.may("ownSales groupSales headCount")),
        on("Standing", NETWORK_READ.may("validFrom validUntil tier status cause reason actor")),
        *page("Standing", NETWORK_READ),
        on("TierPin", NETWORK_READ.may("until reason pinnedAt")),
        on("SetTierPayload", OPERATIONS.may("distributor jobId userErrors")),
        on("SetTiersPayload", OPERATIONS.may("settings jobId userErrors")),
        on("TierSetting", OPERATIONS.may("distributorId before after")),
        on("Sponsorship", NETWORK_READ.may("sponsorId validFrom validUntil reason")),
        on("DistributorPayload", ENROL.may("distributor userErrors")),
        on("EnrolManyPayload", ENROL.may("distributors count userErrors")),
        on("MoveDistributorPayload", (OPERATIONS | DISTRIBUTOR).may("distributor moved userErrors")),
        on("RevealPhonePayload", OPERATIONS.may("phone userErrors")),
        on("OrangeEntry", STAFF.may("id kind reason exitCaseId addedAt")),
        *page("OrangeEntry", STAFF),
        on("OrangeEntryPayload", OPERATIONS.may("id userErrors")),
        # -- commission --------------------------------------------------------------------------------------
        on(
            "Commission",
            (COMMISSIONS_READ | key(Scope.ORDERS_WRITE)).may(
                "id orderId lineId component programNumber level beneficiaryId beneficiary tier rateBps perPiece base "
                "quantity amount takenBack evened outcome reason status earnedAt holdUntil statementId explanation "
                "arithmetic"
            ),
        ),
        on(
            "CommissionArithmetic",
            (COMMISSIONS_READ | key(Scope.ORDERS_WRITE)).may(
                "full piecesBefore madeUp lifts ownRateBps rateBelowBps ownSales neededSales splitBps whole"
            ),
        ),
        on("CommissionLift", (COMMISSIONS_READ | key(Scope.ORDERS_WRITE)).may("pieces extra")),
        *page("Commission", COMMISSIONS_READ),
        on("CommissionSum", COMMISSIONS_READ.may("component level shares earned reversed")),
        # -- exits and the audit log -------------------------------------------------------------------------
        *EXITS,
        on(
            "AuditLine",
            (OWNER | role(Role.AUDITOR) | OPERATOR).may(
                "id at actorKind actorId actor onBehalfOf action subject detail"
            ),
        ),
        *page("AuditLine", OWNER | role(Role.AUDITOR) | OPERATOR),
        # -- periods -----------------------------------------------------------------------------------------
        on("DuePeriod", STAFF.may("length label periodFrom periodUntil")),
        on(
            "PeriodClose",
            STAFF.may(
                "id length label periodFrom periodUntil programNumber awardCount awardsTotal tierChanges closedAt"
            ),
        ),
        *page("PeriodClose", STAFF),
        on(
            "PeriodPreview",
            STAFF.may("length label periodFrom periodUntil over programNumber awardCount awardsTotal tierChanges"),
            STAFF.may("awards tierReviews"),
        ),
        on("PeriodPayload", FINANCE.may("periodClose userErrors")),
        on(
            "Award",
            MONEY_READ.may(
                "id closeId distributorId distributor component kind channel programNumber tier amount reason status "
                "label periodFrom periodUntil earnedAt orderId statementId arithmetic explanation"
            ),
        ),
        on("AwardArithmetic", MONEY_READ.may("measure measured reached needed parts place places kept")),
        on("RebatePart", MONEY_READ.may("amount rateBps")),
        *page("Award", MONEY_READ),
        on(
            "TierReview",
            MONEY_READ.may(
                "id closeId distributorId distributor label tierBefore tierAfter outcome misses suspends figures "
                "explanation"
            ),
        ),
        on("PeriodFigures", MONEY_READ.may("ownSales groupSales activeDownlineSales orders")),
        *page("TierReview", MONEY_READ),
        # -- simulations and jobs ----------------------------------------------------------------------------
        *WORK,
        on(
            "Simulation",
            STAFF.may(
                "id label programNumber contentHash paidFrom paidUntil createdAt finishedAt job result distributors csv"
            ),
        ),
        *page("Simulation", STAFF),
        on("SimulationPayload", OWNER.may("simulation findings userErrors")),
        on(
            "SimulationResult",
            STAFF.may("orderCount lineCount goods draft real periods findings winners losers"),
        ),
        on(
            "SimulatedTotals",
            STAFF.may("commission awards paid company payoutRatioBps cappedLines places"),
        ),
        on("SimulatedPlace", STAFF.may("component level tier shares amount")),
        on("SimulatedDistributor", STAFF.may("distributorId code name real draft change")),
        *page("SimulatedDistributor", STAFF),
        on("SimulatedOrder", STAFF.may("orderId number lines")),
        on("SimulatedLine", STAFF.may("lineId sku quantity amount real draft realCompany draftCompany")),
        on(
            "SimulatedShare",
            STAFF.may(
                "programNumber component level beneficiaryId beneficiary tier amount outcome reason arithmetic "
                "explanation"
            ),
        ),
        on("SimulationComparison", STAFF.may("first second places")),
        on("ComparedPlace", STAFF.may("component level tier first second change")),
        # -- settlement and payouts --------------------------------------------------------------------------
        on("Balance", MONEY_READ.may("pending available settled inPayout")),
        on(
            "LedgerEntry",
            MONEY_READ.may("transactionId kind account amount balance reference effectiveAt recordedAt"),
        ),
        *page("LedgerEntry", MONEY_READ),
        on(
            "Statement",
            MONEY_READ.may(
                "id settlementId distributorId distributor number label lineCount opening commission awards adjustment "
                "payouts closing payableOn createdAt lines awardLines csv"
            ),
        ),
        *page("Statement", MONEY_READ),
        on("Settlement", STAFF.may("id label periodFrom periodUntil statementCount commission awards closedAt")),
        *page("Settlement", STAFF),
        on(
            "SettlementPreview",
            STAFF.may("label periodFrom periodUntil over statementCount lineCount commission awards"),
        ),
        on("SettlementPayload", FINANCE.may("settlement userErrors")),
        on("ReleasePayload", FINANCE.may("released userErrors")),
        on(
            "PayoutDestination",
            MONEY_READ.may("id distributorId kind masked hasInvoice status createdAt verifiedAt usableFrom"),
        ),
        *page("PayoutDestination", STAFF),
        on("DestinationPayload", (FINANCE | DISTRIBUTOR).may("destination userErrors")),
        on("RevealDestinationPayload", FINANCE.may("kind holder bank account userErrors")),
        on(
            "Payout",
            MONEY_READ.may(
                "id distributorId distributor batchId destination requested fee withheld net status requestedAt "
                "finishedAt failure providerReference"
            ),
        ),
        *page("Payout", MONEY_READ),
        on("PayoutPayload", (FINANCE | DISTRIBUTOR).may("payout userErrors")),
        on("SweepPayload", FINANCE.may("payouts requested net skipped userErrors")),
        on("SweepSkipped", FINANCE.may("code count")),
        on(
            "PayoutBatch",
            STAFF.may(
                "id number provider status payoutCount paidCount failedCount unknownCount requested net createdAt "
                "createdBy approvedAt approvedBy submittedAt completedAt payouts"
            ),
        ),
        *page("PayoutBatch", STAFF),
        on("BatchPayload", FINANCE.may("batch userErrors")),
        on("ProviderAccount", STAFF.may("provider masked setBy setAt")),
        on("ProviderAccountPayload", OWNER.may("account userErrors")),
        on("SubmitBatchPayload", FINANCE.may("batchId fileName mediaType content userErrors")),
    ]
)


def kind_of(actor: Actor | None) -> Hashable:
    """All about an asker that decides what it may ask for: who are of one kind may ask for the same."""
    return None if actor is None else (actor.role, actor.scopes)


def allowed(actor: Actor | None, coordinate: str) -> bool:
    """Whether the actor, or somebody not logged in (None), may ask for a field."""
    rule = RULES.get(coordinate)
    return rule is not None and rule.admits(actor)


BEFORE_ENROLMENT: Final = frozenset(
    {
        "Query.me",
        "Query.tenant",
        "Mutation.logIn",
        "Mutation.logOut",
        "Mutation.changePassword",
        "Mutation.beginSecondFactor",
        "Mutation.confirmSecondFactor",
    }
)
"""All that can be begun by somebody who must have a second factor first."""


def waits_for_enrolment(actor: Actor | None, coordinate: str) -> bool:
    """Whether a root field is refused to the actor until it has the second factor that the brand asks of its role."""
    root = coordinate.startswith(("Query.", "Mutation.", "Subscription."))
    return actor is not None and actor.must_enrol and root and coordinate not in BEFORE_ENROLMENT
