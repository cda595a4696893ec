"""From an App to its objects, against goldens, and the rules that the goldens follow."""

from pathlib import Path

import pytest

from isoline.apps import Offered, Target, expand, faults, load_catalog, profile_of
from isoline.objects import App, Deployment, HTTPProxy, NetworkPolicy, Object, TrafficPolicy
from isoline.objects.core import PersistentVolumeClaim
from isoline.objects.decoding import decode_documents
from isoline.objects.encoding import to_yaml
from isoline.objects.httpproxy_access import VERIFIED_KEYS, JWTProvider, LocalJWKS, RemoteJWKS
from isoline.objects.httpproxy_policies import UpstreamValidation
from isoline.objects.issuers import IssuerReference
from isoline.objects.operators import Certificate, ServiceMonitor
from isoline.objects.traffic_policy_access import APIKeys, BasicAuth
from isoline.objects.traffic_policy_load import EndpointConcurrency
from isoline.objects.traffic_policy_requests import RequestBody
from unit.apps.test_faults import app

GOLDEN = Path(__file__).parents[2] / "golden" / "apps"
SEED = Path(__file__).parents[2] / "seed"
CATALOG = load_catalog()
PLAIN = "run: {command: [./serve], port: 5000}, host: a.b"
"""An App without a profile."""


def expanded(given: App) -> list[Object]:
    assert faults(given, CATALOG, Target.MACHINE) == []
    return expand(given, profile_of(given, CATALOG), Target.MACHINE)


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_an_app_stands_for_these_objects(case: str) -> None:
    """After a deliberate change: write what `to_yaml` gives, document by document, to out.yaml."""
    decoded = decode_documents((GOLDEN / case / "app.yaml").read_text())
    assert not decoded.errors, decoded.errors
    (given,) = decoded.objects
    assert isinstance(given, App)

    assert "---\n".join(map(to_yaml, expanded(given))) == (GOLDEN / case / "out.yaml").read_text()


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_what_an_app_stands_for_are_manifests_without_a_fault(case: str) -> None:
    decoded = decode_documents((GOLDEN / case / "out.yaml").read_text())

    assert not decoded.errors
    assert not decoded.warnings


def test_the_network_policy_amounts_to_the_one_of_the_tutorials() -> None:
    (seed,) = decode_documents((SEED / "networkpolicy.yaml").read_text()).objects
    assert isinstance(seed, NetworkPolicy)
    (ours,) = (each for each in expanded(app("{profile: voice, host: a.b}")) if isinstance(each, NetworkPolicy))

    assert ours.spec.ingress == seed.spec.ingress
    assert ours.spec.policy_types == seed.spec.policy_types
    # The seed's pods are `app: cosyvoice3`; ours are the App's.
    assert ours.spec.pod_selector.match_labels == {"app.kubernetes.io/name": "voice"}


def deployment_of(spec: str) -> Deployment:
    (found,) = (each for each in expanded(app(spec)) if isinstance(each, Deployment))
    return found


@pytest.mark.parametrize(
    ("spec", "strategy"),
    [
        (f"{{{PLAIN}}}", ("RollingUpdate", 1, 0)),
        (f"{{{PLAIN}, resources: {{gpu: 1}}}}", ("RollingUpdate", 0, 1)),
        (f"{{{PLAIN}, storage: [{{name: x, path: /x}}]}}", ("RollingUpdate", 1, 0)),
        (f"{{{PLAIN}, resources: {{gpu: 1}}, storage: [{{name: x, path: /x}}]}}", ("Recreate", None, None)),
    ],
)
def test_a_new_replica_never_waits_for_the_gpu_of_the_one_that_it_replaces(
    spec: str, strategy: tuple[str, int | None, int | None]
) -> None:
    found = deployment_of(spec).spec.strategy
    rolling = found.rolling_update

    assert (
        found.type,
        rolling.max_surge if rolling else None,
        rolling.max_unavailable if rolling else None,
    ) == strategy


