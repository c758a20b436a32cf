"""Expected failures: typed, with data, a stable code and a message in both languages.

Every subclass registers itself, so that the GraphQL enum of codes, the documented catalogue and the tests of the
messages are all made from one place.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

LANGUAGES = ("en", "zh-CN")

THINGS_ZH = {
    "adjustment": "调整",
    "penalty": "处罚",
    "api key": "接口密钥",
    "award": "奖励",
    "audit line": "审计记录",
    "bank card": "银行卡",
    "brand": "品牌方",
    "commission": "佣金",
    "distributor": "分销商",
    "event": "事件",
    "exit": "清退",
    "import file": "导入文件",
    "job": "任务",
    "ledger transaction": "账务交易",
    "listing": "上架",
    "member": "成员",
    "notification": "通知",
    "orange entry": "橙色名单记录",
    "order": "订单",
    "order line": "订单行",
    "payout": "提现",
    "payout batch": "打款批次",
    "payout destination": "收款账户",
    "period close": "已结账周期",
    "price case": "价格案件",
    "product": "商品",
    "program version": "分销政策版本",
    "return": "退货",
    "session": "会话",
    "settlement": "结算",
    "simulation": "模拟",
    "statement": "结算单",
    "tier review": "级别考核",
    "webhook": "网络钩子",
    "webhook delivery": "推送记录",
    "write-off": "核销",
}
"""What things are called in messages, in English and in Chinese (docs/rules.md §1); nothing has a second name."""


STATES_ZH = {
    "active": "有效",
    "applied": "已申请",
    "approved": "已批准",
    "available": "可结算",
    "batched": "已入批次",
    "cancelled": "已取消",
    "closed": "已关闭",
    "completed": "已完成",
    "delivered": "已送达",
    "disabled": "已停用",
    "dismissed": "已搁置",
    "done": "已完成",
    "draft": "草稿",
    "executed": "已执行",
    "exited": "已退出",
    "failed": "失败",
    "open": "待处理",
    "paid": "已支付",
    "placed": "已下单",
    "queued": "排队中",
    "quoted": "已报价",
    "received": "已收货",
    "refunded": "已退款",
    "rejected": "已拒绝",
    "requested": "已申请",
    "retired": "已停用",
    "running": "执行中",
    "scheduled": "已排期",
    "sent": "已提交",
    "settled": "已结算",
    "shipped": "已发货",
    "submitted": "已提交",
    "suspended": "已暂停",
    "unknown": "结果未知",
    "unverified": "未验证",
    "verified": "已验证",
    "withdrawn": "已撤回",
}
"""States in Chinese messages."""


class Said(NamedTuple):
    """A part of a message, in both languages."""

    en: str
    zh: str


def _in_chinese(name: str, value: object) -> object:
    if isinstance(value, Said):
        return value.zh
    if name == "kind":
        return THINGS_ZH[str(value)]
    if name in {"state", "needed"}:
        return " / ".join(STATES_ZH.get(word, word) for word in str(value).split(" / "))
    return value


class DomainError(Exception):
    """A refusal a caller can act on.

    ``field`` is the path of the input at fault (``input.lines[0].sku``), ``params`` fill the message. Subclasses
    give ``code`` (stable, part of the API) and the two message templates, which name the remedy.
    """

    code: ClassVar[str]
    en: ClassVar[str]
    zh: ClassVar[str]
    registry: ClassVar[dict[str, type["DomainError"]]] = {}

    def __init_subclass__(cls) -> None:
        known = DomainError.registry.setdefault(cls.code, cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            raise TypeError(f"error code {cls.code} is taken by {known.__module__}.{known.__qualname__}")

    def __init__(self, field: str | None = None, **params: object) -> None:
        if "kind" in params and params["kind"] not in THINGS_ZH:
            raise TypeError(f"messages know no {params['kind']!r}; add it to THINGS_ZH")
        super().__init__(self.code, field, params)
        self.field = field
        self.params = params

    def message(self, language: str = "en") -> str:
        """The sentence for a person, in ``en`` or ``zh-CN``."""
        if language.lower().startswith("zh"):
            return self.zh.format(**{name: _in_chinese(name, value) for name, value in self.params.items()})
        return self.en.format(**{n: value.en if isinstance(value, Said) else value for n, value in self.params.items()})

    def __str__(self) -> str:
        return f"{self.code}: {self.message()}"


class NotFound(DomainError):
    """The object does not exist, or not for this caller; the two are never told apart."""

    code = "NOT_FOUND"
    en = "No {kind} found for {value}. Check the identifier."
    zh = "未找到{kind}：{value}。请检查标识。"


class InvalidInput(DomainError):
    """A value has the right type and a wrong content."""

    code = "INVALID_INPUT"
    en = "{value} is not accepted here: {remedy}."
    zh = "此处不接受 {value}：{remedy}。"

    def __init__(self, field: str | None, *, value: object, remedy: Said) -> None:
        super().__init__(field, value=value, remedy=remedy)


class ReasonRefused(DomainError):
    """A reason nobody could read back, or none at all."""

    code = "REASON_REFUSED"
    en = "A reason has 1 to {longest} visible characters. Say in a few words why."
    zh = "原因须为 1 至 {longest} 个可见字符。请简要说明原因。"


class WrongState(DomainError):
    """The object's state does not allow the step."""

    code = "WRONG_STATE"
    en = "This {kind} is {state}; the step needs it to be {needed}."
    zh = "该{kind}当前状态为 {state}，此操作要求状态为 {needed}。"


class IdempotencyConflict(DomainError):
    """The key was used before with other content."""

    code = "IDEMPOTENCY_CONFLICT"
    en = "The idempotency key {key} was used before with other content. Send the same content or a new key."
    zh = "幂等键 {key} 已用于其他内容。请发送相同内容或更换新的键。"


class Rejected(Exception):
    """Several refusals at once, so that a caller can mend all of its input in one go."""

    def __init__(self, errors: Sequence[DomainError]) -> None:
        super().__init__([str(error) for error in errors])
        self.errors = tuple(errors)
