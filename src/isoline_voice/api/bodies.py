"""Reading a request's body: bounded, in memory, and forgiving about its declared type."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import parse_qsl

from pydantic_core import from_json
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from isoline_voice.api.errors import ApiError, Fault

LINGER_BYTES = 64 * 1024 * 1024
LINGER_SECONDS, SILENCE_SECONDS = 300.0, 10.0
"""How much of a refused upload is still taken, for how long, and after how much silence it is cut off."""


def _too_large(limit: int, what: str, param: str | None) -> ApiError:
    message = f"{what} is larger than {limit} bytes; send less."
    return ApiError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Fault(message, param, "request_too_large"))


def _malformed(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, Fault(message, None, "malformed_body"))


@contextlib.asynccontextmanager
async def _upload(request: Request) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """The body's chunks. When the body is refused the rest of it is taken all the same and let go.

    An answer that comes in the middle of an upload is lost on most clients: they, and the gateway, see a connection
    that breaks instead of the error that says why.
    """
    chunks = request.stream()
    try:
        yield chunks
    except ApiError:
        taken = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS), asyncio.timeout(SILENCE_SECONDS) as silence:
                async for chunk in chunks:
                    silence.reschedule(asyncio.get_running_loop().time() + SILENCE_SECONDS)
                    taken += len(chunk)
                    if taken > LINGER_BYTES:
                        break
        raise


async def read_bounded(request: Request, *, limit: int) -> bytes:
    """The whole body; raises ApiError 413 if it is longer than `limit` bytes, of which no more are kept."""
    async with _upload(request) as chunks:
        _refuse_declared_length(request, limit=limit)
        body = bytearray()
        async for chunk in chunks:
            if len(body) + len(chunk) > limit:
                raise _too_large(limit, "The body", None)
            body += chunk
        return bytes(body)


async def spool(request: Request, file: BinaryIO, *, limit: int) -> int:
    """Write the whole body to `file` and give its length in bytes; raises ApiError 413 if it is more than `limit`."""
    async with _upload(request) as chunks:
        _refuse_declared_length(request, limit=limit)
        taken = 0
        async for chunk in chunks:
            taken += len(chunk)
            if taken > limit:
                raise _too_large(limit, "The body", None)
            await asyncio.to_thread(file.write, chunk)
        return taken


def _refuse_declared_length(request: Request, *, limit: int) -> None:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit, "The body", None)


def decode_json(body: bytes) -> dict[str, Any]:
    """A JSON object; raises ApiError 400 that says where it breaks."""
    try:
        data = from_json(body)
    except ValueError as error:
        raise _malformed(f"The body is not valid JSON: {error}.") from error
    if not isinstance(data, dict):
        raise _malformed('The body must be a JSON object such as {"input": "Hello"}.')
    return data


async def read_json(request: Request, *, limit: int) -> dict[str, Any]:
    """The body as a JSON object, whatever its content type says: `curl -d` calls everything a form."""
    return decode_json(await read_bounded(request, limit=limit))


class Form(NamedTuple):
    """A body's `fields`, and of a multipart form the content of its `files` by field; file names are not kept."""

    fields: dict[str, Any]
    files: dict[str, bytes]


async def read_fields(request: Request, *, limit: int, file_limit: int) -> Form:
    """The fields of a JSON body or a form, and the files that came with a multipart form.

    All files together are at most `file_limit` bytes and stay in memory. Raises ApiError.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"multipart/form-data":
        return await _read_multipart(request, options.get(b"boundary", b""), limit=limit, file_limit=file_limit)
    body = await read_bounded(request, limit=limit + file_limit)
    if kind != b"application/x-www-form-urlencoded" or body.lstrip()[:1] in (b"{", b"["):
        return Form(decode_json(body), {})
    try:
        return Form(dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")), {})
    except ValueError as error:
        raise _malformed(f"The form cannot be read: {error}.") from error


class _Form:
    """Collects a multipart form's text fields and files."""

    def __init__(self, *, limit: int, file_limit: int) -> None:
        self.fields: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.ended = False
        self._limit = limit
        self._file_limit = file_limit
        self._text_bytes = 0
        self._file_bytes = 0
        self._header = (bytearray(), bytearray())
        self._disposition: dict[bytes, bytes] = {}
        self._value = bytearray()

    def parser(self, boundary: bytes) -> MultipartParser:
        """The parser whose events come here."""
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def _begin(self) -> None:
        self._disposition = {}
        self._value = bytearray()

    def _end_header(self) -> None:
        name, value = self._header
        if bytes(name).lower() == b"content-disposition":
            self._disposition = parse_options_header(bytes(value))[1]
        self._header = (bytearray(), bytearray())

    def _data(self, data: bytes, start: int, end: int) -> None:
        if b"filename" in self._disposition:
            self._file_bytes += end - start
            if self._file_bytes > self._file_limit:
                raise _too_large(self._file_limit, "The prompt audio", self._name())
        else:
            self._text_bytes += end - start
            if self._text_bytes > self._limit:
                raise _too_large(self._limit, "The text of the form", self._name())
        self._value += data[start:end]

    def _end(self) -> None:
        if b"filename" in self._disposition:
            self.files[self._name()] = bytes(self._value)
            return
        try:
            self.fields[self._name()] = self._value.decode()
        except UnicodeDecodeError as error:
            raise _malformed(f"The form field {self._name()!r} is not UTF-8: {error}.") from error

    def _finish(self) -> None:
        self.ended = True

    def _name(self) -> str:
        return self._disposition.get(b"name", b"").decode(errors="replace")


async def _read_multipart(request: Request, boundary: bytes, *, limit: int, file_limit: int) -> Form:
    form = _Form(limit=limit, file_limit=file_limit)
    async with _upload(request) as chunks:
        _refuse_declared_length(request, limit=limit + file_limit)
        try:
            parser = form.parser(boundary)
            async for chunk in chunks:
                parser.write(chunk)
            parser.finalize()
        except FormParserError as error:
            raise _malformed(f"The multipart form cannot be read: {error}.") from error
    if not form.ended:
        raise _malformed("The multipart form ends before its last boundary.")
    return Form(dict(form.fields), form.files)
