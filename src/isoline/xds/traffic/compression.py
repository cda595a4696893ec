"""Smaller answers for clients that accept them. What has come so far is never held back for the sake of it."""

from typing import Any

from envoy.extensions.compression.brotli.compressor.v3 import brotli_pb2
from envoy.extensions.compression.gzip.compressor.v3 import gzip_pb2
from envoy.extensions.compression.zstd.compressor.v3 import zstd_pb2
from envoy.extensions.filters.http.compressor.v3 import compressor_pb2

from isoline.routing import ir
from isoline.xds.messages import extension, packed

_LIBRARIES: dict[ir.Encoding, Any] = {
    "gzip": gzip_pb2.Gzip(),
    "brotli": brotli_pb2.Brotli(),
    "zstd": zstd_pb2.Zstd(),
}


class Compressor:
    """The filter of one encoding."""

    def __init__(self, encoding: ir.Encoding) -> None:
        self._encoding: ir.Encoding = encoding
        self.NAME = f"isoline.{encoding}"

    def configuration(self, traffic: ir.Traffic) -> Any | None:
        source = traffic.compression
        if source is None or self._encoding not in source.encodings:
            return None
        # The first counts for clients to whom all are equal.
        message = compressor_pb2.Compressor(choose_first=source.encodings[0] == self._encoding)
        message.compressor_library.CopyFrom(extension(self._encoding, _LIBRARIES[self._encoding]))
        common = message.response_direction_config.common_config
        common.min_content_length.value = source.minimum
        common.content_type.extend(source.content_types)
        return packed(message)
