"""How the server listens, as ``main.py serve`` sets it up."""

from saas.base.settings import Settings
from schema.serving import config_of


def test_messages_from_outside_are_small_and_nothing_is_kept_to_compress_them_in() -> None:
    config = config_of(Settings(_env_file=None, shutdown_seconds=7), "main:app", host="127.0.0.1", port=0)
    assert config.ws_max_size == 65_536
    assert not config.ws_per_message_deflate
    assert config.timeout_graceful_shutdown == 7
    assert not config.server_header
