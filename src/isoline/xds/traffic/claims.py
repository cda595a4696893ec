"""What verified tokens must say: who says nothing of it, or has no token, gets 403."""

from typing import Any

from envoy.config.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.header_mutation.v3 import header_mutation_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as filter_pb2
from envoy.type.matcher.v3 import metadata_pb2

from isoline.routing import ir
from isoline.xds.filters.tokens import CLAIMS, METADATA
from isoline.xds.messages import header_option, packed


class Rules:
    """The filter that lets in whose token fulfils a rule."""

    NAME = "isoline.claims"

    @staticmethod
    def configuration(traffic: ir.Traffic) -> Any | None:
        if traffic.jwt_claims is None or not traffic.jwt_claims.allow:
            return None
        message = filter_pb2.RBAC()
        message.rules.action = rbac_pb2.RBAC.ALLOW
        policy = message.rules.policies["claims"]
        policy.permissions.add(any=True)
        for rule in traffic.jwt_claims.allow:
            found = policy.principals.add()
            found.and_ids.ids.extend(rbac_pb2.Principal(sourced_metadata=_source(match)) for match in rule)
        return packed(message)


def _source(match: ir.ClaimMatch) -> rbac_pb2.SourcedMetadata:
    found = rbac_pb2.SourcedMetadata()
    matcher = found.metadata_matcher
    matcher.filter = METADATA
    for key in (CLAIMS, *match.claim):
        matcher.path.append(metadata_pb2.MetadataMatcher.PathSegment(key=key))
    for value in match.values:
        matcher.value.or_match.value_matchers.add().string_match.exact = value
        matcher.value.or_match.value_matchers.add().list_match.one_of.string_match.exact = value
    return found


class Headers:
    """The filter that tells the app what a token says, and drops what the client says in its place."""

    NAME = "isoline.claim_headers"

    @staticmethod
    def configuration(traffic: ir.Traffic) -> Any | None:
        if traffic.jwt_claims is None or not traffic.jwt_claims.headers:
            return None
        message = header_mutation_pb2.HeaderMutation()
        for claim, header in traffic.jwt_claims.headers:
            message.mutations.request_mutations.add().remove = header
            value = f"%DYNAMIC_METADATA({':'.join((METADATA, CLAIMS, *claim))})%"
            message.mutations.request_mutations.add().append.CopyFrom(header_option(header, value))
        return packed(message)
