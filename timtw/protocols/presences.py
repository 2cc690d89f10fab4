"""How somebody is becomes a TimPresence; docs/reference/protocol.md, section 4.4."""

from __future__ import annotations

from timtw.model.presence import Appearance
from timtw.model.values import Address
from timtw.protocols import structs
from timtw.protocols.messages import plain


def shown_presence(appearance: Appearance, receiver: Address) -> structs.TimPresence:
    """What one account is shown of another."""
    sender, device, status = appearance.sender, appearance.device, appearance.status
    extend, extra = status.extend, status.extra
    return structs.TimPresence(
        id=appearance.ident,
        offline=True if appearance.gone else None,
        subStatus=status.purpose,
        fromTid=structs.Tid(
            node=sender.node,
            domain=sender.domain or None,
            resource=device.resource,
            termtyp=device.kind,
        ),
        toTid=structs.Tid(node=receiver.node, domain=receiver.domain or None),
        show=status.show,
        status=status.text,
        extend=None if extend is None else plain(extend),
        extra=None if extra is None else plain(extra),
    )
