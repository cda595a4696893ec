"""Which filter chain takes a connection, by the server name in the handshake.

Envoy compares listeners without this matcher, so that chains come and go, and a fallback is switched on and off, in
place: no other chain is touched.
"""

from collections.abc import Iterable
from typing import Any

from envoy.extensions.matching.common_inputs.network.v3 import network_inputs_pb2
from google.protobuf import wrappers_pb2
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2, string_pb2

from isoline.xds.messages import packed

_Matcher = matcher_pb2.Matcher


def by_server_name(chains: Iterable[tuple[str, str]], otherwise: str) -> Any:
    """The matcher that sends each host of `chains` (pairs of a host or wildcard, and a chain's name) to its chain, and
    everybody else, also who names no host, to `otherwise`. A wildcard takes any number of labels; the longest counts.
    """
    exact: dict[str, str] = {}
    wildcards: dict[str, str] = {}
    for host, chain in chains:
        (wildcards if host.startswith("*") else exact)[host] = chain
    last = _Matcher.OnMatch(action=_to(otherwise))
    if wildcards:
        last = _Matcher.OnMatch(matcher=_by_suffix(wildcards, last))
    if not exact:
        return last.matcher if wildcards else _Matcher(on_no_match=last)
    matcher = _Matcher(on_no_match=last)
    matcher.matcher_tree.input.CopyFrom(_server_name())
    for host, chain in exact.items():
        matcher.matcher_tree.exact_match_map.map[host].action.CopyFrom(_to(chain))
    return matcher


def _by_suffix(wildcards: dict[str, str], otherwise: Any) -> Any:
    matcher = _Matcher(on_no_match=otherwise)
    for host in sorted(wildcards, key=lambda host: (-len(host), host)):
        entry = matcher.matcher_list.matchers.add()
        entry.on_match.action.CopyFrom(_to(wildcards[host]))
        predicate = entry.predicate.single_predicate
        predicate.input.CopyFrom(_server_name())
        predicate.value_match.CopyFrom(string_pb2.StringMatcher(suffix=host[1:]))
    return matcher


def _server_name() -> Any:
    return extension_pb2.TypedExtensionConfig(
        name="server_name", typed_config=packed(network_inputs_pb2.ServerNameInput())
    )


def _to(chain: str) -> Any:
    return extension_pb2.TypedExtensionConfig(name="chain", typed_config=packed(wrappers_pb2.StringValue(value=chain)))
