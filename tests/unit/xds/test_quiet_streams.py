"""A stream on which nothing happens is asked by Envoy every half minute whether it is still there, for days."""

import asyncio
from pathlib import Path

import h2.config
import h2.connection
import h2.events

from isoline.xds.cache import Cache
from isoline.xds.server import Server

STREAM = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


async def test_a_quiet_stream_is_not_cut_off_however_often_it_is_asked_for(tmp_path: Path) -> None:
    server = Server(Cache(), address=f"unix:{tmp_path}/xds.sock", on_rejected=lambda *_: None)
    await server.start()
    try:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "xds.sock")
        envoy = h2.connection.H2Connection(h2.config.H2Configuration())
        envoy.initiate_connection()
        envoy.send_headers(
            1,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":authority", "xds"),
                (":path", STREAM),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
            ],
        )
        answered = 0
        for number in range(10):
            envoy.ping(number.to_bytes(8, "big"))
            while answered == number:
                writer.write(envoy.data_to_send())
                received = await asyncio.wait_for(reader.read(65_536), 30)
                assert received
                events = envoy.receive_data(received)
                assert not [each for each in events if isinstance(each, h2.events.ConnectionTerminated)]
                answered += sum(isinstance(each, h2.events.PingAckReceived) for each in events)
        writer.close()
    finally:
        await server.stop()
