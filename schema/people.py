"""Log-in, members and sessions."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.ids import PLATFORM, DistributorId, MemberId, TenantId
from saas.base.scope import tenant_scope
from saas.base.settings import get_settings
from schema.brands import Tenant, tenant
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, maybe_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from tenants import accounts, registry, sessions
from tenants.accounts import CreateMember, MemberStatus
from tenants.actors import Actor, Role
from tenants.sessions import LogIn, SessionKind

COOKIE = "banyan_session"


def cookie_name() -> str:
    """What the session's cookie is called.

    Over HTTPS browsers take one with this prefix only from the site itself, secure and for all of its paths, so that
    no neighbouring site can slip its own under it.
    """
    return f"__Host-{COOKIE}" if get_settings().secure_cookies else COOKIE


@described(
    "What a person may do.",
    OPERATOR="Runs the platform; makes brands, never reads a brand's people without an audited reason.",
    OWNER="Everything in the brand.",
    FINANCE="Money: settlement, payouts, the ledger.",
    OPERATIONS="The network, the catalogue, orders, exits.",
    AUDITOR="Reads everything, changes nothing.",
    DISTRIBUTOR="Its own earnings, orders and downline.",
)
class MemberRole(StrEnum):
    """The roles of people; keys and the system have none of these."""

    OPERATOR = Role.OPERATOR.value
    OWNER = Role.OWNER.value
    FINANCE = Role.FINANCE.value
    OPERATIONS = Role.OPERATIONS.value
    AUDITOR = Role.AUDITOR.value
    DISTRIBUTOR = Role.DISTRIBUTOR.value


described("Whether a person can log in.", ACTIVE="Can log in.", DISABLED="Cannot log in.")(MemberStatus)
described("How a session is carried.", COOKIE="By a browser's cookie.", BEARER="By a bearer token.")(SessionKind)


@strawberry.type(description="A person who can log in.")
class Member:
    """An account."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    login: str = strawberry.field(description="The name it logs in with.")
    name: str = strawberry.field(description="The person's name.")
    role: MemberRole = strawberry.field(description="What it may do.")
    status: MemberStatus = strawberry.field(description="Whether it can log in.")
    locale: str = strawberry.field(description="The language of its messages.")
    distributor_id: strawberry.ID | None = strawberry.field(description="The distributor it acts as, if it is one.")
    created_at: datetime = strawberry.field(description="When it was made.")
    second_factor_since: datetime | None = strawberry.field(
        description="Since when it has a second factor; none when it has none."
    )

    @strawberry.field(description="The brand it belongs to; none for operators.")
    async def tenant(self, info: Info) -> Tenant | None:
        """Its brand."""
        acting_for = info.context.tenant_id
        if acting_for == PLATFORM:
            return None

        async def load(ids: list[TenantId]) -> list[Tenant]:
            return [tenant(await registry.by_id(id_)) for id_ in ids]

        return await info.context.loader("tenant", load).load(acting_for)


def member(found: accounts.Member) -> Member:
    """A member for the API."""
    return Member(
        id=to_global("Member", found.id),
        login=found.login,
        name=found.name,
        role=MemberRole(found.role.value),
        status=found.status,
        locale=found.locale,
        distributor_id=maybe_global("Distributor", found.distributor_id),
        created_at=found.created_at,
        second_factor_since=found.second_factor_since,
    )


