"""The page: static files that ask the API. Nothing is put into HTML here, so nothing can leak."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from services.api.needs import PUBLIC

STATIC = Path(__file__).parent.parent / "static"
# Files are asked for again with their ETag, so a new version shows at once.
_HEADERS = {"Cache-Control": "no-cache"}


class Assets(StaticFiles):
    """The static files, revalidated at each use. Anybody may have them: they hold nothing."""

    is_public = True

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = _HEADERS["Cache-Control"]
        return response


def routes(version: str) -> APIRouter:
    """The addresses a browser may open; the page itself decides what to show there."""
    router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

    @router.get("/")
    async def home(request: Request) -> Response:
        """The page; for programs, which version this is."""
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"name": "Snapbus", "version": version, "docs": "/docs"})
        return _file("index.html")

    @router.get("/snapshots/{snapshot_id}")
    async def snapshot(snapshot_id: str) -> Response:
        return _file("index.html")

    @router.get("/system")
    async def system() -> Response:
        return _file("index.html")

    @router.get("/access")
    async def access() -> Response:
        return _file("index.html")

    @router.get("/docs")
    async def docs() -> Response:
        return _file("docs.html")

    @router.get("/openapi.json")
    def schema(request: Request) -> JSONResponse:
        return JSONResponse(request.app.openapi())

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return _file("icon.svg")

    return router


def assets() -> Assets:
    """Serves /static."""
    return Assets(directory=STATIC)


def _file(name: str) -> FileResponse:
    return FileResponse(STATIC / name, headers=_HEADERS)
