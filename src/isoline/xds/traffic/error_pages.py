"""Texts in place of errors, whoever made them; and words for a request body that is too large."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from envoy.extensions.filters.http.custom_response.v3 import custom_response_pb2
from envoy.extensions.http.custom_response.local_response_policy.v3 import local_response_policy_pb2
from envoy.type.matcher.v3 import status_code_input_pb2 as inputs
from google.protobuf import any_pb2
from xds.core.v3 import extension_pb2
from xds.type.matcher.v3 import matcher_pb2, regex_pb2

from isoline.routing import ir
from isoline.xds.messages import header_option, packed, typed_struct

NAME = "isoline.error_pages"

_Predicate = matcher_pb2.Matcher.MatcherList.Predicate


def configuration(traffic: ir.Traffic) -> Any | None:
    message = custom_response_pb2.CustomResponse()
    matchers = message.custom_response_matcher.matcher_list.matchers
    for page, statuses in zip(traffic.error_pages, own_statuses(traffic.error_pages), strict=True):
        if page.cluster or not statuses:
            continue
        entry = matchers.add()
        entry.predicate.CopyFrom(_status(statuses))
        _set_answer(entry, page.body, page.content_type, page.status)
    if traffic.request_body is not None:
        entry = matchers.add()
        entry.predicate.and_matcher.predicate.extend([_status((413,)), _by_the_gateway()])
        text = f"The body of the request is larger than {traffic.request_body} bytes, the most that is accepted here."
        body = json.dumps({"error": {"status": 413, "message": text}}) + "\n"
        _set_answer(entry, body, "application/json", None)
    return packed(message) if len(matchers) else None


def _set_answer(entry: Any, body: str, content_type: str, status: int | None) -> None:
    policy = local_response_policy_pb2.LocalResponsePolicy()
    policy.body.inline_string = body
    policy.response_headers_to_add.append(header_option("content-type", content_type))
    if status is not None:
        policy.status_code.value = status
    entry.on_match.action.name = "answer"
    entry.on_match.action.typed_config.CopyFrom(packed(policy))


def own_statuses(pages: Sequence[ir.ErrorPage]) -> list[list[int]]:
    """The statuses of each page that no page before it has."""
    taken: set[int] = set()
    found: list[list[int]] = []
    for page in pages:
        named = {status for first, last in page.statuses for status in range(first, last + 1)}
        found.append(sorted(named - taken))
        taken |= named
    return found


def _status(statuses: Iterable[int]) -> Any:
    found = _single(packed(inputs.HttpResponseStatusCodeMatchInput()))
    regex = "|".join(map(str, statuses))
    found.single_predicate.value_match.safe_regex.CopyFrom(
        regex_pb2.RegexMatcher(google_re2=regex_pb2.RegexMatcher.GoogleRE2(), regex=regex)
    )
    return found


def _by_the_gateway() -> Any:
    found = _single(typed_struct("envoy.type.matcher.v3.HttpResponseLocalReplyMatchInput", {}))
    found.single_predicate.value_match.exact = "true"
    return found


def _single(source: any_pb2.Any) -> Any:
    value = extension_pb2.TypedExtensionConfig(name="input", typed_config=source)
    return _Predicate(single_predicate=_Predicate.SinglePredicate(input=value))
