"""Sites for what the IR says of who may come in."""

from collections.abc import Mapping

import msgspec

from golden.xds.parts import APP, CA, matching, route, site
from isoline.routing import ir
from unit.xds.support import prefix

JWKS_CLUSTER = ir.Cluster(
    name="jwks/login.example.com/443/x",
    endpoints="",
    dns=ir.Dns(hostname="login.example.com", port=443, family=ir.DnsFamily.V4),
    protocol=ir.Upstream.TLS,
    sni="login.example.com",
)

ACCESS: Mapping[str, ir.Site] = {
    "tokens": msgspec.structs.replace(
        site(
            msgspec.structs.replace(matching("open", prefix("/open")), token=""),
            msgspec.structs.replace(matching("other", prefix("/other")), token="remote"),
            route(ir.HttpsRedirect(), "/https"),
            matching("all", prefix("/")),
            clusters=(JWKS_CLUSTER,),
        ),
        tokens=ir.Tokens(
            providers=(
                ir.TokenProvider(
                    name="local",
                    keys=ir.LocalKeys(jwks=ir.PrivateBytes(b'{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldA"}]}')),
                    issuer="issuer",
                    audiences=("a", "b"),
                    forward=True,
                ),
                ir.TokenProvider(
                    name="remote",
                    keys=ir.RemoteKeys(
                        uri="https://login.example.com/keys",
                        cluster=JWKS_CLUSTER.name,
                        timeout=1.0,
                        cache_duration=300.0,
                    ),
                ),
                ir.TokenProvider(name="unused", keys=ir.LocalKeys(jwks=ir.PrivateBytes(b""))),
            ),
            default="local",
        ),
    ),
    "authorization-by-grpc": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("open", prefix("/open")), authorization=ir.RouteAuthorization(asked=False)
            ),
            msgspec.structs.replace(
                matching("own", prefix("/own")), authorization=ir.RouteAuthorization(asked=True, context=(("a", "2"),))
            ),
            route(ir.HttpsRedirect(), "/https"),
            matching("all", prefix("/")),
        ),
        authorization=ir.Authorization(
            cluster=APP.name,
            grpc=True,
            authority="auth.example.com",
            timeout=0.2,
            fail_open=True,
            body=ir.RequestBody(maximum=1024, allow_partial=True, as_bytes=True),
            context=(("a", "1"), ("b", "2")),
        ),
    ),
    "authorization-by-http": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("open", prefix("/open")), authorization=ir.RouteAuthorization(asked=False)
            ),
            matching("all", prefix("/")),
        ),
        authorization=ir.Authorization(
            cluster=APP.name,
            grpc=False,
            authority="",
            timeout=ir.NEVER,
            body=ir.RequestBody(maximum=10),
            path_prefix="/check",
            request_headers=(ir.NameMatch(exact="x-a", ignore_case=True), ir.NameMatch(prefix="x-")),
            upstream_headers=(ir.NameMatch(suffix="-user"), ir.NameMatch(contains="mail")),
        ),
    ),
    "addresses": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("deny", prefix("/")),
                addresses=ir.AddressFilter(
                    allow=False,
                    ranges=(
                        ir.AddressRange(address="10.0.0.0", prefix_length=8, forwarded=True),
                        ir.AddressRange(address="2001:db8::1", prefix_length=128, forwarded=False),
                    ),
                ),
            ),
            clusters=(),
        ),
        addresses=ir.AddressFilter(
            allow=True, ranges=(ir.AddressRange(address="192.0.2.1", prefix_length=32, forwarded=False),)
        ),
    ),
    "traffic-access": msgspec.structs.replace(
        site(
            msgspec.structs.replace(
                matching("login", prefix("/login")),
                traffic=ir.Traffic(
                    oidc=ir.Login(
                        authorization_endpoint="https://login.example.com/authorize",
                        token_endpoint="https://login.example.com/token",
                        end_session_endpoint="https://login.example.com/end",
                        cluster="login/login.example.com/443/a",
                        client_id="studio",
                        client_secret=ir.PrivateBytes(b"not a secret"),
                        cookie_key=ir.PrivateBytes(b"not a key"),
                        scopes=("openid", "email"),
                        redirect_path="/oauth2/callback",
                        sign_out_path="/oauth2/sign-out",
                    ),
                ),
            ),
            clusters=(
                ir.Cluster(
                    name="login/login.example.com/443/a",
                    endpoints="",
                    dns=ir.Dns(hostname="login.example.com", port=443),
                    protocol=ir.Upstream.TLS,
                    sni="login.example.com",
                    trust=ir.Trust(authorities=CA, names=("login.example.com", "192.0.2.1")),
                ),
            ),
        ),
        traffic=ir.Traffic(
            api_keys=ir.ApiKeys(
                clients=(("ann", ir.PrivateBytes(b"key of ann")),), header="x-key", query="key", client_header="x-name"
            ),
            basic_auth=ir.BasicAuth(
                users=ir.PrivateBytes(b"ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"), user_header="x-user"
            ),
            jwt_claims=ir.Claims(
                headers=((("realm", "roles"), "x-roles"),),
                allow=((ir.ClaimMatch(claim=("plan",), values=("pro", "team")),),),
            ),
        ),
    ),
}
