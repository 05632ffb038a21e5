"""The web application: a list that grows, one conversation, two side by side, comments, and what is taken away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import wraps

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from convsim._loggers import logger_of
from convsim._templates import environment
from convsim._text import plain, readable
from convsim.errors import ConvsimError, InputError
from convsim.report.html.text import name
from convsim.web.forms import FormError, one, read_form
from convsim.web.security import ASKING, Access, Guard
from convsim.web.view.comments import MAX_CHARACTERS, Comments
from convsim.web.view.export import exported_csv, exported_jsonl
from convsim.web.view.filters import ORDERS, PAGE_SIZE, Filters, Found
from convsim.web.view.index import Index, Place
from convsim.web.view.matching import PAGE_SIZE as MATCHES_A_PAGE
from convsim.web.view.matching import matches, others
from convsim.web.view.showing import MovedError, differing, load, pairs, view, whole_call
from convsim.web.view.sources import Sources

LOG = logger_of("convsim.view")
MAX_QUERY = 4_096
MAX_CHOSEN = 200
"""Conversations that can be chosen one by one."""
MAX_PAGE = 1_000_000


def _percent(score: float | None) -> str:
    if score is None:
        return "–"
    return "< 1 %" if score < 0.01 else f"{100 * score:.0f} %"


PAGES = environment("convsim.web.view", escape=True)
PAGES.filters["name"] = name
PAGES.filters["readable"] = readable
PAGES.filters["percent"] = _percent
PAGES.filters["words"] = lambda text: text.replace("_", " ")
PAGES.globals["MAX_COMMENT"] = MAX_CHARACTERS


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Fill a template and answer with it."""
    filled = PAGES.get_template(f"{template}.html.j2").render(**values)
    return HTMLResponse(filled.encode("utf-8", "replace"), status_code=status)


def notice(title: str, text: str, *, status: int) -> HTMLResponse:
    """Answer with one line under a title."""
    return page("notice", status=status, title=title, text=text)


def application(
    index: Index, sources: Sources, comments: Comments, *, access: Access, port: int
) -> Starlette:
    """Return the ASGI application of a view.

    Args:
        index: What is shown; somebody else fills it.
        sources: Where that comes from.
        comments: Where comments are kept.
        access: Who may come in.
        port: Where it is served; cookies are shared between the ports of a host, and so between views.
    """
    site = _Site(index, sources, comments)
    routes = [
        Route("/", site.home, methods=["GET"]),
        Route("/state", site.state, methods=["GET"]),
        Route("/c/{key}", site.conversation, methods=["GET"]),
        Route("/c/{key}/call/{number:int}", site.call, methods=["GET"]),
        Route("/c/{key}/comment", site.comment, methods=["POST"]),
        Route("/c/{key}/comment/{number:int}/delete", site.delete, methods=["POST"]),
        Route("/side-by-side", site.side_by_side, methods=["GET"]),
        Route("/runs", site.runs, methods=["GET"]),
        Route("/export.jsonl", site.export_jsonl, methods=["GET"]),
        Route("/export.csv", site.export_csv, methods=["GET"]),
        Mount("/shared", StaticFiles(packages=[("convsim.web", "static")])),
        Mount("/static", StaticFiles(packages=[("convsim.web.view", "static")])),
    ]
    guard = Middleware(
        Guard, access=access, cookie=f"convsim_view_{port}", policy=ASKING, max_query=MAX_QUERY
    )
    return Starlette(routes=routes, middleware=[guard], exception_handlers={HTTPException: _http_error})


