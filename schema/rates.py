"""How often anybody may ask: per user, key or address, and per brand. Counted by each process for itself."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from math import ceil

from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from saas.base.errors import Said
from saas.base.settings import Settings
from tenants.actors import Actor, Role
from tenants.errors import RateLimited

COUNTED_MOST = 50_000
"""Callers that are counted at once; beyond them the one not seen for longest begins anew."""
HELD_MOST = 50_000
"""Tokens that are remembered for having held, the ones seen last."""
_THIS_ADDRESS = Said("this address", "该地址")
_THIS_KEY = Said("this key", "该密钥")
_THIS_ACCOUNT = Said("this account", "该账号")
_THE_BRAND = Said("the whole brand", "该品牌整体")


class Counters(Storage):
    """Counts in memory, few and cheap: the library's own storage starts a thread for each count to remove old ones."""

    def __init__(self, now: Callable[[], float] = time.monotonic, most: int = COUNTED_MOST) -> None:
        super().__init__()
        self._now = now
        self._most = most
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a storage of another kind could raise."""
        return OSError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; a window begins with its first count."""
        count, ends = self._counts.get(key, (0, 0))
        now = self._now()
        count, ends = (count + amount, ends) if ends > now else (amount, now + expiry)
        self._counts[key] = count, ends
        self._counts.move_to_end(key)
        if len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count

    def get(self, key: str) -> int:
        """What was counted in the window under way."""
        count, ends = self._counts.get(key, (0, 0))
        return count if ends > self._now() else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, by this clock."""
        return self._counts.get(key, (0, self._now()))[1]

    def seconds_left(self, key: str) -> int:
        """Whole seconds until the window ends, at least one."""
        return max(1, ceil(self.get_expiry(key) - self._now()))

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forget everything."""
        forgotten = len(self._counts)
        self._counts.clear()
        return forgotten

    def clear(self, key: str) -> None:
        """Forget one."""
        self._counts.pop(key, None)

    def give_back(self, key: str) -> None:
        """Take back one that was counted, where its window is still under way."""
        count, ends = self._counts.get(key, (0, 0))
        if count > 0:
            self._counts[key] = count - 1, ends


class Rates:
    """The rates of an installation."""

    def __init__(self, settings: Settings, counters: Counters | None = None) -> None:
        self._counters = counters or Counters()
        self._limiter = FixedWindowRateLimiter(self._counters)
        self._user = parse(settings.rate_per_user)
        self._key = parse(settings.rate_per_key)
        self._address = parse(settings.rate_per_address)
        self._tenant = parse(settings.rate_per_tenant)
        self._held: OrderedDict[bytes, None] = OrderedDict()

    def count(self, actor: Actor | None, address: str) -> None:
        """Count a request. Raises ``RateLimited`` when it is one too many, for whoever asks or for the brand.

        Who is not logged in counts by address alone, and so cannot use up what the people of a brand may ask.
        """
        if actor is None:
            self._hit(self._address, _THIS_ADDRESS, address)
            return
        tenant = str(actor.tenant_id)
        if actor.role is Role.API_KEY:
            self._hit(self._key, _THIS_KEY, tenant, str(actor.id))
        else:
            self._hit(self._user, _THIS_ACCOUNT, tenant, str(actor.id))
        self._hit(self._tenant, _THE_BRAND, tenant)

    async def known(self, token: str, address: str, look_up: Callable[[], Awaitable[Actor | None]]) -> Actor | None:
        """Who ``look_up`` says a token is. Raises ``RateLimited``, without looking, when its address guesses too often.

        A token that nobody has shown here yet is counted with those without a log-in before it is looked up, so that
        guesses at once are all counted, and is given back when it holds. One that held before is looked up whatever
        else comes from its address: nobody is shut out by a neighbour who guesses.
        """
        shown = sha256(token.encode()).digest()
        held = shown in self._held
        if not held:
            self._hit(self._address, _THIS_ADDRESS, address)
        actor = await look_up()
        if actor is None:
            if held:
                self._held.pop(shown, None)
                self._hit(self._address, _THIS_ADDRESS, address)
            return None
        if not held:
            self._counters.give_back(self._address.key_for(_THIS_ADDRESS.en, address))
        self._held[shown] = None
        self._held.move_to_end(shown)
        if len(self._held) > HELD_MOST:
            self._held.popitem(last=False)
        return actor

    def _hit(self, item: RateLimitItem, whom: Said, *subject: str) -> None:
        if not self._limiter.hit(item, whom.en, *subject):
            seconds = self._counters.seconds_left(item.key_for(whom.en, *subject))
            raise RateLimited(most=item, whom=whom, seconds=seconds)
