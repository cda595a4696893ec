"""What must hold between the fields of an object, and the formats of our own kinds' strings."""

import pytest

from isoline.objects import decode_documents

APP = "apiVersion: isoline.dev/v1alpha1\nkind: App\nmetadata: {name: a}\nspec: "
CONFIG = "apiVersion: isoline.dev/v1alpha1\nkind: GatewayConfig\nmetadata: {name: default}\nspec: "


def told(text: str) -> list[tuple[str, str]]:
    decoded = decode_documents(text)
    assert decoded.warnings == []
    assert bool(decoded.errors) != bool(decoded.objects)
    return [(each.path, each.explanation) for each in decoded.errors]


WHOLE_APP = """
  profile: cosyvoice3
  run:
    image: x:1
    command: [python, app.py]
    args: [--port, "7860"]
    workingDir: /srv
    port: 7860
    env: [{name: A, value: b}, {name: C, valueFrom: {secretKeyRef: {name: s, key: k}}}]
    probes:
      startup: {httpGet: {path: /healthz, port: 7860}, failureThreshold: 60}
      liveness: {tcpSocket: {port: 7860}}
  host: [voice.example.com, "*.voice.example.com"]
  tls: {issuer: {name: letsencrypt}}
  resources: {gpu: 1, cpu: 500m, memory: 16Gi}
  storage:
  - {name: outputs, path: /outputs, size: 20Gi, backup: {schedule: "30 3 * * 1-5", keep: {daily: 3}}}
  - {name: voices, path: /voices, backup: {schedule: "@daily"}}
  scale: {min: 0, max: 4, targetConcurrency: 2, idleAfter: 15m}
  access:
    allow: [10.0.0.0/8, "2001:db8::1"]
    deny: [10.1.0.0/16]
    apiKeys: {secretName: keys}
    jwt: {issuer: https://id.example.com, jwks: {secretName: s, key: jwks.json}}
    oidc: {issuer: https://id.example.com, clientID: x, clientSecret: {secretName: s, key: k}}
    basic: {secretName: users}
  limits: {body: 100Mi, rate: {requests: 5, per: second, burst: 10}, concurrency: 8, timeout: infinity, idle: 5m}
  affinity: Cookie
  paths: [/, /v1/]
  upgrade:
    source: {git: https://example.com/x.git, ref: main}
    build: {command: [make], image: x}
    stagingHost: staging.example.com
    smokeTest: {path: /healthz}
    approval: Manual
    canary: {steps: [{weight: 5}, {weight: 50, pause: 1h}]}
    notify: [{secretName: chat, key: url}]
  egress: {policy: Deny, allow: [{cidr: 192.0.2.0/24, ports: [443]}]}
"""


def test_an_app_with_everything_is_accepted() -> None:
    assert told(APP + WHOLE_APP) == []


APPS = {
    "{}": ("spec", "needs a profile or run; name a catalog entry, or say what to start"),
    "{profile: x, tls: {secretName: a, selfSigned: true}}": (
        "spec.tls",
        "more than one of selfSigned, secretName and issuer is set; keep one",
    ),
    "{profile: x, scale: {min: 3, max: 2}}": ("spec.scale.max", "found 2, less than min (3)"),
    "{profile: x, scale: {min: 1, idleAfter: 5m}}": (
        "spec.scale.idleAfter",
        "an app with a min above 0 never sleeps; set min to 0",
    ),
    "{profile: x, storage: [{name: a, path: /a}, {name: a, path: /b}]}": (
        "spec.storage[1].name",
        'another volume is named "a"',
    ),
    "{run: {probes: {liveness: {}}}}": (
        "spec.run.probes.liveness",
        "has 0 actions; give exactly one of httpGet, tcpSocket, exec and grpc",
    ),
    "{run: {port: 0}}": ("spec.run.port", "found 0, 1 to 65535 is wanted"),
    "{run: {port: 65536}}": ("spec.run.port", "found 65536, 1 to 65535 is wanted"),
    "{profile: x, resources: {gpu: -1}}": ("spec.resources.gpu", "found -1, 0 or more is wanted"),
    "{profile: x, resources: {cpu: 0.5}}": (
        "spec.resources.cpu",
        "found 0.5 (a number), a string or an integer is wanted",
    ),
    "{profile: x, affinity: cookie}": (
        "spec.affinity",
        'found "cookie", allowed are: ClientIP, Cookie, None; did you mean "Cookie"?',
    ),
}


@pytest.mark.parametrize("spec", APPS)
def test_what_an_app_must_not_be(spec: str) -> None:
    assert told(APP + spec) == [APPS[spec]]


