"""What whoever runs a server asks of it, beside the pages: whether it is well, and its counters."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cxr_core import __version__
from cxr_core.settings import settings
from dashboard.counters import Counters, healthy

_PROMETHEUS = "text/plain; version=0.0.4"
_SWITCHED_OFF = "Counters are switched off by the setting `metrics` (CXR_METRICS).\n"


def operation_routes(counters: Counters) -> list[Route]:
    """Return /healthz and /metrics; both are asked in a thread, so that no page waits for them."""

    def healthz(_request: Request) -> Response:
        is_well, seconds = healthy()
        said = {"status": "ok" if is_well else "the workspace cannot be used", "version": __version__}
        return JSONResponse(said | {"seconds": round(seconds, 3)}, 200 if is_well else 503)

    def metrics(_request: Request) -> Response:
        if not settings().metrics:
            return PlainTextResponse(_SWITCHED_OFF, 404)
        return Response(counters.text(), media_type=_PROMETHEUS)

    return [Route("/healthz", healthz), Route("/metrics", metrics)]
