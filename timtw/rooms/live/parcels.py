"""Big text and octets for accounts: to every device that is there, here and elsewhere.

Whoever sends to a device that is slow waits for it; nothing is dropped, but what is for
nobody, or was on its way over a line that breaks, is lost.
"""

from __future__ import annotations

from timtw.core.sessions import Sessions
from timtw.model.limits import PIECE_BYTES
from timtw.model.live import Parcel
from timtw.rooms.live.seat import Seat
from timtw.rooms.live.valve import Valve
from timtw.rooms.live.works import Works


class Parcels:
    """The parcels of a node."""

    def __init__(self, works: Works, sessions: Sessions) -> None:
        """Nothing is under way."""
        self._works = works
        self._sessions = sessions
        self._valves: dict[int, Valve] = {}

    def __len__(self) -> int:
        """Accounts of which a device has too much to take."""
        return len(self._valves)

    def send(self, seat: Seat, parcel: Parcel) -> None:
        """Bring it to all devices of its recipient."""
        works, number = self._works, parcel.recipient.number
        works.parcels += 1
        valve = self._valve(number)
        self._bring(parcel, valve)
        octets = len(parcel.octets) + PIECE_BYTES
        for to in works.mesh.holders(number):
            works.shipping.send(to, number, (parcel,), octets, valve)
        if not seat.gone:
            valve.hold(seat)
        self._settle(number, valve)

    def arrived(
        self, origin: str, number: int, parcels: tuple[Parcel, ...], upto: int
    ) -> None:
        """Parcels for an account have come from another node."""
        valve = self._valve(number)
        for parcel in parcels:
            self._bring(parcel, valve)
        valve.owe(origin, upto)
        self._settle(number, valve)

    def _bring(self, parcel: Parcel, valve: Valve) -> None:
        for listener in self._sessions.of(parcel.recipient.number):
            seat = listener.seat()
            if seat is not None:
                assert isinstance(seat, Seat)
                seat.give(parcel, valve)

    def _valve(self, number: int) -> Valve:
        """The valve of an account."""
        valve = self._valves.get(number)
        if valve is None:
            valve = self._valves[number] = Valve(
                lambda to, upto: self._works.mesh.repay(to, number, upto),
                lambda: self._opened(number),
            )
        return valve

    def _opened(self, number: int) -> None:
        self._valves.pop(number, None)

    def _settle(self, number: int, valve: Valve) -> None:
        """Remember a valve only while it is shut."""
        if not valve.is_shut and self._valves.get(number) is valve:
            del self._valves[number]
