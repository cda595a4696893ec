"""The filters that some sites ask for and others do not: a chain within the chain, made from the route's configuration.

What stands here costs a site only what it asked for, and comes and goes without a change of the listener. The inner
chain is chosen when a request's headers come to this filter, so the filters above have found the site of a host in
capitals or of a wildcard. Envoy's `filter_chain` filter would choose earlier, and let such requests pass unasked.
"""

from collections.abc import Sequence
from typing import Any

from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.extensions.filters.http.composite.v3 import composite_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm
from google.protobuf import any_pb2
from xds.type.matcher.v3 import matcher_pb2

from isoline.xds.filters.place import Place
from isoline.xds.messages import extension, packed

NAME = "isoline.site"


def applies(_place: Place) -> bool:
    return True


def http_filter(_place: Place) -> Any:
    return empty(NAME)


def empty(name: str) -> Any:
    """A filter of that name with nothing in it, for routes and virtual hosts to fill."""
    message = extension_matcher_pb2.ExtensionWithMatcher()
    message.xds_matcher.on_no_match.CopyFrom(skipped())
    message.extension_config.CopyFrom(extension("composite", composite_pb2.Composite()))
    return hcm.HttpFilter(name=name, typed_config=packed(message))


def per_route(filters: Sequence[tuple[str, Any]]) -> any_pb2.Any:
    """What a route or a virtual host says: names and configurations of its filters, in order. It replaces whatever is
    said above it; none is none."""
    message = extension_matcher_pb2.ExtensionWithMatcherPerRoute()
    message.xds_matcher.on_no_match.CopyFrom(_executed_if_any(filters))
    return packed(message)


def per_route_by(
    choices: Sequence[tuple[Any, Sequence[tuple[str, Any]]]], otherwise: Sequence[tuple[str, Any]]
) -> any_pb2.Any:
    """The same, where the filters are those of the first predicate that holds, else `otherwise`."""
    message = extension_matcher_pb2.ExtensionWithMatcherPerRoute()
    for predicate, filters in choices:
        entry = message.xds_matcher.matcher_list.matchers.add()
        entry.predicate.CopyFrom(predicate)
        entry.on_match.CopyFrom(_executed_if_any(filters))
    message.xds_matcher.on_no_match.CopyFrom(_executed_if_any(otherwise))
    return packed(message)


def executed(filters: Sequence[tuple[str, Any]]) -> Any:
    """The action that makes these filters, one or more."""
    action = composite_pb2.ExecuteFilterAction()
    action.filter_chain.typed_config.extend(extension(name, config) for name, config in filters)
    return matcher_pb2.Matcher.OnMatch(action=_xds_extension("chain", action))


def _executed_if_any(filters: Sequence[tuple[str, Any]]) -> Any:
    return executed(filters) if filters else skipped()


def skipped() -> Any:
    """The action that makes none."""
    return matcher_pb2.Matcher.OnMatch(action=_xds_extension("skip", skip_action_pb2.SkipFilter()))


def _xds_extension(name: str, message: Any) -> Any:
    action = matcher_pb2.Matcher.OnMatch().action
    action.name = name
    action.typed_config.CopyFrom(packed(message))
    return action
