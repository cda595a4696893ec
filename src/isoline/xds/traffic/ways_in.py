"""Several ways in of which one is enough: what a request brings decides which of them looks at it.

Envoy's filters for keys, passwords and logins know no alternatives. So each way has its own chain of the site's
filters, and every chain has exactly one of them, but for that of requests whose token has been found good already.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple

from envoy.config.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as filter_pb2
from envoy.type.matcher.v3 import metadata_pb2

from isoline.routing import ir
from isoline.xds.filters import skipping
from isoline.xds.filters.tokens import BEARS_TOKEN, CLAIMS, METADATA
from isoline.xds.messages import packed
from isoline.xds.traffic import api_keys, basic_auth, login

Filters = Sequence[tuple[str, Any]]
AUTHORIZATION = "authorization"
_FILTERS = {"api_keys": api_keys.NAME, "basic_auth": basic_auth.NAME, "oidc": login.NAME}
_PASSWORD = "(?i:basic) .*"  # noqa: S105 - what stands before one
_ANYTHING = ".*"
_WHEN_NOTHING_IS_BROUGHT = ("oidc", "basic_auth", "api_keys")
"""Who can ask a browser for something comes first."""


class Tokens(Enum):
    """What the filter of tokens, which stands before these, does with one; who brings a bad one it has refused."""

    NONE = "none"  # nobody looks at tokens
    VERIFIED = "verified"
    FORWARDED = "forwarded"  # and the app gets it


class Choices(NamedTuple):
    """Predicates, each with the filters of requests for which it is the first that holds, and those of all others."""

    branches: Sequence[tuple[Any, Filters]]
    otherwise: Filters


def choices(traffic: ir.Traffic, filters: Filters, tokens: Tokens) -> Choices:
    """Return which of a site's filters see which requests; a good token is another way in."""
    ways = traffic.alternatives
    if len(ways) + (tokens is not Tokens.NONE) < 2:
        return Choices((), filters)
    branches: list[tuple[Any, Filters]] = []
    if tokens is not Tokens.NONE:
        verified = [("isoline.verified", _let_in_verified()), *_only("", ways, filters)]
        if tokens is Tokens.VERIFIED:
            verified.insert(1, ("isoline.token", _drop_token()))
        branches.append((skipping.matches(AUTHORIZATION, BEARS_TOKEN), verified))
    if "basic_auth" in ways:
        password = skipping.matches(AUTHORIZATION, _PASSWORD)
        branches.append((password, _only("basic_auth", ways, filters)))
    if "api_keys" in ways and traffic.api_keys is not None:
        branches.append((_brings_key(traffic.api_keys), _only("api_keys", ways, filters)))
    default = next(way for way in _WHEN_NOTHING_IS_BROUGHT if way in ways)
    return Choices(branches, _only(default, ways, filters))


def _only(way: str, ways: Sequence[str], filters: Filters) -> Filters:
    """The filters without those of the other ways."""
    others = {_FILTERS[each] for each in ways if each != way}
    return [(name, config) for name, config in filters if name not in others]


def _brings_key(source: ir.ApiKeys) -> Any:
    in_header = skipping.matches(source.header, _ANYTHING)
    return skipping.either(in_header, skipping.asks_with(source.query)) if source.query else in_header


def _let_in_verified() -> Any:
    """The filter that lets in whose token has been found good, whatever has become of the request since."""
    message = filter_pb2.RBAC()
    message.rules.action = rbac_pb2.RBAC.ALLOW
    policy = message.rules.policies["verified"]
    policy.permissions.add(any=True)
    matcher = policy.principals.add().sourced_metadata.metadata_matcher
    matcher.filter = METADATA
    matcher.path.append(metadata_pb2.MetadataMatcher.PathSegment(key=CLAIMS))
    matcher.value.present_match = True
    return packed(message)


def _drop_token() -> Any:
    message = header_mutation_pb2.HeaderMutation()
    message.mutations.request_mutations.add().remove = AUTHORIZATION
    return packed(message)