def test_an_app_of_an_image_without_a_profile_runs_its_command_on_this_machine() -> None:
    (container,) = deployment_of(
        "{run: {image: 'own/app:1', command: [./serve], port: 5000}, host: a.b}"
    ).spec.template.spec.containers

    assert (container.image, container.command) == ("isoline.dev/host", ("./serve",))


def test_run_beside_a_profile_overrides_what_the_profile_says() -> None:
    (container,) = deployment_of(
        "{profile: voice, run: {args: [--workers, '2'], port: 9000}, host: a.b}"
    ).spec.template.spec.containers

    assert container.image == "cosyvoice3:latest"
    assert container.args == ("--workers", "2")
    assert container.ports[0].container_port == 9000
    assert container.readiness_probe is not None


@pytest.mark.parametrize(
    ("affinity", "strategy"),
    [("None", "WeightedLeastRequest"), ("Cookie", "WeightedLeastRequest"), ("ClientIP", "RequestHash")],
)
def test_affinity_says_how_requests_are_balanced(affinity: str, strategy: str) -> None:
    found = expanded(app(f"{{profile: voice, host: a.b, affinity: {affinity}}}"))
    (proxy,) = (each for each in found if isinstance(each, HTTPProxy))

    assert {route.load_balancer_policy.strategy for route in proxy.spec.routes if route.load_balancer_policy} == {
        strategy
    }


def test_what_has_no_word_in_an_httpproxy_is_said_by_a_policy() -> None:
    found = expanded(app("{profile: voice, host: a.b, affinity: Cookie, limits: {body: 10Mi}}"))
    (policy,) = (each for each in found if isinstance(each, TrafficPolicy))

    assert [(target.kind, target.name) for target in policy.spec.target_refs] == [("App", "voice")]
    assert policy.spec.request_body == RequestBody(max_size="10Mi")
    assert policy.spec.session_cookie is not None


def test_without_such_a_wish_there_is_no_policy() -> None:
    assert not any(isinstance(each, TrafficPolicy) for each in expanded(app(f"{{{PLAIN}}}")))


def test_a_host_that_leaves_the_list_moves_no_other_hosts_proxy() -> None:
    def proxies(hosts: str) -> dict[str, str]:
        found = expanded(app(f"{{profile: voice, host: {hosts}}}"))
        return {
            each.spec.virtualhost.fqdn: each.metadata.name
            for each in found
            if isinstance(each, HTTPProxy) and each.spec.virtualhost
        }

    before, after = proxies("[a.b, c.d, e.f]"), proxies("[a.b, e.f]")

    assert before["a.b"] == "voice"
    assert before["e.f"] == after["e.f"]
    assert len(set(before.values())) == 3


def test_requests_that_may_be_repeated_are_and_others_only_if_nothing_was_sent() -> None:
    (proxy,) = (each for each in expanded(app("{profile: voice, host: a.b}")) if isinstance(each, HTTPProxy))
    repeatable, other = proxy.spec.routes

    assert repeatable.conditions[1].header is not None
    assert repeatable.conditions[1].header.name == ":method"
    assert "POST" not in repeatable.conditions[1].header.regex
    assert repeatable.retry_policy is not None
    assert repeatable.retry_policy.retriable_status_codes == (503,)
    assert other.retry_policy is not None
    assert set(other.retry_policy.retry_on) == {"connect-failure", "refused-stream", "reset-before-request"}


def in_cluster(spec: str) -> dict[str, Object]:
    given = app(spec)
    assert faults(given, CATALOG, Target.KUBERNETES) == []
    return {each.kind: each for each in expand(given, profile_of(given, CATALOG), Target.KUBERNETES)}


