"""What a request must be to take a route."""

from envoy.config.route.v3 import route_components_pb2 as components
from envoy.type.matcher.v3 import regex_pb2, string_pb2

from isoline.routing import ir


def route_match(match: ir.Match) -> components.RouteMatch:
    """Envoy's match for `match`; every condition must hold."""
    message = components.RouteMatch(
        headers=[header_matcher(header) for header in match.headers],
        query_parameters=[_query(query) for query in match.query],
    )
    value = match.path.value
    match match.path.kind:
        case ir.PathKind.PREFIX:
            message.prefix = value
        case ir.PathKind.SEGMENTS:
            _set_segments(message, value)
        case ir.PathKind.EXACT:
            message.path = value
        case ir.PathKind.REGEX:
            message.safe_regex.regex = value
    return message


def _set_segments(message: components.RouteMatch, value: str) -> None:
    """Envoy refuses a closing slash here, and `/` has no segment: all paths start with it."""
    segments = value.rstrip("/")
    if segments:
        message.path_separated_prefix = segments
    else:
        message.prefix = "/"


def header_matcher(header: ir.HeaderMatch) -> components.HeaderMatcher:
    """What one header must be."""
    message = components.HeaderMatcher(
        name=header.name,
        invert_match=header.invert,
        treat_missing_header_as_empty=header.missing_as_empty,
    )
    if header.kind is ir.ValueKind.PRESENT:
        message.present_match = True
    else:
        message.string_match.CopyFrom(_string(header.kind, header.value, ignore_case=header.ignore_case))
    return message


def _query(query: ir.QueryMatch) -> components.QueryParameterMatcher:
    if query.kind is ir.ValueKind.PRESENT:
        return components.QueryParameterMatcher(name=query.name, present_match=True)
    return components.QueryParameterMatcher(
        name=query.name, string_match=_string(query.kind, query.value, ignore_case=query.ignore_case)
    )


def _string(kind: ir.ValueKind, value: str, *, ignore_case: bool) -> string_pb2.StringMatcher:
    match kind:
        case ir.ValueKind.EXACT:
            return string_pb2.StringMatcher(exact=value, ignore_case=ignore_case)
        case ir.ValueKind.CONTAINS:
            return string_pb2.StringMatcher(contains=value, ignore_case=ignore_case)
        case ir.ValueKind.PREFIX:
            return string_pb2.StringMatcher(prefix=value, ignore_case=ignore_case)
        case ir.ValueKind.SUFFIX:
            return string_pb2.StringMatcher(suffix=value, ignore_case=ignore_case)
        case ir.ValueKind.REGEX:
            # The matcher's own switch leaves regular expressions as they are.
            regex = f"(?i){value}" if ignore_case else value
            return string_pb2.StringMatcher(safe_regex=regex_pb2.RegexMatcher(regex=regex))
        case ir.ValueKind.PRESENT:
            raise ValueError("presence is not a comparison of strings")