@strawberry.type(description="A log-in that still holds.")
class Session:
    """A session."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    kind: SessionKind = strawberry.field(description="How it is carried.")
    created_at: datetime = strawberry.field(description="When it began.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    last_seen_at: datetime = strawberry.field(description="When it was last used, to the minute.")


@strawberry.input(description="Name and password.")
class LogInInput:
    """A log-in."""

    login: str = strawberry.field(description="Log-in name.")
    password: str = strawberry.field(description="Password.")
    tenant: str | None = strawberry.field(
        default=None, description="The brand's slug; needed on the platform's own site, where none means the platform."
    )
    kind: SessionKind = strawberry.field(
        default=SessionKind.COOKIE, description="`COOKIE` sets a cookie, `BEARER` answers a token."
    )
    one_time_code: str | None = strawberry.field(
        default=None, description="Of an account with a second factor: what its app shows, or a recovery code."
    )


@strawberry.input(description="Which sessions to end.")
class LogOutInput:
    """One session or all."""

    everywhere: bool = strawberry.field(default=False, description="End all of one's sessions, on every device.")


@strawberry.input(description="A new account.")
class CreateMemberInput:
    """An account with a first password."""

    login: str = strawberry.field(description="Log-in name, unique in the brand.")
    password: str = strawberry.field(description="First password, at least 12 characters.")
    name: str = strawberry.field(description="The person's name.")
    role: MemberRole = strawberry.field(description="What it may do.")
    locale: str = strawberry.field(default="zh-CN", description="Language of its messages: `zh-CN` or `en`.")
    distributor_id: strawberry.ID | None = strawberry.field(
        default=None, description="For the role distributor: whom it acts as."
    )


@strawberry.input(description="An account to disable or to let in again.")
class MemberStatusInput:
    """An account and its status."""

    member_id: strawberry.ID = strawberry.field(description="The account.")
    status: MemberStatus = strawberry.field(description="What it shall be.")


@strawberry.input(description="Another role for a member of the staff.")
class ChangeRoleInput:
    """An account and its role."""

    member_id: strawberry.ID = strawberry.field(description="The account.")
    role: MemberRole = strawberry.field(description="What it shall be allowed.")


@strawberry.input(description="One's own password.")
class ChangePasswordInput:
    """The old and the new one."""

    current_password: str = strawberry.field(description="The present password.")
    password: str = strawberry.field(description="The new one, at least 12 characters.")


@strawberry.input(description="A new password for somebody else.")
class ResetPasswordInput:
    """An account and its password."""

    member_id: strawberry.ID = strawberry.field(description="The account.")
    password: str = strawberry.field(description="The new password; the member's sessions end.")


@strawberry.input(description="Whose sessions to end.")
class RevokeSessionsInput:
    """An account."""

    member_id: strawberry.ID | None = strawberry.field(default=None, description="The account; one's own by default.")


@strawberry.type(description="The answer to a log-in.")
class LogInPayload(Payload):
    """Who is logged in now."""

    member: Member | None = strawberry.field(default=None, description="Who is logged in now.")
    token: str | None = strawberry.field(
        default=None, description="The bearer token, told this once; none for cookies."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the session ends by itself.")


@strawberry.type(description="Whether it was done.")
class DonePayload(Payload):
    """For mutations that leave nothing to show."""

    done: bool = strawberry.field(default=False, description="True when it was done.")


@strawberry.type(description="An account as it is now.")
class MemberPayload(Payload):
    """Answer of the mutations of members."""

    member: Member | None = strawberry.field(default=None, description="The account; none when refused.")


@strawberry.type
class PeopleQuery:
    """Reads of people."""

    @strawberry.field(description="Who is asking; none when not logged in, or when a key asks.")
    async def me(self, info: Info) -> Member | None:
        """The caller."""
        actor = info.context.actor
        return None if actor is None or not _is_person(actor) else member(await accounts.find_member(own_id(actor)))

    @strawberry.field(description="The brand's people by log-in.")
    async def members(
        self,
        first: First = PAGE_DEFAULT,
        after: After = None,
        search: Annotated[str, strawberry.argument(description="Part of the log-in or name.")] = "",
        roles: Annotated[list[MemberRole] | None, strawberry.argument(description="Only these roles.")] = None,
        status: Annotated[MemberStatus | None, strawberry.argument(description="Only this status.")] = None,
    ) -> Connection[Member]:
        """A page of members."""
        wanted = [Role(role.value) for role in roles or ()]
        page = await accounts.members(request(first, after), search=search, roles=wanted, status=status)
        return connection(page, member, after)

    @strawberry.field(description="The caller's log-ins that still hold, the latest first.")
    async def my_sessions(self, info: Info) -> list[Session]:
        """One's own sessions."""
        return [
            Session(
                id=to_global("Session", found.id),
                kind=found.kind,
                created_at=found.created_at,
                expires_at=found.expires_at,
                last_seen_at=found.last_seen_at,
            )
            for found in await sessions.sessions_of(own_id(info.context.who))
        ]


def _is_person(actor: Actor) -> bool:
    return actor.id is not None and actor.role.value in set(MemberRole)


def own_id(actor: Actor) -> MemberId:
    """The account of whoever is asking."""
    if actor.id is None:
        raise TypeError("the system has no account")
    return MemberId(actor.id)


