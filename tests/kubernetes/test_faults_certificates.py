"""A certificate that nears its end is replaced, under traffic: everybody connects, and soon with the new one."""

import asyncio
import ssl
from pathlib import Path

from cryptography import x509

from kubernetes.load import HTTPS, PATIENCE, Load, app
from kubernetes.planes import Edge, listening_at, new_namespace, options_for, proxy, running
from kubernetes.rig import Api, Object, Rig


def certificate(rig: Rig, namespace: str) -> tuple[Object, int]:
    """A Secret with a new certificate for the site, and its serial number."""
    chain, key = rig.authority.issue("steady.example", ["steady.example"])
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "site", "namespace": namespace},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": chain.decode(), "tls.key": key.decode()},
    }
    return manifest, x509.load_pem_x509_certificate(chain).serial_number


async def serial(rig: Rig, address: str) -> int:
    """The serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cadata=rig.authority.certificate.decode())
    _, writer = await asyncio.open_connection(address, HTTPS, ssl=context, server_hostname="steady.example")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return x509.load_der_x509_certificate(shown).serial_number


async def until_shown(rig: Rig, address: str, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if await serial(rig, address) == wanted:
                    return
            except OSError:
                pass  # not yet: before the first one
            await asyncio.sleep(0.02)


async def test_a_certificate_is_replaced_under_traffic(rig: Rig, api: Api, tmp_path: Path) -> None:
    namespace = await new_namespace(api)
    first, number = certificate(rig, namespace)
    await api.apply(first)
    host = {"fqdn": "steady.example", "tls": {"secretName": "site"}}
    await api.apply(proxy("steady", namespace, routes=[{"services": [{"name": "app", "port": 80}]}], virtualhost=host))
    address = rig.namespace.new_address()
    options = options_for(rig, namespace, adjust=listening_at(address))
    async with (
        app(api, namespace, rig.namespace.new_address()),
        running(options),
        Edge(rig, tmp_path, options, address=address),
    ):
        await until_shown(rig, address, number)
        authority = rig.authority.certificate
        async with Load(address, "steady.example", body="hello", authority=authority) as load:
            await load.more()
            for _ in range(3):
                renewed, number = certificate(rig, namespace)
                await api.apply(renewed)
                await until_shown(rig, address, number)
                await load.more()