def test_in_a_cluster_an_app_has_no_rights_that_it_does_not_need_and_knows_its_port() -> None:
    found = in_cluster("{run: {image: 'own/app:1', port: 5000}, host: a.b}")["Deployment"]
    assert isinstance(found, Deployment)
    pod = found.spec.template.spec
    (container,) = pod.containers

    assert pod.security_context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container.security_context == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert pod.automount_service_account_token is False
    assert [(each.name, each.value) for each in container.env] == [("PORT", "5000")]
    assert container.readiness_probe is not None
    assert container.readiness_probe.tcp_socket is not None


def test_in_a_cluster_a_port_that_the_app_is_told_otherwise_stays() -> None:
    found = in_cluster("{run: {image: 'own/app:1', port: 5000, env: [{name: PORT, value: '6000'}]}, host: a.b}")
    deployment = found["Deployment"]
    assert isinstance(deployment, Deployment)

    assert [each.value for each in deployment.spec.template.spec.containers[0].env] == ["6000"]


def test_in_a_cluster_a_replica_never_waits_for_a_volume_that_another_node_holds() -> None:
    found = in_cluster("{run: {image: 'own/app:1', port: 5000}, host: a.b, storage: [{name: x, path: /x}]}")
    deployment = found["Deployment"]
    assert isinstance(deployment, Deployment)
    rolling = deployment.spec.strategy.rolling_update

    assert rolling is not None
    assert (rolling.max_surge, rolling.max_unavailable) == (0, 1)


def test_in_a_cluster_data_outlives_the_app_and_everything_else_goes_with_it() -> None:
    found = in_cluster("{run: {image: 'own/app:1', port: 5000}, host: a.b, storage: [{name: x, path: /x}]}")

    assert {kind for kind, each in found.items() if not each.metadata.owner_references} == {"PersistentVolumeClaim"}


def test_in_a_cluster_an_app_with_a_gpu_runs_on_the_nodes_that_are_kept_for_those() -> None:
    found = in_cluster("{profile: voice, host: a.b, resources: {gpu: 1}}")["Deployment"]
    assert isinstance(found, Deployment)
    pod = found.spec.template.spec

    assert [(each.key, each.operator, each.effect) for each in pod.tolerations] == [
        ("nvidia.com/gpu", "Exists", "NoSchedule")
    ]
    assert pod.containers[0].resources.limits == {"nvidia.com/gpu": "1"}


@pytest.mark.parametrize(
    ("asked", "setting", "value"),
    [
        (
            "access: {apiKeys: {secretName: keys, header: x-key}}",
            "api_keys",
            APIKeys(secret_name="keys", header="x-key"),
        ),
        ("access: {basic: {secretName: users, key: lines}}", "basic_auth", BasicAuth(secret_name="users", key="lines")),
        ("limits: {concurrency: 2}", "endpoint_concurrency", EndpointConcurrency(max_requests=2)),
    ],
)
def test_who_may_come_and_how_many_is_a_traffic_policys(asked: str, setting: str, value: object) -> None:
    found = expanded(app(f"{{profile: voice, host: a.b, {asked}}}"))
    (policy,) = (each for each in found if isinstance(each, TrafficPolicy))
    assert getattr(policy.spec, setting) == value
    assert [(each.kind, each.name) for each in policy.spec.target_refs] == [("App", policy.metadata.name)]


def test_tokens_are_verified_on_every_route() -> None:
    jwt = "{issuer: me, audiences: [a], jwks: {secretName: keys, key: jwks.json}}"
    found = expanded(app(f"{{profile: voice, host: a.b, access: {{jwt: {jwt}}}}}"))
    (proxy,) = (each for each in found if isinstance(each, HTTPProxy))
    assert proxy.spec.virtualhost is not None
    (provider,) = proxy.spec.virtualhost.jwt_providers
    assert (provider.default, provider.issuer, provider.audiences) == (True, "me", ("a",))
    assert provider.local_jwks == LocalJWKS(secret_name="keys", key="jwks.json")
    assert all(not route.jwt_verification_policy for route in proxy.spec.routes)


