"""Why following events is refused, or ends."""

from saas.base.errors import DomainError


class EventsForgotten(DomainError):
    """The place to go on from is so long ago that events after it are gone."""

    code = "EVENTS_FORGOTTEN"
    en = "Events after this cursor are no longer kept. Read what you need anew, then follow without a cursor."
    zh = "该游标之后的事件已不再保留。请重新读取所需数据，然后不带游标重新订阅。"


class FollowedTooSlowly(DomainError):
    """Events came faster than they were taken."""

    code = "FOLLOWED_TOO_SLOWLY"
    en = "Events came faster than you took them. Connect again with the cursor of the last event you have."
    zh = "事件到达的速度超过了您的接收速度。请使用最后收到事件的游标重新连接。"


class SessionOver(DomainError):
    """The session or key under which events were followed does not hold any more, or may do something else now."""

    code = "SESSION_OVER"
    en = "Your session has ended or your rights have changed. Log in and connect again."
    zh = "您的会话已结束或权限已变更。请重新登录并连接。"


class TooManyStreams(DomainError):
    """As much is followed at once as may be."""

    code = "TOO_MANY_STREAMS"
    en = "At most {most} subscriptions may be open at once. Close one first."
    zh = "最多可同时打开 {most} 个订阅。请先关闭一个。"


class StreamBroken(DomainError):
    """Something went wrong on our side, or the server stops."""

    code = "STREAM_BROKEN"
    en = "The stream was interrupted on our side. Connect again with the cursor of the last event you have."
    zh = "事件流在服务端中断。请使用最后收到事件的游标重新连接。"
