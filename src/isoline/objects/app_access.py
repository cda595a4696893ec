"""Who may use an App. Credentials are never in the manifest: it names the Secrets that hold them."""

from typing import Annotated

from msgspec import Meta

from isoline.objects.formats import CIDR
from isoline.objects.model import Model


class SecretKeyReference(Model, frozen=True, kw_only=True):
    """One key of a Secret in the app's namespace."""

    secret_name: Annotated[str, Meta(description="Name of the Secret.")]
    key: Annotated[str, Meta(description="Key in the Secret.")]


class APIKeyAccess(Model, frozen=True, kw_only=True):
    """API keys; every entry of the Secret is one client's key."""

    secret_name: Annotated[str, Meta(description="Secret whose entries are client name and key.")]
    header: Annotated[str, Meta(description="Header that carries the key; a Bearer prefix is stripped.")] = (
        "Authorization"
    )


class JWTAccess(Model, frozen=True, kw_only=True):
    """Signed tokens. The keys come from `jwks_url` or from a Secret."""

    issuer: Annotated[str, Meta(description="Issuer that tokens must name.")] = ""
    audiences: Annotated[tuple[str, ...], Meta(description="Audiences of which a token must name one.")] = ()
    jwks_url: Annotated[str, Meta(description="https URL of the issuer's JSON Web Key Set.")] = ""
    jwks: Annotated[SecretKeyReference | None, Meta(description="Secret that holds the key set.")] = None
    ca_secret_name: Annotated[
        str,
        Meta(description="Secret whose ca.crt jwksURL is checked with; what the machine trusts when unset."),
    ] = ""


class OIDCAccess(Model, frozen=True, kw_only=True):
    """A browser login with an OpenID Connect provider."""

    issuer: Annotated[str, Meta(description="https URL of the provider.")] = ""
    authorization_endpoint: Annotated[str, Meta(description="https URL at the provider where browsers log in.")] = ""
    token_endpoint: Annotated[str, Meta(description="https URL at the provider where the gateway fetches tokens.")] = ""
    end_session_endpoint: Annotated[
        str, Meta(description="https URL at the provider to which a browser that signs out is sent.")
    ] = ""
    ca_secret_name: Annotated[
        str,
        Meta(description="Secret whose ca.crt the provider is checked with; what the machine trusts when unset."),
    ] = ""
    client_id: Annotated[str, Meta(description="Client that is registered with the provider.")]
    client_secret: Annotated[SecretKeyReference, Meta(description="The client's secret.")]
    scopes: Annotated[tuple[str, ...], Meta(description="Scopes asked for beside openid.")] = ()


class BasicAccess(Model, frozen=True, kw_only=True):
    """User names and passwords."""

    secret_name: Annotated[str, Meta(description="Secret with htpasswd lines.")]
    key: Annotated[str, Meta(description="Key in the Secret.")] = "auth"


class Access(Model, frozen=True, kw_only=True):
    """Address lists, and ways to sign in of which one must succeed."""

    allow: Annotated[tuple[CIDR, ...], Meta(description="Client networks let in; all when empty.")] = ()
    deny: Annotated[tuple[CIDR, ...], Meta(description="Client networks kept out.")] = ()
    api_keys: Annotated[APIKeyAccess | None, Meta(description="Let clients with an API key in.")] = None
    jwt: Annotated[JWTAccess | None, Meta(description="Let clients with a signed token in.")] = None
    oidc: Annotated[OIDCAccess | None, Meta(description="Let browsers in after a login.")] = None
    basic: Annotated[BasicAccess | None, Meta(description="Let clients with a user name and password in.")] = None
