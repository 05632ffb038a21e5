"""The web application: a name, one trial after another, and an end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from convsim._loggers import logger_of
from convsim._templates import environment
from convsim._text import plain
from convsim.errors import ConvsimError, InputError
from convsim.web.blind_test.answers import MAX_NAME_CHARACTERS, Rater, join, keep, name_of, rater_of
from convsim.web.blind_test.database import Database
from convsim.web.blind_test.progress import Progress
from convsim.web.blind_test.sessions import Offers, Visit, is_secret, read_answer
from convsim.web.blind_test.study import ArenaStudy
from convsim.web.forms import Form, FormError, one, read_form
from convsim.web.security import SECURE, Access, Guard

LOG = logger_of("convsim.arena")
"""Without a handler, Python prints its warnings on standard error."""
PAGES = environment("convsim.web.blind_test", escape=True)
UNREACHABLE = (
    "Nothing was lost but this: reload the page to send it again. If that does not help, tell whoever invited you; "
    "their screen says why."
)


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Fill a template and answer with it."""
    filled = PAGES.get_template(f"{template}.html.j2").render(**values)
    return HTMLResponse(filled, status_code=status)


def notice(title: str, text: str, *, status: int) -> HTMLResponse:
    """Answer with one line under a title."""
    return page("notice", status=status, title=title, text=text, rater=None)


Handler = Callable[[Request], Awaitable[Response]]


def application(study: ArenaStudy, database: Database, *, access: Access, precision: float) -> Starlette:
    """Return the ASGI application of a blind test.

    Args:
        study: What is judged.
        database: The file of that study.
        access: Who may come in.
        precision: Half of the length of the accuracy's interval at which the page says that it is enough.
    """
    site = _Site(study, database, precision, secure=access.secure)
    routes = [
        Route("/", site.door, methods=["GET"]),
        Route("/join", site.join, methods=["POST"]),
        Route("/t/{place:int}", site.trial, methods=["GET"]),
        Route("/t/{place:int}", site.answer, methods=["POST"]),
        Route("/end", site.end, methods=["GET"]),
        Route("/return/{secret}", site.return_page, methods=["GET"]),
        Route("/return", site.come_back, methods=["POST"]),
        Route("/leave", site.leave, methods=["POST"]),
        Mount("/shared", StaticFiles(packages=[("convsim.web", "static")])),
        Mount("/static", StaticFiles(packages=[("convsim.web.blind_test", "static")])),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, access=access, cookie=f"{site.cookie}_access")],
        exception_handlers={HTTPException: _http_error},
    )


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
        except ConvsimError as error:
            site.tell(error)
            return notice("The answers cannot be reached", UNREACHABLE, status=503)

    return answered


