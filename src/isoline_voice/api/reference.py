"""GET /docs: what /openapi.json says, for people. Written here, so that it needs no script and no other host."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from isoline_voice.api.page import SECURITY_HEADERS, base_of

PATH = "/docs"

_CODE = re.compile(r"`([^`\n]+)`")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_LIMITS = {
    "minimum": "at least {:g}",
    "exclusiveMinimum": "more than {:g}",
    "maximum": "at most {:g}",
    "maxLength": "at most {:g} characters",
    "maxItems": "at most {:g}",
}


def install(app: Starlette) -> None:
    """Serve the page."""
    compressed = [Middleware(GZipMiddleware)]
    app.router.routes.append(
        Route(PATH, _page, methods=["GET", "HEAD"], include_in_schema=False, middleware=compressed)
    )


async def _page(request: Request) -> Response:
    page = reference(request.app.openapi(), base=base_of(request))
    return HTMLResponse(page, headers={**SECURITY_HEADERS, "Vary": "X-Forwarded-Prefix"})


def reference(api: Mapping[str, Any], *, base: str) -> str:
    """The page for a document of OpenAPI, with the element `base` that its links start from."""
    routes = [
        (f"{method.upper()} {path}", route)
        for path, methods in api["paths"].items()
        for method, route in methods.items()
    ]
    contents = "".join(
        f'<li><a href="docs#{_anchor(name)}"><code>{html.escape(name)}</code></a> {_text(route["summary"])}</li>'
        for name, route in routes
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8" />'
        '<meta name="viewport" content="width=device-width, initial-scale=1" />'
        f'<meta name="color-scheme" content="light dark" />{base}<title>API · {_text(api["info"]["title"])}</title>'
        '<link rel="icon" href="web/icon.svg" type="image/svg+xml" /><link rel="stylesheet" href="web/style.css" />'
        '<link rel="stylesheet" href="web/parts.css" /><link rel="stylesheet" href="web/reference.css" />'
        '<link rel="stylesheet" href="web/dark.css" media="(prefers-color-scheme: dark)" /></head><body>'
        f'<header class="masthead"><div class="masthead-inner"><div><h1>API</h1><p>{_text(api["info"]["title"])}</p>'
        '</div></div></header><main class="reference">'
        f'<p><a href="./">The studio</a> · <a href="openapi.json">openapi.json</a></p>'
        f'{_paragraphs(api["info"]["description"])}<nav aria-label="Routes"><h2>Routes</h2><ul>{contents}</ul></nav>'
        f"{''.join(_route(name, route) for name, route in routes)}</main></body></html>"
    )


def _route(name: str, route: Mapping[str, Any]) -> str:
    summary = f'<h2 id="{_anchor(name)}"><code>{html.escape(name)}</code> {_text(route["summary"])}</h2>'
    parts = [summary, _paragraphs(route.get("description", ""))]
    for where in ("path", "query"):
        fields = {each["name"]: each for each in route.get("parameters", ()) if each["in"] == where}
        told = {field: {**each["schema"], **each} for field, each in fields.items()}
        parts.append(_fields(f"In the {where}", told, {field for field, each in told.items() if each.get("required")}))
    for kind, content in route.get("requestBody", {}).get("content", {}).items():
        schema = content["schema"]
        parts.append(_fields(f"Body, {kind}", schema.get("properties", {}), set(schema.get("required", ()))))
    parts.append(_answers(route["responses"]))
    return f"<section>{''.join(parts)}</section>"


def _answers(answers: Mapping[str, Any]) -> str:
    told = []
    for status, answer in answers.items():
        kinds = ", ".join(f"<code>{html.escape(kind)}</code>" for kind in answer.get("content", {}))
        headers = "".join(
            f"<br /><code>{html.escape(name)}</code> {_text(header['description'])}"
            for name, header in answer.get("headers", {}).items()
        )
        told.append(f"<dt>{status} {kinds}</dt><dd>{_text(answer['description'])}{headers}</dd>")
    return f"<h3>Answers</h3><dl>{''.join(told)}</dl>"


def _fields(title: str, fields: Mapping[str, Mapping[str, Any]], required: set[str]) -> str:
    if not fields:
        return ""
    told = "".join(
        f"<dt><code>{html.escape(name)}</code> {_text(_kind(schema))}{', required' if name in required else ''}</dt>"
        f"<dd>{_text(schema.get('description', ''))}</dd>"
        for name, schema in fields.items()
    )
    return f"<h3>{html.escape(title)}</h3><dl>{told}</dl>"


def _kind(schema: Mapping[str, Any]) -> str:
    """In words: `number, at least 0.25, at most 4, 1 when left out`."""
    told = [" or ".join(dict.fromkeys(_names(schema)))]
    for each in (schema, *schema.get("anyOf", ())):
        told += [words.format(each[limit]) for limit, words in _LIMITS.items() if limit in each]
    if schema.get("default") not in (None, "", []):
        told.append(f"{schema['default']} when left out")
    return ", ".join(told)


def _names(schema: Mapping[str, Any]) -> Iterator[str]:
    if "anyOf" in schema:
        for each in schema["anyOf"]:
            if each.get("type") != "null":
                yield from _names(each)
    elif "enum" in schema or "const" in schema:
        yield from map(str, schema.get("enum", [schema.get("const")]))
    elif schema.get("format") == "binary":
        yield "file"
    elif schema.get("type") == "array":
        yield f"list of {' or '.join(_names(schema.get('items', {})))}"
    else:
        yield str(schema.get("type", "any"))


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(part)}</p>" for part in text.split("\n\n") if part.strip())


def _text(text: str) -> str:
    """Escaped, with `code` and **bold** as such."""
    return _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", html.escape(text, quote=False)))


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
