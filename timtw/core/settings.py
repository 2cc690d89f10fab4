"""What an operator may choose about the core, free of files and sections."""

from __future__ import annotations

import attrs


@attrs.frozen
class Settings:
    """The defaults are those of a node without a configuration file.

    Rates of 0 mean no limit, days of 0 for ever. Other times are seconds.
    """

    register_open: bool = True
    device_limit: int = 1
    device_type_limit: int = 1
    displace_after: float = 10.0
    token_seconds: float = 10.0
    write_to_anyone: bool = False
    find_by_name: bool = True
    presence_offline_block: bool = False
    whole_room_history: bool = False
    ping_timeout: float = 600.0
    registers_per_minute: float = 60.0
    logins_per_minute: float = 600.0
    failed_logins_per_minute: float = 10.0
    commands_per_second: float = 200.0
    connections: int = 100_000
    live_idle: float = 300.0
    live_grace: float = 60.0
    live_end_with_founder: bool = False
    live_rooms: int = 16
    live_bytes_per_second: float = 32 * 1024 * 1024
    keep_days: int = 0
    keep_unread_days: int = 365
    forget_devices_days: int = 90
