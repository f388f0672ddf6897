"""The description of the API for people: one page made from the OpenAPI document, without scripts or outside hosts."""

import base64
import hashlib
import html
import json
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter()

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
h2 { border-bottom: 1px solid #c8ccd0; padding-bottom: .3rem; margin-top: 2.5rem }
h3 { font-family: ui-monospace, monospace; font-size: 1rem; margin: 1.8rem 0 .2rem }
.method { display: inline-block; min-width: 4.2rem; color: #0b5394 }
table { border-collapse: collapse; margin: .5rem 0 } td { padding: .15rem .8rem .15rem 0; vertical-align: top }
code, pre { font-family: ui-monospace, monospace; font-size: .88rem }
pre { background: #f4f5f7; padding: .7rem; overflow-x: auto } summary { cursor: pointer }
"""
POLICY = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def show_reference(request: Request) -> HTMLResponse:
    """Show the description of the API."""
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{POLICY}'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'",
        "Cache-Control": "no-cache",
    }
    return HTMLResponse(page(request.app.openapi()), headers=headers)


def page(document: dict[str, Any]) -> str:
    """Return an OpenAPI document as HTML: every address with its parameters, and the examples of its bodies."""
    title = html.escape(document["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{''.join(_paragraphs(document['info']['description']))}"
        '<p>The whole description, for programs: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>'
        f"{''.join(_sections(document))}</html>"
    )


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        parts = html.escape(paragraph).split("`")
        yield f"<p>{''.join(f'<code>{part}</code>' if place % 2 else part for place, part in enumerate(parts))}</p>"


def _sections(document: dict[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    for tag, operations in by_tag.items():
        yield f"<h2>{html.escape(tag)}</h2>{''.join(operations)}"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    return (
        f'<h3 id="{html.escape(operation["operationId"])}"><span class="method">{method.upper()}</span> '
        f"{html.escape(path)}</h3>{''.join(_paragraphs(operation.get('description', '')))}"
        f"{_parameters(operation.get('parameters', []))}{''.join(_examples(body.get('application/json', {})))}"
    )


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = [
        f"<tr><td><code>{html.escape(one['name'])}</code></td><td>{one['in']}</td>"
        f"<td>{'required' if one.get('required') else ''}</td><td>{html.escape(one.get('description', ''))}</td></tr>"
        for one in parameters
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _examples(content: dict[str, Any]) -> Iterator[str]:
    for name, example in content.get("examples", {}).items():
        yield _example(name, example["value"])
    for value in content.get("schema", {}).get("examples", []):
        yield _example("example", value)


def _example(name: str, value: Any) -> str:
    shown = html.escape(json.dumps(value, ensure_ascii=False, indent=2))
    return f"<details><summary>{html.escape(name)}</summary><pre>{shown}</pre></details>"
