"""`isoline check`: everything that is wrong with manifests, all at once. Needs no running Isoline."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from isoline.apps import Target, faults, load_catalog
from isoline.cli.errors import FoundWrongError
from isoline.cli.files import Manifests, read_manifests
from isoline.cli.output import complain, say
from isoline.cluster.store import Store
from isoline.objects import App, GatewayConfig, Key
from isoline.objects.decoding import Located
from isoline.routing.compiler import compile_site
from isoline.routing.indexes import INDEXES, hosts_of
from isoline.routing.settings import GATEWAY_CONFIG, settings_from_config
from isoline.routing.view import View

# Errors that say that something is missing, and its kind: it may well be there when the manifests are applied.
_ELSEWHERE = {"SecretNotValid": "Secret", "ServiceUnresolvedReference": "Service", "IncludeNotFound": "HTTPProxy"}


def check(paths: Sequence[Path]) -> None:
    """Prints every problem; an unknown field is one. Raises FoundWrongError if there is any."""
    manifests = read_manifests(paths)
    problems = [str(problem) for problem in sorted([*manifests.errors, *manifests.warnings])]
    problems += _duplicates(manifests.located)
    problems += _app_faults(manifests.located)
    problems += _route_problems(manifests)
    for problem in problems:
        complain(problem)
    if problems:
        raise FoundWrongError(f"{len(problems)} problem{'' if len(problems) == 1 else 's'}")
    files = f"{manifests.files} file{'' if manifests.files == 1 else 's'}"
    say(f"{len(manifests.located)} object{'' if len(manifests.located) == 1 else 's'} in {files}, nothing wrong")


def _duplicates(located: Sequence[Located]) -> Iterator[str]:
    places: dict[Key, list[Located]] = defaultdict(list)
    for each in located:
        places[each.object.key].append(each)
    for key, found in places.items():
        for other in found[1:]:
            yield f"{other.source}:{other.line}: {key} is defined in {found[0].source}:{found[0].line} already"


def _app_faults(located: Sequence[Located]) -> Iterator[str]:
    catalog = load_catalog()
    for each in located:
        if isinstance(each.object, App):
            for fault in faults(each.object, catalog, Target.MACHINE):
                yield f"{each.source}:{each.line}: {each.object.key}: {fault}"


def _route_problems(manifests: Manifests) -> Iterator[str]:
    """What compiling says, but for what other manifests may bring."""
    store = Store(INDEXES)
    store.apply(manifests.objects)
    config = store.get(GATEWAY_CONFIG)
    settings = settings_from_config(config if isinstance(config, GatewayConfig) else None, one_machine=True)
    places = {each.object.key: f"{each.source}:{each.line}" for each in manifests.located}
    hosts = {host: None for item in manifests.objects for host in hosts_of(item)}
    told: set[str] = set()
    for host in hosts:
        compiled = compile_site(host, View(store, settings))
        missing = {read.kind for read in compiled.reads if isinstance(read, Key) and store.get(read) is None}
        for key, status in compiled.statuses.items():
            for error in status.errors:
                text = f"{places[key]}: {key}: {error.type} {error.reason}: {error.message}"
                if _ELSEWHERE.get(error.reason) not in missing and error.type != "Orphaned" and text not in told:
                    told.add(text)
                    yield text
