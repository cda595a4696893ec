"""What looks after an App in a cluster: who issues its certificate, who reads its figures, which nodes it runs on."""

from collections.abc import AsyncIterator

import pytest

from isoline.objects.crds import crd_documents
from kubernetes.foreign import CERTIFICATES, SERVICE_MONITORS
from kubernetes.planes import defined, emptied_of_apps, new_namespace, options_for, running
from kubernetes.rig import Api, ApiError, Object, Rig
from kubernetes.test_operator import accepted, app, condition


@pytest.fixture
async def namespace(api: Api) -> AsyncIterator[str]:
    """A namespace of a cluster that knows Apps."""
    (definition,) = (each for each in crd_documents() if each["spec"]["names"]["kind"] == "App")
    name = await new_namespace(api)
    async with defined(api, definition), emptied_of_apps(api, name):
        yield name


async def gone(api: Api, kind: str, name: str, namespace: str) -> bool:
    try:
        await api.get(kind, name, namespace=namespace)
    except ApiError:
        return True
    return False


async def test_nodes_are_emptied_of_several_replicas_one_by_one_and_of_a_single_one_at_once(
    rig: Rig, api: Api, namespace: str
) -> None:
    async with running(options_for(rig, namespace)):
        await api.apply(app(namespace, scale={"min": 3}))
        await api.wait("App", "hello", accepted, namespace=namespace)
        budget = await api.get("PodDisruptionBudget", "hello", namespace=namespace)
        deployment = await api.get("Deployment", "hello", namespace=namespace)
        await api.apply(app(namespace))
        await api.wait("App", "hello", accepted, namespace=namespace)
        assert await gone(api, "PodDisruptionBudget", "hello", namespace)
    assert (budget["spec"]["maxUnavailable"], budget["spec"]["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]


async def test_replicas_run_on_the_nodes_that_the_app_names(rig: Rig, api: Api, namespace: str) -> None:
    taint = {"key": "reserved", "operator": "Equal", "value": "speech", "effect": "NoSchedule"}
    scheduling = {"nodeSelector": {"disk": "fast"}, "tolerations": [taint]}
    async with running(options_for(rig, namespace)):
        await api.apply(app(namespace, scheduling=scheduling, resources={"gpu": 1}))
        await api.wait("App", "hello", accepted, namespace=namespace)
        pod = (await api.get("Deployment", "hello", namespace=namespace))["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"disk": "fast"}
    gpus = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert pod["tolerations"] == [gpus, taint]


async def test_data_goes_with_the_app_only_where_the_app_says_so(rig: Rig, api: Api, namespace: str) -> None:
    def storage(when_deleted: str) -> list[Object]:
        kept = {"name": "models", "path": "/models"}
        return [kept, {"name": "cache", "path": "/cache", "whenDeleted": when_deleted}]

    async def owners() -> dict[str, list[str]]:
        claims = await api.list_all("PersistentVolumeClaim", namespace=namespace)
        return {
            each["metadata"]["name"]: [owner["uid"] for owner in each["metadata"].get("ownerReferences", ())]
            for each in claims
        }

    async with running(options_for(rig, namespace)):
        await api.apply(app(namespace, storage=storage("Delete")))
        found = await api.wait("App", "hello", accepted, namespace=namespace)
        uid = found["metadata"]["uid"]
        assert await owners() == {"hello-cache": [uid], "hello-models": []}
        # A mind may be changed, and then changed again.
        await api.apply(app(namespace, storage=storage("Retain")))
        await api.wait("App", "hello", accepted, namespace=namespace)
        assert await owners() == {"hello-cache": [], "hello-models": []}
        await api.apply(app(namespace, storage=storage("Delete")))
        await api.wait("App", "hello", accepted, namespace=namespace)
        assert await owners() == {"hello-cache": [uid], "hello-models": []}
        # To leave a volume out is not to delete an App.
        await api.apply(app(namespace))
        await api.wait("App", "hello", accepted, namespace=namespace)
        assert (await owners()).keys() == {"hello-cache", "hello-models"}


async def test_cert_manager_is_asked_for_a_certificate_from_when_it_is_there(
    rig: Rig, api: Api, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isoline.cluster.kubernetes.reflector.ABSENT_SECONDS", 0.2)
    issued = app(namespace, host=["hello.example", "Hallo.example"], tls={"issuer": {"name": "acme"}})
    async with running(options_for(rig, namespace)):
        await api.apply(issued)
        before = await api.wait("App", "hello", accepted, namespace=namespace)
        unmet = condition(before, "FullyActedOn")
        assert unmet["reason"] == "NoCertManager"
        assert "spec.tls.issuer" in unmet["message"]
        assert "install cert-manager" in unmet["message"]
        async with defined(api, CERTIFICATES):
            found = await api.wait("Certificate", "hello-tls", lambda _: True, namespace=namespace)
            assert found["spec"]["secretName"] == "hello-tls"
            assert found["spec"]["dnsNames"] == ["hello.example", "hallo.example"]
            assert found["spec"]["issuerRef"] == {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "acme"}
            proxy = await api.get("HTTPProxy", "hello", namespace=namespace)
            assert proxy["spec"]["virtualhost"]["tls"]["secretName"] == "hello-tls"

            refused = {"type": "Ready", "status": "False", "reason": "Failed", "message": "the order was refused"}
            who = {key: found[key] for key in ("apiVersion", "kind")}
            metadata = {"name": "hello-tls", "namespace": namespace}
            await api.apply_status({**who, "metadata": metadata, "status": {"conditions": [refused]}})
            told = await api.wait(
                "App",
                "hello",
                lambda each: condition(each, "CertificateReady")["status"] == "False",
                namespace=namespace,
            )
            assert condition(told, "CertificateReady")["message"] == "the order was refused"
            assert condition(told, "FullyActedOn")["status"] == ""

            await api.apply(app(namespace, tls={"secretName": "mine"}))
            await api.wait("App", "hello", accepted, namespace=namespace)
            assert await gone(api, "Certificate", "hello-tls", namespace)
        # The kind goes, and the App is looked at again.
        await api.apply(issued)
        await api.wait(
            "App", "hello", lambda each: condition(each, "FullyActedOn")["status"] == "False", namespace=namespace
        )


async def test_prometheus_is_told_of_figures_and_let_in_to_read_them(rig: Rig, api: Api, namespace: str) -> None:
    async with defined(api, SERVICE_MONITORS), running(options_for(rig, namespace)):
        await api.apply(app(namespace, metrics={"path": "/figures", "interval": "1m"}))
        await api.wait("App", "hello", accepted, namespace=namespace)
        monitor = await api.get("ServiceMonitor", "hello", namespace=namespace)
        service = await api.get("Service", "hello", namespace=namespace)
        policy = await api.get("NetworkPolicy", "hello", namespace=namespace)
        await api.apply(app(namespace))
        await api.wait("App", "hello", accepted, namespace=namespace)
        assert await gone(api, "ServiceMonitor", "hello", namespace)
    assert monitor["spec"]["endpoints"] == [{"port": "http", "path": "/figures", "interval": "1m"}]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [each["name"] for each in service["spec"]["ports"]] == ["http"]
    (rule,) = policy["spec"]["ingress"]
    namespaces = [each["namespaceSelector"]["matchLabels"] for each in rule["from"]]
    assert namespaces == [{"projectcontour.io/enabled": "true"}, {"isoline.dev/monitoring": "true"}]
