"""Decoding tells everything that is wrong, with file, line, path, what was found and what is allowed."""

import textwrap
from typing import Any

import pytest

from isoline.objects import (
    App,
    ConfigMap,
    Deployment,
    EndpointSlice,
    HTTPProxy,
    ObjectError,
    Service,
    decode_documents,
    decode_object,
)
from isoline.objects.checking import Checker

PROXY = """\
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: voice}
spec:
  virtualhost: {fqdn: voice.example.com}
"""


def proxy_with(text: str) -> str:
    return PROXY + textwrap.indent(textwrap.dedent(text), "  ")


def problems(text: str) -> list[tuple[int, str, str, str]]:
    decoded = decode_documents(text)
    return [(each.line, each.path, each.message, each.hint) for each in decoded.errors + decoded.warnings]


PORT = "routes:\n- services:\n  - name: a\n    port: "
PORT_PATH = "spec.routes[0].services[0].port"
MISTAKES = {
    "a mapping for a list": (
        "routes: {}",
        6,
        "spec.routes",
        "found a mapping, a list is wanted; start each item with '- '",
    ),
    "a scalar for a mapping": ("routes: [5]", 6, "spec.routes[0]", "found 5 (an integer), a mapping is wanted"),
    "nothing for a mapping": ("routes: [~]", 6, "spec.routes[0]", "found nothing (null), a mapping is wanted"),
    "a quoted boolean": (
        "routes:\n- enableWebsockets: 'true'",
        7,
        "spec.routes[0].enableWebsockets",
        'found "true" (a string), true or false is wanted; remove the quotes: true',
    ),
    "an integer for a boolean": (
        "routes:\n- enableWebsockets: 1",
        7,
        "spec.routes[0].enableWebsockets",
        "found 1 (an integer), true or false is wanted",
    ),
    "a quoted integer": (
        PORT + "'80'",
        9,
        PORT_PATH,
        'found "80" (a string), an integer is wanted; remove the quotes: 80',
    ),
    "a fraction for an integer": (PORT + "80.5", 9, PORT_PATH, "found 80.5 (a number), an integer is wanted"),
    "a word for an integer": (PORT + "http", 9, PORT_PATH, 'found "http" (a string), an integer is wanted'),
    "a field that is not there": (
        "routes:\n- services:\n  - port: 80",
        8,
        "spec.routes[0].services[0].name",
        "required field is missing",
    ),
    "a number for a string": (
        "ingressClassName: 1.10",
        6,
        "spec.ingressClassName",
        'found 1.1 (a number, written as 1.10), a string is wanted; put it in quotes: "1.10"',
    ),
    "a word that YAML takes for a boolean": (
        "ingressClassName: on",
        6,
        "spec.ingressClassName",
        'found true (a boolean, written as on), a string is wanted; put it in quotes: "on"',
    ),
    "a list for a string": ("ingressClassName: [a]", 6, "spec.ingressClassName", "found a list, a string is wanted"),
    "a misspelt field": (
        "includes:\n- name: a\n  conditions:\n  - prefx: /",
        9,
        "spec.includes[0].conditions[0].prefx",
        'unknown field; did you mean "prefix"?',
    ),
    "a field in the wrong case": ("Routes: []", 6, "spec.Routes", 'unknown field; did you mean "routes"?'),
    "a field a level too high": (
        "fqdn: a.example",
        6,
        "spec.fqdn",
        'unknown field; did you mean "virtualhost.fqdn"?',
    ),
    "a field that is like no other": (
        "tcpproxy: {include: {name: a, zzz: 1}}",
        6,
        "spec.tcpproxy.include.zzz",
        "unknown field; allowed: name, namespace",
    ),
}


