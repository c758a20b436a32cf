"""Second factors, links to set a password, and what a brand asks of its people."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from saas.base.ids import PLATFORM, DistributorId, MemberId, TenantId
from schema.context import Context, Info
from schema.errors import In, Payload, refusals
from schema.ids import from_global
from schema.people import DonePayload, Member, MemberRole, member, own_id
from tenants import links, second_factor, sessions
from tenants.accounts import CreateMember
from tenants.actors import Role


@strawberry.type(description="What a brand asks of its people's log-ins.")
class SecurityPolicy:
    """The policy in force."""

    second_factor_roles: list[MemberRole] = strawberry.field(
        description="Roles that may do nothing but set one up before they have a second factor."
    )


@strawberry.input(description="What a brand shall ask of its people's log-ins.")
class SecurityPolicyInput:
    """The policy to be."""

    second_factor_roles: list[MemberRole] = strawberry.field(description="Roles that must have a second factor.")


@strawberry.input(description="A second factor for oneself.")
class BeginSecondFactorInput:
    """Who one is, once more."""

    current_password: str = strawberry.field(description="The present password.")


@strawberry.input(description="A first code of one's authenticator app.")
class ConfirmSecondFactorInput:
    """A code."""

    one_time_code: str = strawberry.field(description="The 6 digits that the app shows now.")


@strawberry.input(description="Whose second factor to remove.")
class RemoveSecondFactorInput:
    """An account."""

    member_id: strawberry.ID | None = strawberry.field(
        default=None, description="The account, of those one manages; one's own by default."
    )


@strawberry.input(description="Recovery codes for oneself.")
class RenewRecoveryCodesInput:
    """A code."""

    one_time_code: str = strawberry.field(description="The 6 digits that the app shows now.")


@strawberry.input(description="One of one's own log-ins.")
class RevokeSessionInput:
    """A session."""

    id: strawberry.ID = strawberry.field(description="The log-in, from `mySessions`.")


@strawberry.input(description="A new account whose owner sets the password.")
class InviteMemberInput:
    """An account without a password."""

    login: str = strawberry.field(description="Log-in name, unique in the brand.")
    name: str = strawberry.field(description="The person's name.")
    role: MemberRole = strawberry.field(description="What it may do.")
    locale: str = strawberry.field(default="zh-CN", description="Language of its messages: `zh-CN` or `en`.")
    distributor_id: strawberry.ID | None = strawberry.field(
        default=None, description="For the role distributor: whom it acts as."
    )


@strawberry.input(description="Whose password is to be set anew.")
class PasswordLinkInput:
    """An account."""

    member_id: strawberry.ID = strawberry.field(description="The account.")


@strawberry.input(description="A link and the password to set.")
class FollowLinkInput:
    """What the reader of a link gives."""

    token: str = strawberry.field(description="The link's token.")
    password: str = strawberry.field(description="The new password, at least 12 characters.")


@strawberry.type(description="What an authenticator app is given.")
class BeginSecondFactorPayload(Payload):
    """A secret that is told this once."""

    secret: str | None = strawberry.field(default=None, description="The secret, to be typed into the app.")
    uri: str | None = strawberry.field(default=None, description="The same for a QR code: `otpauth://…`.")


@strawberry.type(description="Recovery codes, each good once for a lost second factor.")
class RecoveryCodesPayload(Payload):
    """Codes that are told this once."""

    codes: list[str] = strawberry.field(default_factory=list, description="The codes, told this once.")


@strawberry.type(description="The policy as it is now.")
class SecurityPolicyPayload(Payload):
    """Answer of ``setSecurityPolicy``."""

    policy: SecurityPolicy | None = strawberry.field(default=None, description="The policy; none when refused.")


@strawberry.type(description="A link to pass on to its reader.")
class PasswordLinkPayload(Payload):
    """A token that is told this once."""

    member: Member | None = strawberry.field(default=None, description="Whose link it is.")
    token: str | None = strawberry.field(default=None, description="For `followLink`, told this once.")
    expires_at: datetime | None = strawberry.field(default=None, description="Until when it holds.")


@strawberry.type(description="Whether the password was set.")
class FollowLinkPayload(Payload):
    """Answer of ``followLink``."""

    done: bool = strawberry.field(default=False, description="True when it was set; log in with it now.")


@strawberry.type
class SecurityQuery:
    """Reads of what protects accounts."""

    @strawberry.field(description="What the brand asks of its people's log-ins.")
    async def security_policy(self) -> SecurityPolicy:
        """The policy."""
        return _policy(await second_factor.required_roles())


@strawberry.type
class SecurityMutation:
    """Writes of what protects accounts."""

    @strawberry.mutation(description="Say which roles must have a second factor. Needs a fresh log-in.")
    @refusals(SecurityPolicyPayload)
    async def set_security_policy(self, info: Info, input: In[SecurityPolicyInput]) -> SecurityPolicyPayload:
        """Set it."""
        wanted = [Role(role.value) for role in input.second_factor_roles]
        return SecurityPolicyPayload(policy=_policy(await second_factor.set_required_roles(wanted, info.context.who)))

    @strawberry.mutation(
        description="Begin a second factor for oneself: put the secret into an authenticator app, then confirm."
    )
    @refusals(BeginSecondFactorPayload)
    async def begin_second_factor(self, info: Info, input: In[BeginSecondFactorInput]) -> BeginSecondFactorPayload:
        """Begin it."""
        context = info.context
        begun = await second_factor.begin(input.current_password, context.who, context.address)
        return BeginSecondFactorPayload(secret=begun.secret, uri=begun.uri)

    @strawberry.mutation(description="Put the begun second factor in force with a first code.")
    @refusals(RecoveryCodesPayload)
    async def confirm_second_factor(self, info: Info, input: In[ConfirmSecondFactorInput]) -> RecoveryCodesPayload:
        """Confirm it."""
        context = info.context
        return RecoveryCodesPayload(
            codes=list(await second_factor.confirm(input.one_time_code, context.who, context.address))
        )

    @strawberry.mutation(description="New recovery codes for oneself; the old ones are void.")
    @refusals(RecoveryCodesPayload)
    async def renew_recovery_codes(self, info: Info, input: In[RenewRecoveryCodesInput]) -> RecoveryCodesPayload:
        """Renew them."""
        context = info.context
        codes = await second_factor.renew_recovery_codes(input.one_time_code, context.who, context.address)
        return RecoveryCodesPayload(codes=list(codes))

    @strawberry.mutation(
        description="Remove one's own second factor, or that of a member one manages who has lost it. Needs a fresh "
        "log-in."
    )
    @refusals(DonePayload)
    async def remove_second_factor(self, info: Info, input: In[RemoveSecondFactorInput]) -> DonePayload:
        """Remove it."""
        who = info.context.who
        whose = MemberId(from_global("Member", input.member_id, "input.memberId")) if input.member_id else own_id(who)
        await second_factor.remove(whose, who)
        return DonePayload(done=True)

    @strawberry.mutation(description="End one of one's own log-ins.")
    @refusals(DonePayload)
    async def revoke_session(self, info: Info, input: In[RevokeSessionInput]) -> DonePayload:
        """Revoke it."""
        await sessions.revoke_session(from_global("Session", input.id, "input.id"), info.context.who)
        return DonePayload(done=True)

    @strawberry.mutation(description="Make an account whose owner sets the password, and a link for it: 7 days.")
    @refusals(PasswordLinkPayload)
    async def invite_member(self, info: Info, input: In[InviteMemberInput]) -> PasswordLinkPayload:
        """Invite somebody."""
        acts_as = input.distributor_id
        named = from_global("Distributor", acts_as, "input.distributorId") if acts_as else None
        command = CreateMember(
            login=input.login,
            password="",
            name=input.name,
            role=Role(input.role.value),
            locale=input.locale,
            distributor_id=DistributorId(named) if named else None,
        )
        return _link(await links.invite(command, info.context.who))

    @strawberry.mutation(
        description="A link for a member one manages to set a new password: 24 hours. The present one holds until then."
    )
    @refusals(PasswordLinkPayload)
    async def create_password_link(self, info: Info, input: In[PasswordLinkInput]) -> PasswordLinkPayload:
        """A new link; it ends an older one."""
        member_id = MemberId(from_global("Member", input.member_id, "input.memberId"))
        return _link(await links.link_again(member_id, info.context.who))

    @strawberry.mutation(description="Set the password of an account with the link that was made for it.")
    @refusals(FollowLinkPayload)
    async def follow_link(self, info: Info, input: In[FollowLinkInput]) -> FollowLinkPayload:
        """Follow it."""
        await links.follow(input.token, input.password, _site(info.context))
        return FollowLinkPayload(done=True)


def _policy(roles: Sequence[Role]) -> SecurityPolicy:
    return SecurityPolicy(second_factor_roles=[MemberRole(role.value) for role in roles])


def _link(made: links.Link) -> PasswordLinkPayload:
    return PasswordLinkPayload(member=member(made.member), token=made.token, expires_at=made.expires_at)


def _site(context: Context) -> TenantId | None:
    """The brand whose site was asked; none is the platform's, where links of all brands hold."""
    return None if context.host_tenant_id == PLATFORM else context.host_tenant_id
