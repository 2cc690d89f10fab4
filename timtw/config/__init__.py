"""The configuration of a node: one class per section, one call to read them."""

from timtw.config.reading import ConfigError, read_config, settle
from timtw.config.sections import (
    AccountsConfig,
    ClientsConfig,
    LimitsConfig,
    MessagesConfig,
    NodeConfig,
    Registration,
    Sender,
    ShardConfig,
    StateConfig,
)
from timtw.config.values import Engine, StorageUrl

__all__ = [
    "AccountsConfig",
    "ClientsConfig",
    "ConfigError",
    "Engine",
    "LimitsConfig",
    "MessagesConfig",
    "NodeConfig",
    "Registration",
    "Sender",
    "ShardConfig",
    "StateConfig",
    "StorageUrl",
    "read_config",
    "settle",
]
