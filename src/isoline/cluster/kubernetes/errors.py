"""What can go wrong between us and an API server."""

from typing import Any

import msgspec


class KubernetesError(Exception):
    """Anything that keeps us from talking to a cluster; the text says what to do where something can be done."""


class KubeconfigError(KubernetesError):
    """A kubeconfig that cannot be used as it is."""


class CredentialsError(KubernetesError):
    """There are no credentials, or they cannot be had at present."""


class UnreachableError(KubernetesError):
    """The API server does not answer."""


class APIError(KubernetesError):
    """The API server refused. `status` is HTTP's, `reason` Kubernetes' word for it, such as `Conflict`."""

    def __init__(self, status: int, reason: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message or reason or f"HTTP {status}")
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        """Seconds that the server asks to be left alone for."""

    @property
    def expired(self) -> bool:
        """Whether the version asked for is too old: list again."""
        return self.status == 410 or self.reason in ("Expired", "Gone")


class _Status(msgspec.Struct):
    message: str = ""
    reason: str = ""
    code: int = 0


def error_of(status: int, body: bytes, *, retry_after: str | None = None) -> APIError:
    """Return the error that an answer means: a Kubernetes Status where it is one, else its first line."""
    try:
        found = msgspec.json.decode(body, type=_Status)
    except msgspec.MsgspecError:
        found = _Status(message=body.decode(errors="replace").strip().partition("\n")[0][:300])
    seconds = float(retry_after) if retry_after is not None and retry_after.isdigit() else None
    return APIError(status or found.code, found.reason, found.message, retry_after=seconds)


def error_of_event(value: Any) -> APIError:
    """Return the error that the object of a watch event of type ERROR means."""
    found = msgspec.convert(value, _Status)
    return APIError(found.code, found.reason, found.message)
