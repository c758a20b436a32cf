"""The certificate of an exit (退出证明): who left which brand, when and how, as text and as a page to print. Pure."""

from dataclasses import dataclass
from datetime import date
from html import escape

from saas.base.errors import Said
from saas.exits.rules import ExitKind

KINDS = {
    ExitKind.VOLUNTARY: Said("voluntary", "自愿退出"),
    ExitKind.BREACH: Said("for breach of the rules", "违规清退"),
    ExitKind.INACTIVITY: Said("for inactivity", "长期未经营清退"),
    ExitKind.BRAND_DECISION: Said("by decision of the brand", "品牌方决定"),
}
_TITLE = Said("Certificate of exit", "退出证明")
_STYLE = (
    "body{font:12pt/1.6 'Noto Sans SC','Microsoft YaHei',sans-serif;margin:2.5cm;color:#111}"
    "h1{text-align:center;font-size:20pt}td{padding:.2em 2em .2em 0;vertical-align:top}@page{size:A4}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate says; days are those of the brand. ``closed_on`` is None while money is being settled."""

    number: str
    brand: str
    code: str
    name: str
    kind: ExitKind
    joined_on: date | None
    left_on: date
    closed_on: date | None

    def text(self, locale: str) -> str:
        """The certificate in one paragraph, in ``en`` or ``zh-CN``."""
        return _chosen(self._said(), locale)

    def html(self, locale: str) -> str:
        """The certificate as a page of its own, to be printed."""
        title = escape(_chosen(_TITLE, locale))
        rows = "".join(
            f"<tr><td>{escape(what)}</td><td>{escape(value)}</td></tr>" for what, value in self._rows(locale)
        )
        return (
            f'<!DOCTYPE html><html lang="{_chosen(Said("en", "zh-CN"), locale)}"><head><meta charset="utf-8">'
            f"<title>{title} {escape(self.number)}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
            f"<p>{escape(self.text(locale))}</p><table>{rows}</table></body></html>"
        )

    def _said(self) -> Said:
        kind = KINDS[self.kind]
        settled = Said(
            f"All accounts were settled and closed on {self.closed_on}."
            if self.closed_on
            else "The accounts are still being settled.",
            f"双方账目已于 {self.closed_on} 结清。" if self.closed_on else "双方账目尚在结算中。",
        )
        return Said(
            f"{self.brand} certifies that {self.name}, distributor {self.code}, left its network on {self.left_on} "
            f"({kind.en}) and has not acted for the brand since. {settled.en}",
            f"{self.brand} 兹证明：分销商 {self.name}（编码 {self.code}）已于 {self.left_on} 退出分销体系"
            f"（{kind.zh}），此后不再代表品牌方开展业务。{settled.zh}",
        )

    def _rows(self, locale: str) -> list[tuple[str, str]]:
        said: list[tuple[Said, object]] = [
            (Said("Number", "编号"), self.number),
            (Said("Brand", "品牌方"), self.brand),
            (Said("Distributor", "分销商"), f"{self.name} ({self.code})"),
            (Said("Kind of exit", "退出类型"), _chosen(KINDS[self.kind], locale)),
            (Said("Joined on", "加入日期"), self.joined_on),
            (Said("Left on", "退出日期"), self.left_on),
            (Said("Settled on", "结清日期"), self.closed_on),
        ]
        return [(_chosen(what, locale), str(value)) for what, value in said if value is not None]


def _chosen(said: Said, locale: str) -> str:
    return said.zh if locale.lower().startswith("zh") else said.en
