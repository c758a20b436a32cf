"""The refusals of the catalogue."""

from saas.base.errors import DomainError


class ProductNotAccepted(DomainError):
    """A SKU, name or category is empty, too long, or holds characters that cannot be typed."""

    code = "PRODUCT_NOT_ACCEPTED"
    en = (
        "{value} cannot be the {what} of a product. Use 1 to {longest} visible characters"
        " (no spaces in a SKU or category)."
    )
    zh = "{value} 不能作为产品的{what_zh}。请使用 1 至 {longest} 个可见字符（SKU 与类别中不含空格）。"


class ProductTwice(DomainError):
    """One call names a SKU twice, so that it is unclear which content is meant."""

    code = "PRODUCT_TWICE"
    en = "SKU {sku} is named more than once. Send each product once."
    zh = "SKU {sku} 重复出现。请每个产品只提交一次。"