@pytest.mark.parametrize(("text", "line", "path", "explanation"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_has_its_line_path_and_cure(text: str, line: int, path: str, explanation: str) -> None:
    decoded = decode_documents(proxy_with(text))
    assert [(each.line, each.path, each.explanation) for each in decoded.errors + decoded.warnings] == [
        (line, path, explanation)
    ]


def test_a_problem_prints_as_one_line() -> None:
    decoded = decode_documents(proxy_with("routes:\n- servces: []"), source="voice.yaml")
    (warning,) = decoded.warnings
    assert (
        str(warning)
        == 'voice.yaml:7: HTTPProxy default/voice: spec.routes[0].servces: unknown field; did you mean "services"?'
    )
    assert decoded.errors == []


def test_an_unknown_field_leaves_the_object_usable() -> None:
    decoded = decode_documents(proxy_with("routes:\n- servces: []\n  permitInsecure: true"))
    (proxy,) = decoded.objects
    assert isinstance(proxy, HTTPProxy)
    assert proxy.spec.routes[0].permit_insecure
    assert len(decoded.warnings) == 1


def test_every_mistake_of_every_document_is_told() -> None:
    text = "---\n".join(
        [
            proxy_with("routes: 5\ningressClassName: 6\nincludes:\n- {name: 7, namspace: x}\n"),
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: x}, {}]}\n",
            "a: [\n",
            PROXY,
        ]
    )
    decoded = decode_documents(text, source="a.yaml")
    assert [(each.document, each.path) for each in decoded.errors] == [
        (1, "spec.routes"),
        (1, "spec.ingressClassName"),
        (1, "spec.includes[0].name"),
        (2, "spec.ports[0].port"),
        (2, "spec.ports[1].port"),
        (3, ""),
    ]
    assert [each.path for each in decoded.warnings] == ["spec.includes[0].namspace"]
    assert [(str(each.object.key), each.document, each.line, each.source) for each in decoded.located] == [
        ("HTTPProxy default/voice", 4, 18, "a.yaml")
    ]


NOT_KNOWN = {
    "kind: HTTPProxy": ("apiVersion", "required field is missing"),
    "apiVersion: v1": ("kind", "required field is missing"),
    "apiVersion: 1\nkind: Service": ("apiVersion", "found 1 (an integer), a string is wanted"),
    "apiVersion: v1\nkind: Servce": ("kind", 'unknown kind "Servce" of v1; did you mean "Service"?'),
    "apiVersion: v1\nkind: httpproxy": ("kind", 'unknown kind "httpproxy" of v1; did you mean "HTTPProxy"?'),
    "apiVersion: extensions/v1beta1\nkind: Ingress": (
        "apiVersion",
        'found "extensions/v1beta1", Ingress is known as networking.k8s.io/v1',
    ),
    "just text": ("", 'found "just text" (a string), an object with apiVersion and kind is wanted'),
    "- a\n- b": ("", "found a list, an object with apiVersion and kind is wanted"),
}


@pytest.mark.parametrize("text", NOT_KNOWN)
def test_what_is_no_known_kind(text: str) -> None:
    (error,) = decode_documents(text).errors
    assert (error.path, error.explanation) == NOT_KNOWN[text]


def test_a_kind_that_is_like_no_other_is_told_all_that_are_known() -> None:
    ((_, _, message, hint),) = problems("apiVersion: batch/v1\nkind: CronJob")
    assert message == 'unknown kind "CronJob" of batch/v1'
    assert hint.startswith("known are: App, GatewayConfig, TrafficPolicy, HTTPProxy")


@pytest.mark.parametrize(
    ("kind", "metadata", "path", "message", "hint"),
    [
        ("Service", "{}", "metadata.name", "required field is missing", ""),
        ("Service", "{name: ''}", "metadata.name", "required field is missing", ""),
        ("Service", "{generateName: a-}", "metadata.name", "required field is missing", "generateName is for"),
        ("Service", "{name: a.b}", "metadata.name", '"a.b" is no name', 'did you mean "a-b"?'),
        ("ConfigMap", "{name: My_Map}", "metadata.name", '"My_Map" is no name', 'did you mean "my-map"?'),
        ("ConfigMap", "{name: -a}", "metadata.name", '"-a" is no name', "begin and end with a letter or digit"),
        ("ConfigMap", f"{{name: {'a' * 254}}}", "metadata.name", "254 characters, at most 253", ""),
        ("Service", f"{{name: {'a' * 64}}}", "metadata.name", "64 characters, at most 63", ""),
        ("ConfigMap", "{name: a, namespace: A}", "metadata.namespace", '"A" is no namespace name', 'did you mean "a"?'),
        (
            "Namespace",
            "{name: a, namespace: b}",
            "metadata.namespace",
            "Namespace belongs to no namespace",
            "remove it",
        ),
        (
            "ConfigMap",
            "{name: 5}",
            "metadata.name",
            "found 5 (an integer), a string is wanted",
            'put it in quotes: "5"',
        ),
        ("ConfigMap", "{name: a, labels: {x: 1}}", "metadata.labels.x", "found 1 (an integer)", 'in quotes: "1"'),
        ("ConfigMap", "{name: a, labels: {a/b: }}", 'metadata.labels["a/b"]', "found nothing (null)", 'write "" for'),
        ("ConfigMap", "{name: a, label: {}}", "metadata.label", "unknown field", 'did you mean "labels"?'),
    ],
)
def test_names_and_metadata(kind: str, metadata: str, path: str, message: str, hint: str) -> None:
    ((_, found, told, cure),) = problems(f"apiVersion: v1\nkind: {kind}\nmetadata: {metadata}")
    assert found == path
    assert message in told
    assert hint in cure


