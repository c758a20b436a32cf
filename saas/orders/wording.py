"""Why a line costs what it costs, in one sentence of either language. Pure."""

from saas.base.money import formatted
from saas.orders.pricing import PriceSource
from saas.orders.quoting import QuotedLine
from tenants.program.pricing import AmountOff, BuyGet, Promotion, PromotionPrice


def promotion_name(promotion: Promotion, language: str) -> str:
    """What people call a promotion; its key when it has no name."""
    if promotion.name is None:
        return promotion.key
    return promotion.name.zh if language.lower().startswith("zh") else promotion.name.en


def why(line: QuotedLine, currency: str, language: str) -> str:
    """The sentence, in ``en`` or ``zh-CN``, with the arithmetic."""
    return _Teller(line, currency, language).sentence()


class _Teller:
    def __init__(self, line: QuotedLine, currency: str, language: str) -> None:
        self.line, self.currency, self.language = line, currency, language
        self.chinese = language.lower().startswith("zh")

    def say(self, en: str, zh: str) -> str:
        return zh if self.chinese else en

    def money(self, amount_minor: int) -> str:
        return formatted(amount_minor, self.currency, self.language)

    def times(self, quantity: int, amount_minor: int) -> str:
        """``3 × ¥198.00 = ¥594.00``: the price of a piece from that of all."""
        piece = self.money(amount_minor // quantity) if quantity else self.money(0)
        return f"{quantity} × {piece} = {self.money(amount_minor)}"

    def sentence(self) -> str:
        line = self.line
        if line.source is PriceSource.GIVEN:
            return self._given()
        if line.promotion is not None:
            return self._promoted(line.promotion, line.guide_minor or 0)
        sum_ = self.times(line.quantity, line.amount_minor)
        if line.source is PriceSource.PURCHASE:
            return self.say(f"Purchase price: {sum_}.", f"进货价：{sum_}。")
        return self.say(f"Guide price: {sum_}.", f"指导零售价：{sum_}。")

    def _given(self) -> str:
        amount = self.money(self.line.amount_minor)
        if self.line.outside_band and self.line.lowest_minor is not None and self.line.highest_minor is not None:
            low, high = self.money(self.line.lowest_minor), self.money(self.line.highest_minor)
            return self.say(
                f"{amount} as given, outside the allowed {low} to {high}: a price case will be opened.",
                f"按填写的 {amount}，超出允许范围 {low} 至 {high}，将生成价格案件。",
            )
        return self.say(f"{amount} as given.", f"按填写的 {amount}。")

    def _promoted(self, promotion: Promotion, guide_minor: int) -> str:
        line, name = self.line, promotion_name(promotion, self.language)
        guide = self.money(guide_minor)
        match promotion:
            case PromotionPrice():
                sum_ = self.times(line.quantity, line.amount_minor)
                return self.say(f"{name}: {sum_} instead of {guide}.", f"{name}：{sum_}，原价 {guide}。")
            case BuyGet():
                sum_ = self.times(line.quantity - line.free, line.amount_minor)
                return self.say(
                    f"{name}: buy {promotion.buy}, get {promotion.get}; "
                    f"{line.free} of {line.quantity} pieces cost nothing: {sum_}.",
                    f"{name}：买 {promotion.buy} 赠 {promotion.get}，{line.quantity} 件中 {line.free} 件免费：{sum_}。",
                )
            case AmountOff():
                off, threshold = self.money(promotion.off_minor), self.money(promotion.threshold_minor)
                part, amount = self.money(guide_minor - line.amount_minor), self.money(line.amount_minor)
                return self.say(
                    f"{name}: {off} off from {threshold}; this line's part: {guide} − {part} = {amount}.",
                    f"{name}：满 {threshold} 减 {off}，本行分摊：{guide} − {part} = {amount}。",
                )
