"""Filters written in Lua, and the matcher that spares most requests from one."""

from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.extensions.filters.http.lua.v3 import lua_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf import any_pb2
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2, regex_pb2

from isoline.xds.messages import packed


def script(source: str) -> lua_pb2.Lua:
    """A Lua filter that runs `source` for every request."""
    return lua_pb2.Lua(default_source_code=base_pb2.DataSource(inline_string=source))


def skipped_if(header: str, regex: str, name: str, filter_config: Any) -> any_pb2.Any:
    """The filter `name`, left out for requests whose whole `header` matches `regex`."""
    predicate = matcher_pb2.Matcher.MatcherList.Predicate.SinglePredicate(
        input=extension_pb2.TypedExtensionConfig(
            name="header", typed_config=packed(http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=header))
        )
    )
    # Unlike everywhere else, Envoy insists here that the engine be named.
    predicate.value_match.safe_regex.CopyFrom(
        regex_pb2.RegexMatcher(google_re2=regex_pb2.RegexMatcher.GoogleRE2(), regex=regex)
    )
    skip = matcher_pb2.Matcher.OnMatch(
        action=extension_pb2.TypedExtensionConfig(name="skip", typed_config=packed(skip_action_pb2.SkipFilter()))
    )
    matcher = matcher_pb2.Matcher()
    entry = matcher.matcher_list.matchers.add()
    entry.predicate.single_predicate.CopyFrom(predicate)
    entry.on_match.CopyFrom(skip)
    message = extension_matcher_pb2.ExtensionWithMatcher(xds_matcher=matcher)
    message.extension_config.name = name
    message.extension_config.typed_config.CopyFrom(packed(filter_config))
    return packed(message)