def test_a_dotted_name_is_fine_where_kubernetes_has_it_so() -> None:
    assert problems("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-root-ca.crt}") == []


def test_missing_metadata() -> None:
    assert problems("apiVersion: v1\nkind: ConfigMap") == [(1, "metadata", "required field is missing", "")]


def test_the_namespace_is_default_unless_given() -> None:
    text = "apiVersion: v1\nkind: {}\nmetadata: {{name: a{}}}\n---\n"
    objects = decode_documents(
        text.format("ConfigMap", "") + text.format("ConfigMap", ", namespace: b") + text.format("Namespace", "")
    )
    assert [str(item.key) for item in objects.objects] == ["ConfigMap default/a", "ConfigMap b/a", "Namespace a"]


def test_duplicate_keys_are_an_error_and_leave_the_object_out() -> None:
    decoded = decode_documents(PROXY + "  routes: []\n  routes: []\n", source="a.yaml")
    assert [str(each) for each in decoded.errors] == [
        "a.yaml:7: spec.routes: the key is there twice; keep one of the two"
    ]
    assert decoded.objects == []


def test_lists_are_taken_apart_and_items_are_known_by_their_place() -> None:
    text = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
- apiVersion: v1
  kind: ServiceList
  items:
  - metadata: {name: b}
  - metadata: {name: c}
    spec:
      ports: [{port: x}]
- 7
"""
    decoded = decode_documents(text)
    assert [(str(each.object.key), each.line) for each in decoded.located] == [
        ("ConfigMap default/a", 4),
        ("Service default/b", 8),
    ]
    assert [(each.line, each.subject, each.path) for each in decoded.errors] == [
        (11, "Service default/c", "items[1].items[1].spec.ports[0].port"),
        (12, "", "items[2]"),
    ]


def test_an_empty_list_is_nothing() -> None:
    for items in ("[]", "null"):
        decoded = decode_documents(f"apiVersion: v1\nkind: List\nmetadata: {{}}\nitems: {items}")
        assert decoded == ([], [], [])


def test_json_problems_have_lines_too() -> None:
    text = (
        '{"apiVersion": "v1",\n "kind": "Service", "metadata": {"name": "a"},\n "spec": {\n  "ports": [{"port": "x"}]}}'
    )
    assert [(line, path) for line, path, _, _ in problems(text)] == [(4, "spec.ports[0].port")]


def test_what_is_no_utf8_is_told_with_its_line() -> None:
    decoded = decode_documents(b"a: 1\nb: \xff\n", source="x.yaml")
    assert [str(each) for each in decoded.errors] == ["x.yaml:2: not UTF-8 text; save the file as UTF-8"]


def test_what_a_cluster_prints_decodes_without_a_warning() -> None:
    """`kubectl get -o yaml` and `kubectl create --dry-run` write nulls, managed fields and statuses of their own."""
    text = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  creationTimestamp: null
  name: a
  managedFields: [{manager: kubectl, fieldsV1: {f:spec: {}}}]
  selfLink: /x
spec:
  selector: {matchLabels: {app: a}}
  strategy: {}
  template:
    metadata: {creationTimestamp: null, labels: {app: a}}
    spec:
      containers: [{name: a, image: b, resources: {}, securityContext: {runAsUser: 5}}]
      affinity: {nodeAffinity: {anything: [goes]}}
      nodeSelector: null
status: {fieldOfTomorrow: 1}
"""
    decoded = decode_documents(text)
    assert (decoded.errors, decoded.warnings) == ([], [])
    (deployment,) = decoded.objects
    assert isinstance(deployment, Deployment)
    assert deployment.spec.template.spec.node_selector == {}
    assert deployment.spec.template.spec.affinity == {"nodeAffinity": {"anything": ["goes"]}}


