"""Local and global rate limits of an HTTPProxy."""

from isoline.objects.httpproxy_policies import HeaderMatchCondition, HeaderValue
from isoline.objects.model import Model


class LocalRateLimitPolicy(Model, frozen=True, kw_only=True):
    """`requests` a `unit` (second, minute, hour), and `burst` on top. A status of 0 means 429."""

    requests: int
    unit: str
    burst: int = 0
    response_status_code: int = 0
    response_headers_to_add: tuple[HeaderValue, ...] = ()


class GenericKeyDescriptor(Model, frozen=True, kw_only=True):
    key: str = ""
    value: str


class RequestHeaderDescriptor(Model, frozen=True, kw_only=True):
    header_name: str
    descriptor_key: str


class RequestHeaderValueMatchDescriptor(Model, frozen=True, kw_only=True):
    headers: tuple[HeaderMatchCondition, ...] = ()
    expect_match: bool = True
    value: str


class RemoteAddressDescriptor(Model, frozen=True, kw_only=True):
    """The client's address; it has no fields."""


class RateLimitDescriptorEntry(Model, frozen=True, kw_only=True):
    """Exactly one is set."""

    generic_key: GenericKeyDescriptor | None = None
    request_header: RequestHeaderDescriptor | None = None
    request_header_value_match: RequestHeaderValueMatchDescriptor | None = None
    remote_address: RemoteAddressDescriptor | None = None


class RateLimitDescriptor(Model, frozen=True, kw_only=True):
    entries: tuple[RateLimitDescriptorEntry, ...]


class GlobalRateLimitPolicy(Model, frozen=True, kw_only=True):
    disabled: bool = False
    descriptors: tuple[RateLimitDescriptor, ...] = ()


class RateLimitPolicy(Model, frozen=True, kw_only=True):
    local: LocalRateLimitPolicy | None = None
    global_: GlobalRateLimitPolicy | None = None
