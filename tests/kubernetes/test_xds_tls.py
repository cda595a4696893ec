"""The stream to Envoy over mutual TLS: who has no certificate gets nothing, and a renewal restarts nobody."""

import asyncio
import base64
import contextlib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from isoline.cli.certgen import MANAGER, certgen
from isoline.cli.control_plane_flags import certificates
from isoline.cli.control_plane_options import Address
from isoline.cli.errors import UsedWronglyError
from isoline.cluster.kubernetes.client import Client
from isoline.cluster.kubernetes.kubeconfig import from_kubeconfig
from isoline.cluster.kubernetes.secrets import OwnSecrets
from isoline.controllers import xds_certificates
from isoline.controllers.xds_certificates import AUTHORITY, CONTROL_PLANE, ENVOY
from isoline.envoy.remote import XdsTls
from isoline.xds.credentials import CertificateFiles
from kubernetes.planes import Edge, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Rig


def files(folder: Path) -> CertificateFiles:
    return CertificateFiles(folder / "tls.crt", folder / "tls.key", folder / "ca.crt")


async def made_in(folder: Path, *, anew: bool = False) -> None:
    await asyncio.to_thread(certgen, namespace="gateway", folder=folder, anew=anew)


async def test_with_certificates_it_serves_and_goes_on_serving_when_all_of_them_are_replaced(
    rig: Rig, api: Api, tmp_path: Path
) -> None:
    namespace = await new_namespace(api)
    await made_in(tmp_path)
    await api.apply(proxy("secured", namespace, "one"))
    address = rig.namespace.new_address()
    control_plane, envoy = tmp_path / CONTROL_PLANE, tmp_path / ENVOY
    options = options_for(rig, namespace, adjust=listening_at(address), xds_certificates=files(control_plane))
    tls = XdsTls(
        authority=envoy / "ca.crt", certificate=envoy / "tls.crt", key=envoy / "tls.key", resources=tmp_path / "sds"
    )
    async with running(options) as plane, Edge(rig, tmp_path, options, address=address, tls=tls) as edge:
        await edge.until_body("secured.example", "one")
        await made_in(tmp_path, anew=True)
        await api.apply(proxy("secured", namespace, "two"))
        await edge.until_body("secured.example", "two")
        # The stream that stands is none the wiser; a new one needs the new certificates on both sides.
        before = plane.server.stats.streams
        await plane.server.stop()
        await plane.server.start()
        await api.apply(proxy("secured", namespace, "three"))
        await edge.until_body("secured.example", "three")
        assert plane.server.stats.streams > before


@pytest.mark.parametrize("proof", ["none", "of another CA"])
async def test_who_has_no_certificate_of_ours_is_turned_away(rig: Rig, api: Api, tmp_path: Path, proof: str) -> None:
    namespace = await new_namespace(api)
    ours, others = tmp_path / "ours", tmp_path / "others"
    await made_in(ours)
    await made_in(others)
    async with running(options_for(rig, namespace, xds_certificates=files(ours / CONTROL_PLANE))) as plane:
        context = ssl.create_default_context(cafile=str(ours / ENVOY / "ca.crt"))
        context.set_alpn_protocols(["h2"])
        if proof != "none":
            context.load_cert_chain(others / ENVOY / "tls.crt", others / ENVOY / "tls.key")
        xds = plane.options.xds
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await first_words(xds, context)
        assert plane.server.stats.streams == 0


async def test_the_leader_renews_what_is_due_in_its_secrets(
    rig: Rig, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = await new_namespace(api)
    client = Client(from_kubeconfig([rig.kubeconfig]))
    secrets = OwnSecrets(client, namespace, manager=MANAGER)
    long_ago = xds_certificates.LIFETIME * 0.9
    await xds_certificates.renew(secrets, namespace=namespace, now=_now() - long_ago)
    before = await secrets.read(ENVOY)
    assert before is not None
    monkeypatch.setattr("isoline.cli.control_plane.LOOK_AT_CERTIFICATES_SECONDS", 0.05)
    async with running(options_for(rig, namespace, rotate_in=namespace)):
        changed = await api.wait(
            "Secret", ENVOY, lambda item: item["data"]["tls.crt"] != _base64(before["tls.crt"]), namespace=namespace
        )
    assert changed["data"]["ca.crt"] == _base64(before["ca.crt"])
    assert await secrets.read(AUTHORITY) is not None
    await client.close()


def test_private_keys_leave_the_machine_only_when_asked_for_by_name(tmp_path: Path) -> None:
    everywhere = Address("0.0.0.0", 8001)
    with pytest.raises(UsedWronglyError, match=r"isoline certgen.*\n?.*--insecure"):
        certificates(everywhere, None, None, None, insecure=False)
    assert certificates(everywhere, None, None, None, insecure=True) is None
    assert certificates(Address("127.0.0.1", 8001), None, None, None, insecure=False) is None
    with pytest.raises(UsedWronglyError, match="give all three"):
        certificates(everywhere, tmp_path, None, None, insecure=False)


async def first_words(xds: Address, context: ssl.SSLContext) -> bytes:
    """What the server says to who begins to speak HTTP/2."""
    # With TLS 1.3 a refusal comes with the first read.
    reader, writer = await asyncio.open_connection(xds.host, xds.port, ssl=context, server_hostname="isoline")
    try:
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        said = await reader.read(100)
    finally:
        writer.close()
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            await writer.wait_closed()
    if not said:
        raise ConnectionResetError("hung up")
    return said


def _now() -> datetime:
    return datetime.now(UTC)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