@strawberry.type
class PeopleMutation:
    """Writes of people."""

    @strawberry.mutation(description="Log in. Failures are the same whatever was wrong, and counted.")
    @refusals(LogInPayload)
    async def log_in(self, info: Info, input: In[LogInInput]) -> LogInPayload:
        """Open a session."""
        context = info.context
        command = LogIn(
            login=input.login,
            password=input.password,
            kind=input.kind,
            address=context.address,
            code=input.one_time_code,
        )
        if context.host_tenant_id == PLATFORM and input.tenant:
            opened = await sessions.log_in_at(input.tenant, command)
        else:
            opened = await sessions.log_in(context.host_tenant_id, command)
        if input.kind is SessionKind.COOKIE:
            hours = get_settings().session_hours
            secure = get_settings().secure_cookies
            context.response.set_cookie(
                cookie_name(), opened.token, max_age=hours * 3600, httponly=True, samesite="lax", secure=secure
            )
        context.tenant_id = opened.actor.tenant_id
        with tenant_scope(context.tenant_id):
            found = await accounts.find_member(own_id(opened.actor))
        token = opened.token if input.kind is SessionKind.BEARER else None
        return LogInPayload(member=member(found), token=token, expires_at=opened.expires_at)

    @strawberry.mutation(description="End the session this request came with, or all of one's sessions.")
    @refusals(DonePayload)
    async def log_out(self, info: Info, input: In[LogOutInput]) -> DonePayload:
        """Log out."""
        who = info.context.who
        if input.everywhere:
            await sessions.revoke_sessions(own_id(who), who)
        elif info.context.token is not None:
            await sessions.log_out(info.context.token, who)
        secure = get_settings().secure_cookies
        info.context.response.delete_cookie(cookie_name(), httponly=True, samesite="lax", secure=secure)
        return DonePayload(done=True)

    @strawberry.mutation(description="Make an account.")
    @refusals(MemberPayload)
    async def create_member(self, info: Info, input: In[CreateMemberInput]) -> MemberPayload:
        """A new account."""
        acts_as = input.distributor_id
        command = CreateMember(
            login=input.login,
            password=input.password,
            name=input.name,
            role=Role(input.role.value),
            locale=input.locale,
            distributor_id=DistributorId(from_global("Distributor", acts_as, "input.distributorId"))
            if acts_as
            else None,
        )
        return MemberPayload(member=member(await accounts.create_member(command, info.context.who)))

    @strawberry.mutation(description="Disable an account, or let it in again.")
    @refusals(MemberPayload)
    async def set_member_status(self, info: Info, input: In[MemberStatusInput]) -> MemberPayload:
        """Disable or enable."""
        change = accounts.disable_member if input.status is MemberStatus.DISABLED else accounts.enable_member
        return MemberPayload(member=member(await change(_member_id(input.member_id), info.context.who)))

    @strawberry.mutation(description="Give a member of the staff another role.")
    @refusals(MemberPayload)
    async def change_role(self, info: Info, input: In[ChangeRoleInput]) -> MemberPayload:
        """Change a role."""
        changed = await accounts.change_role(_member_id(input.member_id), Role(input.role.value), info.context.who)
        return MemberPayload(member=member(changed))

    @strawberry.mutation(description="Change one's own password; all of one's sessions end.")
    @refusals(DonePayload)
    async def change_password(self, info: Info, input: In[ChangePasswordInput]) -> DonePayload:
        """Change it."""
        context = info.context
        await accounts.change_password(input.current_password, input.password, context.who, context.address)
        return DonePayload(done=True)

    @strawberry.mutation(description="Set a new password for somebody else; that member's sessions end.")
    @refusals(DonePayload)
    async def reset_password(self, info: Info, input: In[ResetPasswordInput]) -> DonePayload:
        """Reset it."""
        await accounts.reset_password(_member_id(input.member_id), input.password, info.context.who)
        return DonePayload(done=True)

    @strawberry.mutation(description="End all sessions of oneself, or of a member one manages.")
    @refusals(DonePayload)
    async def revoke_sessions(self, info: Info, input: In[RevokeSessionsInput]) -> DonePayload:
        """Revoke them."""
        who = info.context.who
        whose = _member_id(input.member_id) if input.member_id else own_id(who)
        await sessions.revoke_sessions(whose, who)
        return DonePayload(done=True)


def _member_id(value: strawberry.ID) -> MemberId:
    return MemberId(from_global("Member", value, "input.memberId"))
