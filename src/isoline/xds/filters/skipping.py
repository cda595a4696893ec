"""Filters that most requests are spared: a matcher on headers decides before the filter is even made."""

import re
from typing import Any

from envoy.extensions.common.matching.v3 import extension_matcher_pb2
from envoy.extensions.filters.common.matcher.action.v3 import skip_action_pb2
from envoy.type.matcher.v3 import http_inputs_pb2
from google.protobuf import any_pb2
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2, regex_pb2, string_pb2

from isoline.xds.messages import packed

_Predicate = matcher_pb2.Matcher.MatcherList.Predicate


def matches(header: str, regex: str) -> Any:
    """Whether the whole `header` matches `regex`; not so without the header."""
    # Unlike everywhere else, Envoy insists here that the engine be named.
    matcher = regex_pb2.RegexMatcher(google_re2=regex_pb2.RegexMatcher.GoogleRE2(), regex=regex)
    return _Predicate(
        single_predicate=_Predicate.SinglePredicate(
            input=_input(header), value_match=string_pb2.StringMatcher(safe_regex=matcher)
        )
    )


def contains(header: str, text: str) -> Any:
    """Whether `header` holds `text`, which is looked for faster than an expression."""
    matcher = string_pb2.StringMatcher(contains=text)
    return _Predicate(single_predicate=_Predicate.SinglePredicate(input=_input(header), value_match=matcher))


def asks_with(parameter: str) -> Any:
    """Whether the query has that parameter.

    By the path: with Envoy's own input of query parameters a matcher never comes to a result, and nothing is executed.
    """
    return matches(":path", rf"[^?]*\?(.*&)?{re.escape(parameter)}=.*")


def both(first: Any, second: Any) -> Any:
    """Whether both predicates hold."""
    return _Predicate(and_matcher=_Predicate.PredicateList(predicate=[first, second]))


def either(first: Any, second: Any) -> Any:
    """Whether at least one of the predicates holds."""
    return _Predicate(or_matcher=_Predicate.PredicateList(predicate=[first, second]))


def negated(predicate: Any) -> Any:
    """Whether the predicate does not hold."""
    return _Predicate(not_matcher=predicate)


def _input(header: str) -> Any:
    header_input = packed(http_inputs_pb2.HttpRequestHeaderMatchInput(header_name=header))
    return extension_pb2.TypedExtensionConfig(name="header", typed_config=header_input)


def skipped_if(predicate: Any, name: str, config: Any) -> any_pb2.Any:
    """The filter `name`, left out where the predicate holds."""
    skip = extension_pb2.TypedExtensionConfig(name="skip", typed_config=packed(skip_action_pb2.SkipFilter()))
    message = extension_matcher_pb2.ExtensionWithMatcher()
    entry = message.xds_matcher.matcher_list.matchers.add()
    entry.predicate.CopyFrom(predicate)
    entry.on_match.action.CopyFrom(skip)
    message.extension_config.name = name
    message.extension_config.typed_config.CopyFrom(packed(config))
    return packed(message)
