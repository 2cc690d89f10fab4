"""Why there is no line, in words for whoever has to mend it."""

from __future__ import annotations

from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.defer import CancelledError
from twisted.internet.error import (
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.ssl import VerificationError
from twisted.python.failure import Failure
from twisted.web.client import RequestTransmissionFailed, ResponseFailed

EXCHANGE: Final = RequestTransmissionFailed, ResponseFailed
"""What an HTTP request comes to on a line that fails; ``reasons`` are its."""
_WORDS: Final[dict[type[Exception], str]] = {
    ConnectionDone: "the node has gone",
    ConnectionLost: "the line was cut",
    ConnectionRefusedError: "nobody listens there",
    DNSLookupError: "there is no such host",
    TimeoutError: "it took too long",
    CancelledError: "it took too long",
    VerificationError: "its certificate is that of another host",
}
_UNTRUSTED: Final = "certificate verify failed"
_AUTHORITIES: Final = (
    "its certificate is signed by nobody who is trusted here; the variable "
    "SSL_CERT_FILE can name a file of certificates to trust"
)


def words(failure: Failure) -> str:
    """One clause that says why a connection was not made, or is no more."""
    error: Any = failure.value
    if isinstance(error, EXCHANGE) and error.reasons:
        return words(error.reasons[0])
    if isinstance(error, SSL.Error):
        # Lists of what OpenSSL has to say, the cause last.
        said = str(error)
        return _AUTHORITIES if _UNTRUSTED in said else f"TLS fails: {_last(error)}"
    for kind, clause in _WORDS.items():
        if isinstance(error, kind):
            return clause
    return failure.getErrorMessage() or repr(error)


def _last(error: Any) -> str:
    """The reason that OpenSSL gives last, or nothing."""
    reasons = error.args[0] if error.args else ()
    return (
        str(reasons[-1][-1]) if isinstance(reasons, list) and reasons else "no reason"
    )