def test_keys_of_tokens_may_be_fetched_from_a_server_that_is_checked() -> None:
    def provider_and_proxy(jwt: str) -> tuple[JWTProvider, HTTPProxy]:
        found = expanded(app(f"{{profile: voice, host: a.b, access: {{jwt: {jwt}}}}}"))
        (proxy,) = (each for each in found if isinstance(each, HTTPProxy))
        assert proxy.spec.virtualhost is not None
        (provider,) = proxy.spec.virtualhost.jwt_providers
        return provider, proxy

    by_machine, proxy = provider_and_proxy("{jwksURL: 'https://login.example.com/keys'}")
    assert by_machine.remote_jwks == RemoteJWKS(uri="https://login.example.com/keys")
    assert proxy.metadata.annotations[VERIFIED_KEYS] == "true"
    by_secret, _ = provider_and_proxy("{jwksURL: 'https://login.example.com/keys', caSecretName: ca}")
    assert by_secret.remote_jwks is not None
    assert by_secret.remote_jwks.validation == UpstreamValidation(
        ca_secret="ca", subject_name="login.example.com", subject_names=("login.example.com",)
    )


OIDC_ACCESS = (
    "oidc: {authorizationEndpoint: 'https://x/a', tokenEndpoint: 'https://x/t', caSecretName: ca, clientID: a, "
    "clientSecret: {secretName: s, key: k}, scopes: [email]}"
)


def test_a_login_is_a_traffic_policys_and_its_paths_are_open() -> None:
    found = expanded(app(f"{{profile: voice, host: a.b, paths: [/v1], access: {{{OIDC_ACCESS}}}}}"))
    (policy,) = (each for each in found if isinstance(each, TrafficPolicy))
    login = policy.spec.oidc
    assert login is not None
    assert (login.authorization_endpoint, login.token_endpoint) == ("https://x/a", "https://x/t")
    assert (login.ca_secret_name, login.client_id, login.scopes) == ("ca", "a", ("email",))
    assert not policy.spec.any_credential
    (proxy,) = (each for each in found if isinstance(each, HTTPProxy))
    opened = {condition.exact for route in proxy.spec.routes for condition in route.conditions}
    assert {"/v1", login.redirect_path, login.sign_out_path} <= opened


def test_of_several_ways_in_one_is_enough_and_they_stand_before_the_app_is_reached() -> None:
    found = expanded(
        app(f"{{profile: voice, host: a.b, access: {{{OIDC_ACCESS}, apiKeys: {{secretName: keys}}}}}}"),
    )
    kinds = [each.kind for each in found]
    assert kinds.index("TrafficPolicy") < kinds.index("HTTPProxy")
    (policy,) = (each for each in found if isinstance(each, TrafficPolicy))
    assert policy.spec.any_credential
    with_tokens = expanded(
        app(
            "{profile: voice, host: a.b, access: {apiKeys: {secretName: keys}, "
            "jwt: {jwks: {secretName: keys, key: jwks.json}}}}"
        )
    )
    (policy,) = (each for each in with_tokens if isinstance(each, TrafficPolicy))
    assert policy.spec.any_credential


def test_a_profile_gives_its_apps_volumes_and_a_word_for_where_they_are() -> None:
    for found in (deployment_of("{profile: voice, host: a.b}"), _deployment_in_cluster("{profile: voice, host: a.b}")):
        (container,) = found.spec.template.spec.containers
        assert [(mount.name, mount.mount_path) for mount in container.volume_mounts] == [
            ("state", "/var/lib/isoline-voice")
        ]
        assert ("ISOLINE_VOICE_STATE", "$(ISOLINE_VOLUME_STATE)") in [(each.name, each.value) for each in container.env]


def test_in_a_cluster_the_word_for_a_volumes_place_stands_before_what_uses_it() -> None:
    (container,) = _deployment_in_cluster("{profile: voice, host: a.b}").spec.template.spec.containers
    told = [(each.name, each.value) for each in container.env]

    assert told.index(("ISOLINE_VOLUME_STATE", "/var/lib/isoline-voice")) < told.index(
        ("ISOLINE_VOICE_STATE", "$(ISOLINE_VOLUME_STATE)")
    )


