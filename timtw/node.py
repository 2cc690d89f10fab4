"""One node, put together from all its parts, started and stopped in order.

Listening begins when everything behind it can serve; stopping goes the other way
round. A start that fails ends the process with one sentence and exit status 1.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from timtw.config import NodeConfig
from timtw.config.sections import Registration, RoomHistory, Sender
from timtw.core.core import Core
from timtw.core.deferreds import deferred
from timtw.core.logins.passwords import ArgonPasswords
from timtw.core.router import NoPeers
from timtw.core.settings import Settings
from timtw.model.limits import DRAIN_SECONDS
from timtw.model.stores import IShard, ShardError
from timtw.office.control import ControlError, ControlSocket
from timtw.protocols.clientline import make_shared
from timtw.protocols.frames import FrameType
from timtw.protocols.proxied import InFront
from timtw.protocols.site import make_site
from timtw.protocols.sources import TrustedProxies
from timtw.protocols.tcp import TcpClients
from timtw.rooms.groups import Groups
from timtw.rooms.live.live import Live
from timtw.shards.groupcommit import GroupCommit
from timtw.shards.opening import open_shard
from timtw.web import page


def settings_of(config: NodeConfig) -> Settings:
    """What of the configuration concerns the core."""
    accounts, limits = config.accounts, config.limits
    return Settings(
        register_open=accounts.register is Registration.OPEN,
        device_limit=accounts.device_limit,
        device_type_limit=accounts.device_type_limit,
        displace_after=accounts.displace_after,
        token_seconds=accounts.token_seconds,
        write_to_anyone=config.messages.sender is Sender.ANYONE,
        find_by_name=config.messages.find_by_name,
        presence_offline_block=config.messages.presence_offline_block,
        whole_room_history=config.rooms.history is RoomHistory.ALL,
        ping_timeout=config.clients.ping_timeout,
        registers_per_minute=limits.registers_per_minute,
        logins_per_minute=limits.logins_per_minute,
        failed_logins_per_minute=limits.failed_logins_per_minute,
        commands_per_second=limits.commands_per_second,
        connections=limits.connections,
        live_idle=config.live.idle,
        live_grace=config.live.grace,
        live_end_with_founder=config.live.end_with_founder,
        live_rooms=config.live.rooms,
        live_bytes_per_second=config.live.bytes_per_second,
        keep_days=config.messages.keep_days,
        keep_unread_days=config.messages.keep_unread_days,
        forget_devices_days=config.messages.forget_devices_days,
    )


class StartError(Exception):
    """The node cannot serve; the text is one sentence for the operator."""


class Node(Service):
    """The service of one node."""

    _log = Logger()

    def __init__(self, config: NodeConfig, reactor: Any) -> None:
        """Nothing is opened before ``startService``."""
        self._config = config
        self._reactor = reactor
        self._shard: IShard | None = None
        self._core: Core | None = None
        self._passwords = ArgonPasswords(reactor)
        self._ports: list[IListeningPort] = []
        self._control: ControlSocket | None = None

    def startService(self) -> None:
        """Begin to start as soon as signals are heard; a failure ends the process.

        Who is served before could see the node end without a word: a signal that nobody
        hears ends a process at once.
        """
        super().startService()
        self._reactor.callWhenRunning(self._begin)

    def _begin(self) -> None:
        """Start, unless the end was asked for already."""
        if self.running:
            _ = self.start().addErrback(self._give_up)
            _calm_collector()

    @deferred
    async def start(self) -> None:
        """
        Open storage, build the core, listen.

        Raises StartError: one of these is not possible.
        """
        config, reactor = self._config, self._reactor
        try:
            shard = open_shard(
                str(config.shards[0].url),
                str(config.node.state_dir),
                str(config.node.keys),
                reactor,
                time.time_ns,
                config.shards[0].wait_for_database,
            )
            await shard.start()
        except ShardError as error:
            raise StartError(str(error)) from error
        self._shard = shard
        self._passwords.start()
        self._core = core = Core(
            shard=shard,
            desk=GroupCommit(shard.messages, reactor),
            mesh=NoPeers(),
            passwords=self._passwords,
            settings=settings_of(config),
            clock=reactor,
            entropy=os.urandom,
            time_ns=time.time_ns,
            make_groups=Groups,
            make_live=Live,
        )
        core.start()
        self._open_control(core)
        await self._open_doors(core)

    def _open_control(self, core: Core) -> None:
        """Serve operators; StartError where that is not possible."""
        state_dir = self._config.node.state_dir
        control = ControlSocket(core.office, state_dir, self._reactor)
        try:
            control.start()
        except ControlError as error:
            raise StartError(str(error)) from error
        self._control = control

    async def _open_doors(self, core: Core) -> None:
        """Serve clients wherever the configuration says."""
        clients = self._config.clients
        off = frozenset(FrameType[name] for name in clients.switched_off)
        shared = make_shared(core, self._reactor, self._config.limits.max_frame, off)
        trusted = TrustedProxies(clients.trusted_proxies)
        anyone = self._config.messages.sender is Sender.ANYONE
        doors = InFront(self._reactor, trusted)
        site = make_site(shared, page(anyone), origins=clients.origins, trusted=trusted)
        served = "WebSocket /tim, HTTP /tim2, the chat page at /"
        for description in clients.websocket:
            await self._listen(doors, description, site, served)
        lines = TcpClients(shared)
        for description in clients.tcp:
            await self._listen(doors, description, lines, "TCP")

    async def _listen(
        self, doors: Any, description: str, factory: Any, served: str
    ) -> None:
        """Let clients in; StartError where that is not possible."""
        endpoint = serverFromString(doors, description)
        try:
            self._ports.append(await endpoint.listen(factory))
        except CannotListenError as error:
            raise StartError(
                f"{description} cannot be listened on: {error.socketError}"
            ) from error
        self._log.info(
            "clients are served on {endpoint}: {served}",
            endpoint=description,
            served=served,
        )

    @deferred
    async def stop(self) -> None:
        """Listen no more, end the sessions, store what they had begun, close."""
        closing = [Deferred.fromCoroutine(_closed(port)) for port in self._ports]
        self._ports = []
        await gatherResults(closing)
        if self._control is not None:
            await self._control.stop()
            self._control = None
        if self._core is not None:
            draining = self._core.stop().addTimeout(DRAIN_SECONDS, self._reactor)
            await draining.addErrback(self._not_drained)
            self._passwords.stop()
            self._core = None
        if self._shard is not None:
            await self._shard.stop()
            self._shard = None

    def stopService(self) -> Deferred[None]:
        """Stop in order; fires when everything is closed."""
        super().stopService()
        return self.stop()

    def _not_drained(self, failure: Any) -> None:
        self._log.failure("the node stopped before everything was stored", failure)

    def _give_up(self, failure: Any) -> None:
        """Say why, stop what has started, and end with status 1."""
        if isinstance(failure.value, StartError):
            self._log.critical("the node cannot start: {why}", why=str(failure.value))
            sys.stderr.write(f"the node cannot start: {failure.value}\n")
        else:
            self._log.failure("the node cannot start", failure)
        self._reactor.addSystemEventTrigger("after", "shutdown", _exit_with_1)
        self._reactor.callWhenRunning(self._reactor.stop)


def _calm_collector() -> None:
    """
    Let Python look for cycles of garbage rarely, and not in what is here to stay.

    A connection has no cycles, so nearly everything goes by itself. As it is set up,
    Python goes through all that is alive whenever that has grown by a quarter: with ten
    thousand connections this stops the node for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


async def _closed(port: IListeningPort) -> None:
    result = port.stopListening()
    if result is not None:
        await result


def _exit_with_1() -> None:
    """Leave with a status that a supervisor understands; twistd would say 0."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def build(config: NodeConfig, reactor: Any) -> Node:
    """The node of this configuration, not yet started."""
    return Node(config, reactor)
