"""How a value is declared: ``@value`` on a class of annotated fields.

To the type checker a value is frozen, and it is compared and hashed by its fields. At
run time nothing stands in the way of an assignment: a constructor that works around
such a guard takes four times as long, and a dozen values are made for each message
(docs/decisions/007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

if TYPE_CHECKING:
    from attrs import frozen as value
else:
    T = TypeVar("T", bound=type)

    def value(cls: T) -> T:
        """A class of values, with slots and no place for weak references."""
        return attrs.define(cls, unsafe_hash=True, weakref_slot=False)


__all__ = ["value"]
