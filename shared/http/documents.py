"""`/docs`, `/openapi.json` and `/asyncapi.json`. The page's assets come with a package: no internet needed."""

from functools import cache
from importlib.resources import files

import orjson
from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response

from shared.http.problems import HttpFault
from shared.http.responses import JSON_MEDIA_TYPE

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fbf"/>'
    '<path d="M9 7h7a9 9 0 0 1 0 18H9z" fill="#fff"/><path d="M13 11v10h3a5 5 0 0 0 0-10z" fill="#1f5fbf"/></svg>'
)
_CACHE_A_DAY = {"cache-control": "public, max-age=86400"}


class NoSuchAsset(HttpFault):
    status = 404
    slug = "no-such-resource"
    title = "There is nothing at this address"


router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi_document(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "openapi_bytes"):
        state.openapi_bytes = orjson.dumps(request.app.openapi())
    return Response(state.openapi_bytes, media_type=JSON_MEDIA_TYPE)


@router.get("/asyncapi.json")
async def asyncapi_document(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "asyncapi_bytes"):
        # Only who asks for it pays for the schemas.
        from shared.events import asyncapi

        service = state.service
        document = asyncapi.document(service.name, service.publishes, service.subscriptions.topics)
        state.asyncapi_bytes = orjson.dumps(document)
    return Response(state.asyncapi_bytes, media_type=JSON_MEDIA_TYPE)


@router.get("/docs")
async def docs_page(request: Request) -> HTMLResponse:
    """Every operation, with a form to try it."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/favicon.ico",
        swagger_ui_parameters={
            "persistAuthorization": True,
            "displayRequestDuration": True,
            "defaultModelsExpandDepth": 0,
            "tryItOutEnabled": True,
        },
    )


@router.get("/favicon.ico")
async def favicon() -> Response:
    return Response(FAVICON, media_type="image/svg+xml", headers=_CACHE_A_DAY)


@router.get("/docs/{name}")
async def docs_asset(name: str) -> Response:
    if name not in ASSETS:
        raise NoSuchAsset(f"the documentation has no part {name}")
    return Response(_asset(name), media_type=ASSETS[name], headers=_CACHE_A_DAY)


@cache
def _asset(name: str) -> bytes:
    return (files("fastapi_offline") / "static" / name).read_bytes()