def test_kubernetes_defaults() -> None:
    text = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: a, readinessProbe: {httpGet: {port: http}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2], conditions: {ready: false}}]
ports: null
"""
    deployment, service, endpoints = decode_documents(text).objects
    assert isinstance(deployment, Deployment)
    assert (deployment.spec.replicas, deployment.spec.progress_deadline_seconds) == (1, 600)
    pod = deployment.spec.template.spec
    assert (pod.restart_policy, pod.termination_grace_period_seconds) == ("Always", 30)
    probe = pod.containers[0].readiness_probe
    assert probe is not None
    assert (probe.period_seconds, probe.timeout_seconds, probe.failure_threshold, probe.success_threshold) == (
        10,
        1,
        3,
        1,
    )
    assert probe.http_get is not None
    assert (probe.http_get.path, probe.http_get.scheme, probe.http_get.port) == ("/", "HTTP", "http")
    assert isinstance(service, Service)
    assert (service.spec.type, service.spec.ports[0].protocol, service.spec.ports[0].target_port) == (
        "ClusterIP",
        "TCP",
        None,
    )
    assert isinstance(endpoints, EndpointSlice)
    assert [each.ready for each in endpoints.endpoints] == [True, False]
    assert endpoints.ports == ()


def test_contours_enumerations_are_left_to_the_compiler() -> None:
    text = proxy_with(
        """\
        routes:
        - services: [{name: a, protocol: quic}]
          loadBalancerPolicy: {strategy: Whatever}
          timeoutPolicy: {response: soon}
          healthCheckPolicy: {}
        """
    ).replace("{fqdn: voice.example.com}", "{}")
    assert problems(text) == []


def test_good_manifests_never_take_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("the slow check was asked")

    monkeypatch.setattr(Checker, "check", never)
    text = "---\n".join(proxy_with("routes: [{services: [{name: a, port: 80}]}]\n") for _ in range(1000))
    assert len(decode_documents(text).objects) == 1000


class TestOneObject:
    """`decode_object` reads what an API server sends."""

    def test_unknown_fields_are_ignored(self) -> None:
        value = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a", "new": 1},
            "data": {"x": "y"},
            "later": {},
        }
        item = decode_object(value)
        assert isinstance(item, ConfigMap)
        assert item.data == {"x": "y"}
        assert value["metadata"] == {"name": "a", "new": 1}

    def test_json_text(self) -> None:
        assert (
            str(decode_object(b'{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}').key)
            == "Namespace a"
        )

    def test_all_problems_are_raised(self) -> None:
        with pytest.raises(ObjectError) as raised:
            decode_object(
                {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "A"}, "spec": {"ports": [{"port": "x"}]}}
            )
        assert [each.path for each in raised.value.problems] == ["metadata.name", "spec.ports[0].port"]
        assert "Service default/A" in str(raised.value)

    @pytest.mark.parametrize("data", [b"{", b"[]", b"5", b'{"kind": "Service"}'])
    def test_what_is_no_object(self, data: bytes) -> None:
        with pytest.raises(ObjectError):
            decode_object(data)


@pytest.mark.parametrize(("host", "hosts"), [("a.example.com", 1), ("[a.example.com, b.example.com]", 2), ("[]", 0)])
def test_one_host_or_several(host: str, hosts: int) -> None:
    text = f"apiVersion: isoline.dev/v1alpha1\nkind: App\nmetadata: {{name: a}}\nspec: {{profile: x, host: {host}}}\n"
    (app,) = decode_documents(text).objects
    assert isinstance(app, App)
    assert app.spec.hosts == ("a.example.com", "b.example.com")[:hosts]