class _Site:
    """The pages of one study."""

    def __init__(self, study: ArenaStudy, database: Database, precision: float, *, secure: bool):
        self.study, self.database = study, database
        self.progress = Progress(study, database, precision)
        self.offers = Offers()
        self.told = ""
        # Cookies are shared between the ports of a host, and so between arenas.
        self.cookie = f"{SECURE if secure else ''}convsim_{study.fingerprint[:12]}"

    @_one_line
    async def door(self, request: Request) -> Response:
        """Ask for a name, or send a rater on."""
        visit = Visit.of(request, self.cookie)
        rater = await self._rater(visit)
        if rater:
            return RedirectResponse(await self._next(rater), status_code=303)
        return self._name_page(visit)

    @_one_line
    async def join(self, request: Request) -> Response:
        """Enter a rater, under a secret that the page drew; the browser's own may be somebody else's."""
        visit = Visit.of(request, self.cookie)
        if present := await self._rater(visit):
            return RedirectResponse(await self._next(present), status_code=303)
        form = await self._own_form(request, visit)
        entering = self.offers.accepted(one(form, "offer"), visit)
        if entering is None:
            raise FormError(403, "This form is too old; open the page again.")
        typed = one(form, "name")[: 4 * MAX_NAME_CHARACTERS]
        try:
            rater = await run_in_threadpool(join, self.database, name_of(typed), entering.secret)
        except InputError as error:
            return self._name_page(visit, problem=str(error), typed=typed)
        return entering.remember(RedirectResponse(await self._next(rater), status_code=303), self.cookie)

    @_one_line
    async def trial(self, request: Request) -> Response:
        """Show a trial; one that lies ahead sends to the next."""
        visit = Visit.of(request, self.cookie)
        rater = await self._rater(visit)
        place = request.path_params["place"]
        if rater is None:
            return RedirectResponse("/", status_code=303)
        state = await run_in_threadpool(self.progress.of, rater)
        if place != state.next and place not in state.answered:
            return RedirectResponse(state.next_path, status_code=303)
        return page(
            "trial",
            rater=rater, secret=visit.secret, mark=visit.mark, mode=self.study.mode, place=place, state=state,
            sides=self.progress.shown(state, place), given=state.answered.get(place),
        )  # fmt: skip

    @_one_line
    async def answer(self, request: Request) -> Response:
        """Keep an answer and go on; the same form sent again changes nothing."""
        visit = Visit.of(request, self.cookie)
        form = await self._own_form(request, visit)
        rater = await self._rater(visit)
        if rater is None:
            return RedirectResponse("/", status_code=303)
        state = await run_in_threadpool(self.progress.of, rater)
        place = request.path_params["place"]
        if place == state.next and place <= len(state.order):
            given = read_answer(
                form, rater=rater, place=state.order[place - 1], mode=self.study.mode,
                shown=self.progress.shown(state, place),
            )  # fmt: skip
            await run_in_threadpool(keep, self.database, given)
        return RedirectResponse(await self._next(rater), status_code=303)

    @_one_line
    async def end(self, request: Request) -> Response:
        """Thank a rater who has judged everything."""
        visit = Visit.of(request, self.cookie)
        rater = await self._rater(visit)
        if rater is None:
            return RedirectResponse("/", status_code=303)
        state = await run_in_threadpool(self.progress.of, rater)
        if state.next <= len(state.order):
            return RedirectResponse(state.next_path, status_code=303)
        return page("end", rater=rater, secret=visit.secret, mark=visit.mark, state=state)

    @_one_line
    async def return_page(self, request: Request) -> Response:
        """Ask whether this browser is to be the rater of a personal link: another site may have opened it."""
        secret = request.path_params["secret"]
        rater = await self._rater(Visit(secret)) if is_secret(secret) else None
        if rater is None:
            return notice("Nobody has that link", "Open the arena's address and give your name.", status=404)
        visit = Visit.of(request, self.cookie)
        present = await self._rater(visit)
        if present == rater:
            return RedirectResponse("/", status_code=303)
        asked = page("return", rater=None, mark=visit.mark, secret=secret, name=rater.name, present=present)
        return visit.remember(asked, self.cookie)

    @_one_line
    async def come_back(self, request: Request) -> Response:
        """Recognise a rater who said on this page that it is them."""
        form = await self._own_form(request, Visit.of(request, self.cookie))
        secret = one(form, "secret")
        if not is_secret(secret) or await self._rater(Visit(secret)) is None:
            raise FormError(404, "Nobody has that link; open the arena's address and give your name.")
        return Visit(secret).remember(RedirectResponse("/", status_code=303), self.cookie)

    @_one_line
    async def leave(self, request: Request) -> Response:
        """Forget the rater in this browser, so that somebody else can join in it."""
        await self._own_form(request, Visit.of(request, self.cookie))
        response = RedirectResponse("/", status_code=303)
        response.delete_cookie(
            self.cookie, secure=self.cookie.startswith(SECURE), httponly=True, samesite="lax"
        )
        return response

    def tell(self, error: ConvsimError) -> None:
        """Say to whoever serves the test what raters need not know, such as where its file lies; once in a row."""
        if str(error) != self.told:
            self.told = str(error)
            LOG.warning("%s", plain(self.told))

    async def _own_form(self, request: Request, visit: Visit) -> Form:
        form = await read_form(request)
        if not visit.made(one(form, "mark")):
            raise FormError(403, "This form is not from this browser, or is too old; open the page again.")
        return form

    async def _rater(self, visit: Visit) -> Rater | None:
        return None if visit.is_new else await run_in_threadpool(rater_of, self.database, visit.secret)

    async def _next(self, rater: Rater) -> str:
        state = await run_in_threadpool(self.progress.of, rater)
        return state.next_path

    def _name_page(self, visit: Visit, *, problem: str = "", typed: str = "") -> Response:
        filled = page(
            "name", status=409 if problem else 200,
            rater=None, mark=visit.mark, offer=self.offers.draw(visit),
            mode=self.study.mode, n=len(self.study.trials),
            max_characters=MAX_NAME_CHARACTERS, problem=problem, typed=typed[:MAX_NAME_CHARACTERS],
        )  # fmt: skip
        return visit.remember(filled, self.cookie)


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return notice("There is no such page", "Go back to the arena.", status=status)
