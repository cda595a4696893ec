"""Filters that most requests are spared: a matcher on a header decides before the filter is even made."""

from typing import Any

from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf import any_pb2
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2, regex_pb2

from isoline.xds.messages import packed

_Predicate = matcher_pb2.Matcher.MatcherList.Predicate


def skipped_if(header: str, regex: str, name: str, config: Any) -> any_pb2.Any:
    """The filter `name`, left out where the whole `header` matches `regex`; without the header it runs."""
    return _skipped(_matches(header, regex), name, config)


def skipped_unless(header: str, regex: str, name: str, config: Any) -> any_pb2.Any:
    """The filter `name`, left out where the whole `header` does not match `regex`, or is not there."""
    return _skipped(_Predicate(not_matcher=_matches(header, regex)), name, config)


def _matches(header: str, regex: str) -> Any:
    header_input = packed(http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=header))
    predicate = _Predicate.SinglePredicate(
        input=extension_pb2.TypedExtensionConfig(name="header", typed_config=header_input)
    )
    # Unlike everywhere else, Envoy insists here that the engine be named.
    matcher = regex_pb2.RegexMatcher(google_re2=regex_pb2.RegexMatcher.GoogleRE2(), regex=regex)
    predicate.value_match.safe_regex.CopyFrom(matcher)
    return _Predicate(single_predicate=predicate)


def _skipped(predicate: Any, name: str, config: Any) -> any_pb2.Any:
    skip = extension_pb2.TypedExtensionConfig(name="skip", typed_config=packed(skip_action_pb2.SkipFilter()))
    message = extension_matcher_pb2.ExtensionWithMatcher()
    entry = message.xds_matcher.matcher_list.matchers.add()
    entry.predicate.CopyFrom(predicate)
    entry.on_match.action.CopyFrom(skip)
    message.extension_config.name = name
    message.extension_config.typed_config.CopyFrom(packed(config))
    return packed(message)