CONFIGS = {
    "{tls: {minimumVersion: '1.3', maximumVersion: '1.2'}}": (
        "spec.tls.maximumVersion",
        "is lower than minimumVersion",
    ),
    "{listeners: {http: {port: 80}, https: {port: 80}}}": (
        "spec.listeners.https.port",
        "80 is the port of the http listener already",
    ),
    "{tls: {minimumVersion: 1.2}}": (
        "spec.tls.minimumVersion",
        'found 1.2 (a number), a string is wanted; put it in quotes: "1.2"',
    ),
    "{accessLogs: [{name: a, path: a.log, otlp: 'localhost:4317'}]}": (
        "spec.accessLogs[0]",
        "exactly one of path and otlp is needed",
    ),
    "{accessLogs: [{name: a, path: a.log}, {name: a, path: b.log}]}": (
        "spec.accessLogs[1].name",
        'another log is named "a"',
    ),
    "{headers: {underscores: reject}}": (
        "spec.headers.underscores",
        'found "reject", allowed are: Allow, Drop, Reject; did you mean "Reject"?',
    ),
}


@pytest.mark.parametrize("spec", CONFIGS)
def test_what_a_gateway_config_must_not_be(spec: str) -> None:
    assert told(CONFIG + spec) == [CONFIGS[spec]]


def test_there_is_one_gateway_config() -> None:
    expected = 'found "other", only the GatewayConfig named "default" is read'
    assert told(CONFIG.replace("default", "other") + "{}") == [("metadata.name", expected)]
    assert told(CONFIG + "{}") == []


FORMATS = [
    ("timeouts: {request: 5}", "timeouts.request", 'found 5 (an integer), a string is wanted; put it in quotes: "5"'),
    ("timeouts: {request: '5'}", "timeouts.request", '"5" is a duration without a unit; write "5s" for seconds'),
    ("timeouts: {drain: -5s}", "timeouts.drain", '"-5s" is negative'),
    ("limits: {heap: 1GB}", "limits.heap", 'did you mean "1G"?'),
    ("limits: {heap: -1G}", "limits.heap", '"-1G" is negative'),
    ("listeners: {http: {address: localhost}}", "listeners.http.address", '"localhost" is no IP address'),
    ("rootNamespaces: [A_b]", "rootNamespaces[0]", '"A_b" is no name'),
]


@pytest.mark.parametrize(("text", "path", "explanation"), FORMATS)
def test_strings_of_a_gateway_config_have_their_format(text: str, path: str, explanation: str) -> None:
    ((found, words),) = told(CONFIG + "{" + text + "}")
    assert found == f"spec.{path}"
    assert explanation in words


@pytest.mark.parametrize(
    ("text", "path", "explanation"),
    [
        ("host: voice_1.example.com", "host", "is no host name"),
        ("host: '*.*.example.com'", "host", "is no host name"),
        ("host: [a.b, 'https://a.b']", "host[1]", "is no host name"),
        ("paths: [v1]", "paths[0]", 'a path starts with "/"'),
        ("access: {deny: [10.0.0.0/33]}", "access.deny[0]", "neither an address nor a network"),
        ("storage: [{name: a, path: /a, backup: {schedule: daily}}]", "storage[0].backup.schedule", "five cron fields"),
        ("upgrade: {source: {schedule: '* * * *'}}", "upgrade.source.schedule", "five cron fields"),
    ],
)
def test_strings_of_an_app_have_their_format(text: str, path: str, explanation: str) -> None:
    ((found, words),) = told(f"{APP}{{profile: x, {text}}}")
    assert found == f"spec.{path}"
    assert explanation in words


def deployment(template: str, labels: str = "{app: a}") -> str:
    head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  selector: {matchLabels: {app: a}}\n"
    return f"{head}  template: {{metadata: {{labels: {labels}}}, spec: {template}}}\n"


DEPLOYMENTS = [
    (
        deployment("{containers: [{name: a}]}", labels="{app: b}"),
        "metadata.labels",
        'the selector wants the label app: "a", which the template does not have; give both the same labels',
    ),
    (deployment("{containers: []}"), "spec.containers", "needs at least one container"),
    (
        deployment("{volumes: [{name: w}], containers: [{name: a, volumeMounts: [{name: v, mountPath: /v}]}]}"),
        "spec.containers[0].volumeMounts[0].name",
        'no volume is named "v"; volumes of this pod: w',
    ),
    (
        deployment("{containers: [{name: a}], initContainers: [{name: b, volumeMounts: [{name: v, mountPath: /v}]}]}"),
        "spec.initContainers[0].volumeMounts[0].name",
        'no volume is named "v"; volumes of this pod: none',
    ),
    (
        deployment("{containers: [{name: a, startupProbe: {grpc: {port: 1}, exec: {command: [a]}}}]}"),
        "spec.containers[0].startupProbe",
        "has 2 actions; give exactly one of httpGet, tcpSocket, exec and grpc",
    ),
]


@pytest.mark.parametrize(("text", "path", "explanation"), DEPLOYMENTS)
def test_what_a_deployment_must_not_be(text: str, path: str, explanation: str) -> None:
    assert told(text) == [(f"spec.template.{path}", explanation)]
