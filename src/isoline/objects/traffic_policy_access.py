"""The parts of a TrafficPolicy that are about who may come in. Credentials are in Secrets of the policy's namespace."""

from typing import Annotated

from msgspec import Meta

from isoline.objects.app_access import SecretKeyReference
from isoline.objects.formats import Path
from isoline.objects.model import Model


class APIKeys(Model, frozen=True, kw_only=True):
    """Who brings no key that the Secret holds gets 401. The app does not see the key."""

    secret_name: Annotated[str, Meta(description="Secret whose entries are client name and key.")]
    header: Annotated[str, Meta(description="Header that carries the key, with or without Bearer before it.")] = (
        "Authorization"
    )
    query: Annotated[str, Meta(description="Query parameter that may carry the key where the header is absent.")] = ""
    client_header: Annotated[str, Meta(description="Header in which the app is told the client's name.")] = ""


class BasicAuth(Model, frozen=True, kw_only=True):
    """Who brings no user name and password that the Secret holds gets 401."""

    secret_name: Annotated[
        str,
        Meta(
            description="Secret with htpasswd lines of the SHA form (htpasswd -s), or of the type "
            "kubernetes.io/basic-auth, with username and password."
        ),
    ]
    key: Annotated[str, Meta(description="Key of the lines in the Secret.")] = "auth"
    user_header: Annotated[str, Meta(description="Header in which the app is told the user's name.")] = ""


class OIDC(Model, frozen=True, kw_only=True):
    """Browsers are sent to log in with an OpenID Connect provider; other requests without a login get 401."""

    authorization_endpoint: Annotated[str, Meta(description="https URL at the provider where browsers log in.")]
    token_endpoint: Annotated[str, Meta(description="https URL at the provider where the gateway fetches tokens.")]
    end_session_endpoint: Annotated[
        str, Meta(description="https URL at the provider to which a browser that signs out is sent.")
    ] = ""
    ca_secret_name: Annotated[
        str,
        Meta(description="Secret whose ca.crt the token endpoint is checked with; what the machine trusts when unset."),
    ] = ""
    client_id: Annotated[str, Meta(description="Client that is registered with the provider.")]
    client_secret: Annotated[SecretKeyReference, Meta(description="The client's secret.")]
    scopes: Annotated[tuple[str, ...], Meta(description="Scopes asked for beside openid.")] = ()
    redirect_path: Annotated[
        Path, Meta(description="Path to which the provider sends browsers back; registered there.")
    ] = "/oauth2/callback"
    sign_out_path: Annotated[Path, Meta(description="Path that ends a login.")] = "/oauth2/sign-out"
    forward_access_token: Annotated[
        bool, Meta(description="Whether the app gets the access token, as Authorization: Bearer.")
    ] = False


class ClaimHeader(Model, frozen=True, kw_only=True):
    """A claim that the app is told. What a client sends under that name is dropped."""

    claim: Annotated[str, Meta(description="Name of the claim; of one inside another, both with a dot between.")]
    header: Annotated[str, Meta(description="Request header. A claim that is no text comes as JSON.")]


class RequiredClaim(Model, frozen=True, kw_only=True):
    """Fulfilled by a claim that is one of the values, or a list that holds one."""

    claim: Annotated[str, Meta(description="Name of the claim; of one inside another, both with a dot between.")]
    values: Annotated[tuple[str, ...], Meta(description="Values of which one is needed.")]


class ClaimRule(Model, frozen=True, kw_only=True):
    """Whose token has all of these comes in."""

    claims: Annotated[tuple[RequiredClaim, ...], Meta(description="What the token must say, all of it.")]


class JWTClaims(Model, frozen=True, kw_only=True):
    """What the tokens say that the HTTPProxy's jwtProviders have verified."""

    headers: Annotated[tuple[ClaimHeader, ...], Meta(description="Claims that the app is told.")] = ()
    allow: Annotated[
        tuple[ClaimRule, ...],
        Meta(description="Who may come: whose token fulfils one rule; others get 403. All when empty."),
    ] = ()
