"""What happens to a request that took a route."""

from envoy.config.core.v3 import base_pb2, extension_pb2
from envoy.config.route.v3 import route_components_pb2 as components
from envoy.extensions.internal_redirect.previous_routes.v3 import previous_routes_config_pb2
from envoy.extensions.internal_redirect.safe_cross_scheme.v3 import safe_cross_scheme_config_pb2
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2

from isoline.routing import ir
from isoline.xds.filters import cookies
from isoline.xds.messages import duration, extension, header_option, packed

_REDIRECT_STATUS = {
    301: components.RedirectAction.MOVED_PERMANENTLY,
    302: components.RedirectAction.FOUND,
    303: components.RedirectAction.SEE_OTHER,
    307: components.RedirectAction.TEMPORARY_REDIRECT,
    308: components.RedirectAction.PERMANENT_REDIRECT,
}
_ANOTHER_HOST_ATTEMPTS = 30
"""A dead endpoint has the fewest requests, and of two it is three times out of four the one that is chosen."""
_HTTPS_PORT = 443


def forward(action: ir.Forward, gateway: ir.Gateway) -> components.RouteAction:
    """To one cluster, or shared out among several by weight."""
    message = components.RouteAction(
        timeout=duration(gateway.route_timeout if action.timeout is None else action.timeout),
        hash_policy=[_hash_policy(by) for by in action.hash_by],
    )
    _set_clusters(message, action)
    if action.idle_timeout is not None:
        message.idle_timeout.CopyFrom(duration(action.idle_timeout))
    if action.websocket:
        message.upgrade_configs.add(upgrade_type="websocket").enabled.value = True
    if action.retry is not None:
        message.retry_policy.CopyFrom(_retry_policy(action.retry))
        if action.retry.hedge:
            message.hedge_policy.hedge_on_per_try_timeout = True
    if action.mirror is not None:
        copies = message.request_mirror_policies.add(cluster=action.mirror.cluster)
        copies.runtime_fraction.default_value.numerator = action.mirror.percent
    if action.follow_redirects is not None:
        message.internal_redirect_policy.CopyFrom(_internal_redirects(action.follow_redirects))
    _set_rewrites(message, action)
    return message


def _set_clusters(message: components.RouteAction, action: ir.Forward) -> None:
    shares = [share for share in action.shares if share.weight > 0]
    if len(shares) == 1 and shares[0] == ir.Share(cluster=shares[0].cluster, weight=shares[0].weight):
        message.cluster = shares[0].cluster
        return
    for share in shares:
        cluster = message.weighted_clusters.clusters.add(name=share.cluster)
        cluster.weight.value = share.weight
        if share.host_rewrite is not None:
            cluster.host_rewrite_literal = share.host_rewrite
        set_header_edits(cluster, share.request_headers, share.response_headers)
        if share.cookies:
            cluster.typed_per_filter_config[cookies.NAME].CopyFrom(cookies.per_route(share.cookies))


def _set_rewrites(message: components.RouteAction, action: ir.Forward) -> None:
    if action.prefix_rewrite is not None:
        message.prefix_rewrite = action.prefix_rewrite
    if action.regex_rewrite is not None:
        message.regex_rewrite.pattern.regex = action.regex_rewrite.pattern
        message.regex_rewrite.substitution = action.regex_rewrite.substitution
    if action.host_rewrite is not None:
        message.host_rewrite_literal = action.host_rewrite
    elif action.host_rewrite_header is not None:
        message.host_rewrite_header = action.host_rewrite_header


def _hash_policy(by: ir.HashBy) -> components.RouteAction.HashPolicy:
    policy = components.RouteAction.HashPolicy(terminal=by.terminal)
    match by.source:
        case "header":
            policy.header.header_name = by.name
        case "query":
            policy.query_parameter.name = by.name
        case "address":
            policy.connection_properties.source_ip = True
        case "cookie":
            policy.cookie.name = by.name
            policy.cookie.path = by.cookie_path
            if by.cookie_ttl is not None:
                policy.cookie.ttl.CopyFrom(duration(by.cookie_ttl))
    return policy


def _retry_policy(retry: ir.Retry) -> components.RetryPolicy:
    policy = components.RetryPolicy(
        retry_on=",".join(retry.on),
        retriable_status_codes=retry.status_codes,
    )
    policy.num_retries.value = retry.count
    if retry.avoid_same_host:
        # The replica that has just failed is the worst one to try again.
        policy.host_selection_retry_max_attempts = _ANOTHER_HOST_ATTEMPTS
        predicate = policy.retry_host_predicate.add(name="envoy.retry_host_predicates.previous_hosts")
        predicate.typed_config.CopyFrom(packed(previous_hosts_pb2.PreviousHostsPredicate()))
    if retry.per_try_timeout is not None:
        policy.per_try_timeout.CopyFrom(duration(retry.per_try_timeout))
    if retry.backoff is not None:
        policy.retry_back_off.base_interval.CopyFrom(duration(retry.backoff.base))
        policy.retry_back_off.max_interval.CopyFrom(duration(retry.backoff.maximum))
    return policy


def _internal_redirects(source: ir.FollowRedirects) -> components.InternalRedirectPolicy:
    policy = components.InternalRedirectPolicy(
        redirect_response_codes=source.status_codes, allow_cross_scheme_redirect=source.schemes != "same"
    )
    policy.max_internal_redirects.value = source.most
    if source.schemes == "safe":
        policy.predicates.append(_predicate("safe_cross_scheme", safe_cross_scheme_config_pb2.SafeCrossSchemeConfig()))
    if source.same_route_once:
        policy.predicates.append(_predicate("previous_routes", previous_routes_config_pb2.PreviousRoutesConfig()))
    return policy


def _predicate(name: str, config: object) -> extension_pb2.TypedExtensionConfig:
    return extension(f"envoy.internal_redirect_predicates.{name}", config)


def redirect(action: ir.Redirect) -> components.RedirectAction:
    """To another address; what is not said stays as it was asked, the query always does."""
    message = components.RedirectAction(response_code=_REDIRECT_STATUS[action.status])
    if action.scheme is not None:
        message.scheme_redirect = action.scheme
    if action.hostname is not None:
        message.host_redirect = action.hostname
    if action.port is not None:
        message.port_redirect = action.port
    if action.path is not None:
        message.path_redirect = action.path
    elif action.prefix is not None:
        message.prefix_rewrite = action.prefix
    return message


def https_redirect(gateway: ir.Gateway) -> components.RedirectAction:
    """301 to the same address on the gateway's public https port."""
    message = components.RedirectAction(https_redirect=True, response_code=_REDIRECT_STATUS[301])
    if gateway.public_https_port != _HTTPS_PORT:
        message.port_redirect = gateway.public_https_port
    return message


def respond(action: ir.Respond) -> components.DirectResponseAction:
    """An answer of the gateway's own."""
    message = components.DirectResponseAction(status=action.status)
    if action.body:
        message.body.CopyFrom(base_pb2.DataSource(inline_string=action.body))
    return message


def set_header_edits(
    message: components.Route | components.WeightedCluster.ClusterWeight,
    request: ir.HeaderEdits,
    response: ir.HeaderEdits,
) -> None:
    """Writes header edits to a message that has Envoy's four fields for them. An empty value drops the header."""
    message.request_headers_to_add.extend(header_option(header.name, header.value) for header in request.set)
    message.request_headers_to_remove.extend(request.remove)
    message.response_headers_to_add.extend(header_option(header.name, header.value) for header in response.set)
    message.response_headers_to_remove.extend(response.remove)