def _one_line(
    handler: Callable[[_Site, Request], Awaitable[Response]],
) -> Callable[[_Site, Request], Awaitable[Response]]:
    """Answer what goes wrong with a page of one line."""

    @wraps(handler)
    async def answered(site: _Site, request: Request) -> Response:
        try:
            return await handler(site, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except FormError as error:
            return notice("That did not work", str(error), status=error.status)
        except _GoneError:
            return notice(
                "There is no such conversation", "It may have been taken out of its file.", status=404
            )
        except MovedError:
            return notice(
                "The file was written anew",
                "Go back to the list and open the conversation again.",
                status=409,
            )
        except ConvsimError as error:
            LOG.warning("%s", plain(str(error)))
            return notice("Comments cannot be reached", readable(str(error)[:500]), status=503)

    return answered


class _GoneError(Exception):
    """No conversation has that key."""


class _Site:
    """The pages."""

    def __init__(self, index: Index, sources: Sources, comments: Comments):
        self.index, self.sources, self.comments = index, sources, comments
        self.found = Found(index)

    @_one_line
    async def home(self, request: Request) -> Response:
        """Show runs, filters and the first conversations."""
        return await run_in_threadpool(self._list_page, request)

    async def state(self, request: Request) -> Response:
        """Say whether there is anything new."""
        return JSONResponse({"version": self.index.version, "reading": self.index.reading})

    def _list_page(self, request: Request) -> Response:
        filters = Filters.of(request.query_params)
        commented = self.comments.counts()
        version = self.index.version
        n = self.found.count(filters, commented)
        n_pages = max(1, -(-n // PAGE_SIZE))
        number = min(_number(request.query_params.get("page")), n_pages)
        runs = self.found.runs()
        return page(
            "list",
            filters=filters, choices=self.found.choices(), orders=ORDERS, runs=runs, n=n,
            n_all=sum(run.n for run in runs), rows=self.found.page(filters, commented, number),
            number=number, n_pages=n_pages, reading=self.index.reading, version=version,
            warnings=[readable(each[:400]) for each in list(self.sources.warnings)],
        )  # fmt: skip

    @_one_line
    async def conversation(self, request: Request) -> Response:
        """Show one conversation."""
        return await run_in_threadpool(self._conversation, request.path_params["key"])

    def _conversation(self, key: str, *, problem: str = "", typed: str = "") -> Response:
        place = self._place(key)
        run = self._run(place)
        return page(
            "conversation", status=409 if problem else 200,
            place=place, run=run, shown=view(self.index, place), others=others(self.index, place),
            comments=self.comments.of(place.id, place.fingerprint), problem=problem, typed=typed,
        )  # fmt: skip

    @_one_line
    async def call(self, request: Request) -> Response:
        """Show one call of a model, whole."""
        place = await run_in_threadpool(self._place, request.path_params["key"])
        asked = await run_in_threadpool(whole_call, self.index, place, request.path_params["number"])
        if asked is None:
            raise _GoneError
        return page("call", place=place, asked=asked)

    @_one_line
    async def comment(self, request: Request) -> Response:
        """Keep a comment."""
        form = await read_form(request)
        place = await run_in_threadpool(self._place, request.path_params["key"])
        text, about = one(form, "text"), one(form, "message")
        message = int(about) - 1 if about.isascii() and about.isdigit() and len(about) < 7 else None
        if message is not None and not 0 <= message < 1_000_000:
            message = None
        run = await run_in_threadpool(self._run, place)
        try:
            await run_in_threadpool(
                self.comments.add, place.id, place.fingerprint, run=run, message=message, text=text
            )
        except InputError as error:
            return await run_in_threadpool(self._conversation, place.key, problem=str(error), typed=text)
        return RedirectResponse(f"/c/{place.key}#comments", status_code=303)

    @_one_line
    async def delete(self, request: Request) -> Response:
        """Delete a comment."""
        place = await run_in_threadpool(self._place, request.path_params["key"])
        await run_in_threadpool(self.comments.delete, request.path_params["number"])
        return RedirectResponse(f"/c/{place.key}#comments", status_code=303)

    @_one_line
    async def side_by_side(self, request: Request) -> Response:
        """Show two conversations beside one another."""
        return await run_in_threadpool(self._side_by_side, request)

    def _side_by_side(self, request: Request) -> Response:
        places = [self._place(request.query_params.get(side, "")) for side in ("left", "right")]
        left, right = (load(place) for place in places)
        rows, n_more = pairs(left, right)
        return page(
            "side_by_side", places=places, runs=[self._run(place) for place in places], rows=rows, n_more=n_more,
            differing=differing(left, right), persona=left.persona, same=_same_persona(left, right),
            n_same=sum(row.same for row in rows),
        )  # fmt: skip

    @_one_line
    async def runs(self, request: Request) -> Response:
        """Pair what two runs have of the same persona."""
        return await run_in_threadpool(self._runs, request)

    def _runs(self, request: Request) -> Response:
        left, right = (request.query_params.get(side, "")[:500] for side in ("left", "right"))
        number = _number(request.query_params.get("page"))
        found, n = matches(self.index, left, right, number)
        return page(
            "runs", left=left, right=right, rows=found, n=n, number=number, n_pages=max(1, -(-n // MATCHES_A_PAGE)),
            names=[run.name for run in self.found.runs()],
        )  # fmt: skip

    @_one_line
    async def export_jsonl(self, request: Request) -> Response:
        """Send the selection as JSONL."""
        lines = exported_jsonl(self.index, self.comments, self._chosen(request))
        return _download(lines, "conversations.jsonl", "application/x-ndjson")

    @_one_line
    async def export_csv(self, request: Request) -> Response:
        """Send the comments on the selection as CSV."""
        lines = exported_csv(self.index, self.comments, self._chosen(request))
        return _download(lines, "comments.csv", "text/csv; charset=utf-8")

    def _chosen(self, request: Request) -> Iterator[str]:
        """Yield the keys that were ticked, or else of all that pass the filters."""
        keys = request.query_params.getlist("c")[:MAX_CHOSEN]
        if keys:
            return iter(keys)
        return self.found.keys(Filters.of(request.query_params), self.comments.counts())

    def _place(self, key: str) -> Place:
        place = self.index.place(key)
        if place is None:
            raise _GoneError
        return place

    def _run(self, place: Place) -> str:
        with self.index.connected() as connection:
            row = connection.execute("SELECT name FROM source WHERE number = ?", (place.source,)).fetchone()
        return "" if row is None else str(row[0])


def _same_persona(left: object, right: object) -> bool:
    personas = [getattr(each, "persona", None) for each in (left, right)]
    return personas[0] is not None and personas[1] is not None and personas[0].id == personas[1].id


def _download(lines: Iterator[str], file: str, kind: str) -> Response:
    written = (line.encode("utf-8", "replace") for line in lines)
    return StreamingResponse(
        written, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{file}"'}
    )


def _number(text: str | None) -> int:
    """Read a page's number; 1 for what is none."""
    return (
        min(max(int(text), 1), MAX_PAGE)
        if text and text.isascii() and text.isdigit() and len(text) < 8
        else 1
    )


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return notice("There is no such page", "Go back to the list.", status=status)
