"""EndpointSlices: which port of which replica a Service leads to."""

from isoline.objects import EndpointSlice, Key
from unit.controllers.machine import RealMachine, deployment, get

PORTS = "[{name: http, containerPort: 8080}, {name: admin, containerPort: 9090}]"


def service(name: str, spec: str) -> str:
    return f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


def two_ports() -> str:
    return deployment().replace("[{containerPort: 8080}]", PORTS)


async def test_target_ports_lead_by_number_and_by_name_and_keep_the_services_names(machine: RealMachine) -> None:
    ports = (
        "ports: [{name: web, port: 80, targetPort: http, appProtocol: h2c}, {name: ops, port: 81, targetPort: 9090}]"
    )
    await machine.start(two_ports() + service("both", f"selector: {{app: web}}, {ports}"))
    await machine.until_ready(1)
    real = machine.replicas()[0].record.ports["c"]

    (found,) = machine.slices("both")

    assert [(port.name, port.port, port.app_protocol) for port in found.ports] == [
        ("web", real[8080], "h2c"),
        ("ops", real[9090], None),
    ]
    assert (await get(real[8080]))["env"]["PORT_ADMIN"] == str(real[9090])


async def test_a_target_port_that_no_container_declares_is_the_one_that_the_program_was_given(
    machine: RealMachine,
) -> None:
    text = deployment().replace("ports: [{containerPort: 8080}],", "")
    await machine.start(text)
    await machine.until(lambda: machine.ports())

    # No port is declared, so nothing is known of when it opens.
    (port,) = machine.ports()
    assert list(machine.replicas()[0].record.ports["c"].values()) == [port]


async def test_a_name_that_no_container_declares_leads_nowhere(machine: RealMachine) -> None:
    await machine.start(two_ports() + service("lost", "selector: {app: web}, ports: [{port: 80, targetPort: metrics}]"))
    await machine.until_ready(1)

    assert machine.slices("lost") == []


async def test_services_without_a_selector_keep_the_endpoints_that_somebody_gave_them(machine: RealMachine) -> None:
    own = (
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
        "metadata: {name: own, labels: {kubernetes.io/service-name: own}}\n"
        "addressType: IPv4\nendpoints: [{addresses: [192.0.2.1]}]\nports: [{port: 80}]\n"
    )
    await machine.start(deployment() + service("own", "ports: [{port: 80}]") + own)
    await machine.until_ready(1)

    (found,) = machine.slices("own")
    assert found.endpoints[0].addresses == ("192.0.2.1",)


async def test_a_service_can_ask_for_replicas_that_are_not_ready(machine: RealMachine) -> None:
    eager = service(
        "eager", "selector: {app: web}, publishNotReadyAddresses: true, ports: [{port: 80, targetPort: 8080}]"
    )
    probe = "readinessProbe: {exec: {command: ['false']}}"
    await machine.start(deployment(container=probe) + eager)
    await machine.until(lambda: machine.ports("eager"))

    assert machine.ports("web") == []


async def test_a_change_of_selector_is_followed_and_a_deleted_services_slices_go(machine: RealMachine) -> None:
    port = "ports: [{port: 80, targetPort: 8080}]"
    await machine.start(deployment() + service("s", f"selector: {{app: other}}, {port}"))
    await machine.until_ready(1)
    assert machine.slices("s") == []

    await machine.apply(service("s", f"selector: {{app: web}}, {port}"))
    await machine.until(lambda: len(machine.ports("s")) == 1)
    (owned,) = machine.slices("s")
    assert isinstance(owned, EndpointSlice)
    assert [owner.name for owner in owned.metadata.owner_references] == ["s"]

    await machine.delete(Key("Service", "default", "s"))
    await machine.until(lambda: machine.slices("s") == [])
