"""What a webhook refuses, and how to go on."""

from saas.base.errors import DomainError


class WebhookUrlRefused(DomainError):
    """Nothing is sent to this address."""

    code = "WEBHOOK_URL_REFUSED"
    en = "This address cannot be used for a webhook: {why}. Give the https address of a public server."
    zh = "该网址不能用于网络钩子：{why}。请填写公网服务器的 https 网址。"


class WebhookPayloadRefused(DomainError):
    """The selection is not one of an event, or its role may not read what it asks for."""

    code = "WEBHOOK_PAYLOAD_REFUSED"
    en = "The payload cannot be used: {why}. Give a selection of Event that the role may read: {{ id kind at }}."
    zh = "该内容不可用：{why}。请给出该角色可读取的 Event 字段选择，例如 {{ id kind at }}。"


class WebhooksFull(DomainError):
    """The brand has as many webhooks as it may."""

    code = "WEBHOOKS_FULL"
    en = "A brand has at most {most} webhooks. Remove one first."
    zh = "每个品牌最多可有 {most} 个网络钩子。请先删除一个。"
