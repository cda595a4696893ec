"""Where traffic arrives stands in statuses: what a person says, or what the Service before the Envoys has got."""

from functools import partial

from isoline.objects import Key
from kubernetes.planes import new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Object, Rig


def ingress(name: str, namespace: str) -> Object:
    backend = {"service": {"name": "app", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"rules": [{"host": f"{name}.example", "http": {"paths": paths}}]},
    }


async def test_the_addresses_of_the_envoy_service_follow_it_into_every_status(rig: Rig, api: Api) -> None:
    namespace, elsewhere = await new_namespace(api), await new_namespace(api)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "envoy", "namespace": elsewhere},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }
    await api.apply(service)
    await api.apply(proxy("p", namespace))
    await api.apply(ingress("i", namespace))
    options = options_for(rig, namespace, envoy_service=Key("Service", elsewhere, "envoy"))
    async with running(options):
        for given in ([{"ip": "192.0.2.1", "ipMode": "VIP"}], [{"hostname": "edge.example"}]):
            await api.apply_status({**service, "status": {"loadBalancer": {"ingress": given}}})
            for kind, name in (("HTTPProxy", "p"), ("Ingress", "i")):
                await api.wait(kind, name, partial(tells, given), namespace=namespace)


async def test_an_object_is_written_once_and_after_a_restart_not_again(rig: Rig, api: Api) -> None:
    namespace = await new_namespace(api)
    given = [{"ip": "192.0.2.1"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "envoy", "namespace": namespace},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }
    await api.apply(service)
    await api.apply_status({**service, "status": {"loadBalancer": {"ingress": given}}})
    names = [f"p{number}" for number in range(20)]
    await api.apply_all([proxy(name, namespace) for name in names])
    options = options_for(rig, namespace, envoy_service=Key("Service", namespace, "envoy"))
    async with running(options) as plane:
        for name in names:
            await api.wait("HTTPProxy", name, partial(tells, given), namespace=namespace)
        await plane.source.statuses.idle()
        assert plane.source.statuses.written == len(names)
    async with running(options) as plane:
        await api.apply(proxy("last", namespace))
        await api.wait("HTTPProxy", "last", partial(tells, given), namespace=namespace)
        await plane.source.statuses.idle()
        assert plane.source.statuses.written == 1


def tells(given: list[dict[str, str]], item: Object) -> bool:
    return plain(item.get("status", {}).get("loadBalancer", {}).get("ingress", [])) == plain(given)


def plain(found: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{key: each[key] for key in ("ip", "hostname") if key in each} for each in found]
