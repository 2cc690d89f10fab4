"""What a client's bytes can be wrong about."""


class DecodeError(Exception):
    """A payload is not what the protocol says.

    ``struct`` names the structure and ``field`` the field that was being read;
    both are names of the IDL, never text of a client, so both may be logged.
    ``field`` is empty where no single field is at fault.
    """

    def __init__(self, struct: str, field: str, reason: str) -> None:
        super().__init__(struct, field, reason)
        self.struct = struct
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        """Say which field of which structure is wrong, and how."""
        place = f"{self.struct}.{self.field}" if self.field else self.struct
        return f"{place}: {self.reason}"


class BigDataError(Exception):
    """A frame of type 95, 96 or 97 is wrong; ``type`` is the frame's own type."""

    def __init__(self, type: int, reason: str) -> None:
        super().__init__(type, reason)
        self.type = type
        self.reason = reason


class BigDataLengthError(BigDataError):
    """The frame and the length it declares do not agree, or it is too long.

    docs/reference/protocol.md, section 2.4: answered with 4114.
    """


class BigDataBusyError(BigDataError):
    """There is no space to collect the frame in.

    docs/reference/protocol.md, section 2.4: answered with 5104.
    """


class BigDataSeparatorError(BigDataError):
    """Nothing separates the receiver from the data.

    docs/reference/protocol.md, section 2.4: answered with 4104.
    """
