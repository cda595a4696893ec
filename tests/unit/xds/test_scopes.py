"""A scope turns to other routes when Envoy has them."""

from isoline.routing import ir
from isoline.xds import names, types
from isoline.xds.render import render_site
from isoline.xds.resources import Name, Resource
from isoline.xds.scopes import NO_SCOPES, Turning, turned
from unit.xds.support import TO_HTTPS, respond

GATEWAY = ir.Gateway(http=ir.Listener(address="127.0.0.1", port=80), https=None)
HOST = "a.example"
SCOPE = Name(types.SCOPE, names.scope("http", HOST))
REDIRECTED, SERVED = (TO_HTTPS,), (respond("hello"),)


def step(routes: tuple[ir.Route, ...], before: Turning) -> tuple[dict[Name, Resource], Turning]:
    resources, turning = turned(render_site(ir.Site(host=HOST, http=routes), GATEWAY), before)
    return {each.name: each for each in resources}, turning


def test_a_scope_that_comes_waits_for_nothing() -> None:
    resources, turning = step(SERVED, NO_SCOPES)
    assert resources[SCOPE].needs == ()
    assert turning.ahead == frozenset()


def test_a_scope_that_turns_waits_for_routes_that_are_named_ahead() -> None:
    _, redirected = step(REDIRECTED, NO_SCOPES)
    resources, served = step(SERVED, redirected)
    own = Name(types.ROUTES, SCOPE.name)
    ahead = Name(types.SCOPE, names.ahead(own.name))
    assert resources[SCOPE].needs == (ahead, own)
    assert resources[ahead].needs == ()
    # While it is so, whatever else changes; and no longer.
    again, still = step((respond("other"),), served)
    assert again.keys() == resources.keys()
    back, _ = step(REDIRECTED, still)
    redirects = Name(types.SCOPE, names.ahead(names.REDIRECT_ROUTES))
    assert back[SCOPE].needs == (redirects, Name(types.ROUTES, names.REDIRECT_ROUTES))
    assert back.keys() == {SCOPE, redirects}


def test_the_scope_itself_is_the_same_whether_it_turned_or_not() -> None:
    straight, _ = step(SERVED, NO_SCOPES)
    turned_, _ = step(SERVED, step(REDIRECTED, NO_SCOPES)[1])
    assert straight[SCOPE].version == turned_[SCOPE].version