def test_an_apps_own_volume_replaces_the_profiles_of_that_name() -> None:
    found = expanded(app("{profile: voice, host: a.b, storage: [{name: state, path: /state, size: 1Gi}]}"))
    (claim,) = (each for each in found if isinstance(each, PersistentVolumeClaim))

    assert claim.metadata.name == "voice-state"
    assert claim.spec.resources.requests == {"storage": "1Gi"}


def test_replicas_that_share_a_volume_run_on_its_node_and_replace_each_other_one_by_one() -> None:
    found = _deployment_in_cluster("{profile: voice, host: a.b, scale: {min: 2}}")
    affinity, rolling = found.spec.template.spec.affinity, found.spec.strategy.rolling_update

    assert affinity is not None
    ((term,),) = (each.values() for each in affinity.values())
    assert term[0]["labelSelector"]["matchLabels"] == found.spec.selector.match_labels
    assert rolling is not None
    assert (rolling.max_surge, rolling.max_unavailable) == (1, 0)


def _deployment_in_cluster(spec: str) -> Deployment:
    found = in_cluster(spec)["Deployment"]
    assert isinstance(found, Deployment)
    return found


def test_what_keeps_a_client_with_its_replica_is_the_profiles_unless_the_app_says() -> None:
    def cookie(spec: str) -> bool:
        policies = (each for each in expanded(app(spec)) if isinstance(each, TrafficPolicy))
        return any(policy.spec.session_cookie is not None for policy in policies)

    assert cookie("{profile: voice, host: a.b}")
    assert not cookie("{profile: voice, host: a.b, affinity: None}")


@pytest.mark.parametrize(
    ("tls", "issuer"),
    [
        ("", "gateway"),
        ("tls: {issuer: {name: own, kind: Issuer}}", "own"),
        ("tls: {secretName: mine}", None),
    ],
)
def test_a_certificate_is_asked_of_the_apps_issuer_or_else_of_the_gateways(tls: str, issuer: str | None) -> None:
    given = app(f"{{profile: voice, host: a.b, {tls}}}")
    offered = Offered(frozenset({"Certificate"}), IssuerReference(name="gateway"))
    found = [
        each
        for each in expand(given, profile_of(given, CATALOG), Target.KUBERNETES, offered)
        if isinstance(each, Certificate)
    ]

    assert [each.spec["issuerRef"]["name"] for each in found] == ([] if issuer is None else [issuer])


def test_a_host_in_capitals_is_one_that_an_api_server_takes() -> None:
    hosts = [
        each.spec.virtualhost.fqdn
        for each in expanded(app("{profile: voice, host: [A.example, b.EXAMPLE]}"))
        if isinstance(each, HTTPProxy) and each.spec.virtualhost is not None
    ]

    assert hosts == ["a.example", "b.example"]


def test_the_studios_figures_are_read_by_its_profiles_word() -> None:
    given = app("{profile: voice, host: a.b}")
    offered = Offered(frozenset({"ServiceMonitor"}))
    (monitor,) = (
        each
        for each in expand(given, profile_of(given, CATALOG), Target.KUBERNETES, offered)
        if isinstance(each, ServiceMonitor)
    )

    assert monitor.spec["endpoints"][0]["path"] == "/metrics"


def test_a_profile_that_cannot_do_without_a_gpu_asks_for_one() -> None:
    def limits(spec: str) -> object:
        return deployment_of(spec).spec.template.spec.containers[0].resources.limits.get("nvidia.com/gpu")

    assert limits("{profile: cosyvoice, host: a.b}") == "1"
    assert limits("{profile: cosyvoice, host: a.b, resources: {gpu: 2}}") == "2"
    assert limits("{profile: voice, host: a.b}") is None
