"""Errors that a user meets. Each says what is wrong, where, and what to do; never text of the database.

The HTTP status and the exit code belong to the class, so that one handler serves every view and
one the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def N_(text: str) -> str:
    """Mark a text for translation where no request is at hand; the answer translates it."""
    return text


class MapServiceError(Exception):
    """Base of all errors with a message for users.

    message: one German sentence or two, with words filled in for `%(name)s`; code: stable, for machines;
    parameter: the name of the request parameter, column or option at fault; allowed: what would be accepted.
    pattern and words serve translation.
    """

    status = 500
    exit_code = 1
    code = "error"
    retry_after: int | None = None
    """Seconds after which asking again makes sense."""

    def __init__(
        self,
        message: str,
        *,
        words: Mapping[str, Any] | None = None,
        parameter: str | None = None,
        allowed: Sequence[str] = (),
    ) -> None:
        self.pattern, self.words = message, dict(words or {})
        self.message = message % self.words if self.words else message
        super().__init__(self.message)
        self.parameter = parameter
        self.allowed = tuple(allowed)


class ParameterError(MapServiceError):
    """A request parameter is unknown or has a value that is not allowed."""

    status = 400
    exit_code = 2
    code = "invalid_parameter"


class NotFoundError(MapServiceError):
    """A key, layer, file or page that does not exist."""

    status = 404
    code = "not_found"


class ConflictError(MapServiceError):
    """The request was made for a state that is no longer current."""

    status = 409
    code = "conflict"


class UnavailableError(MapServiceError):
    """The database is down or too slow. Answered with Retry-After."""

    status = 503
    code = "unavailable"
    retry_after = 5


class TooBusyError(MapServiceError):
    """One address asks for more than its share. Answered with Retry-After."""

    status = 429
    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, words: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, words=words)
        self.retry_after = retry_after


class TooLongError(MapServiceError):
    """An address is longer than anything we have."""

    status = 414
    code = "address_too_long"


class TooLargeError(MapServiceError):
    """A request brings content, which nothing here reads."""

    status = 413
    code = "content_too_large"


class ConfigurationError(MapServiceError):
    """A setting is wrong, or the service must not run as it is set up."""

    code = "configuration"


class ImportRefusedError(MapServiceError):
    """A file that cannot be imported; nothing was written."""

    status = 422
    code = "import_refused"
