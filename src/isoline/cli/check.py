"""`isoline check`: everything that is wrong with manifests, all at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from isoline.apps import Target, faults, load_catalog
from isoline.cli.apply import encoded
from isoline.cli.client import Client
from isoline.cli.errors import FoundWrongError
from isoline.cli.files import Manifests, read_manifests
from isoline.cli.output import complain, say
from isoline.cluster.store import Store
from isoline.console.changes import changes_of
from isoline.console.wire import Review
from isoline.objects import App, Key
from isoline.objects.decoding import Located
from isoline.routing.admission import review
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config


def check(client: Client, paths: Sequence[Path]) -> None:
    """Prints every problem; an unknown field is one. Raises FoundWrongError if there is any.

    Where an Isoline runs, its objects count too: what would be refused beside them, and which of them would suffer.
    """
    manifests = read_manifests(paths)
    problems = [str(problem) for problem in sorted([*manifests.errors, *manifests.warnings])]
    problems += _duplicates(manifests.located)
    problems += _app_faults(manifests.located, client.target)
    problems += _route_problems(manifests, client.target)
    problems += _problems_beside_what_runs(client, manifests)
    problems = list(dict.fromkeys(problems))
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


def _app_faults(located: Sequence[Located], target: Target) -> Iterator[str]:
    catalog = load_catalog()
    for each in located:
        if isinstance(each.object, App):
            for fault in faults(each.object, catalog, target):
                yield f"{each.source}:{each.line}: {each.object.key}: {fault}"


def _route_problems(manifests: Manifests, target: Target) -> Iterator[str]:
    """What compiling says, but for what other manifests may bring."""
    store = Store(INDEXES)
    scheduler = Scheduler(
        store,
        settings_of=lambda config: settings_from_config(config, one_machine=target is Target.MACHINE),
        gateway_of=lambda config: gateway_from_config(config, http_port=80, https_port=443),
    )
    objects = {item.key: item for item in manifests.objects}
    places = {each.object.key: f"{each.source}:{each.line}" for each in manifests.located}
    found = review(scheduler.foresee(changes_of(store, objects)).previews, objects)
    for each in found.refused:
        yield f"{places[each.key]}: {each}"


def _problems_beside_what_runs(client: Client, manifests: Manifests) -> Iterator[str]:
    """What the Isoline that runs would say, with all that it holds already. Nothing when none runs."""
    if not client.runs():
        return
    found = client.post("review", encoded(manifests.objects), Review)
    places = {str(each.object.key): f"{each.source}:{each.line}: " for each in manifests.located}
    for line in found.refused:
        yield places.get(line.partition(": ")[0], "") + line
    for line in found.harmed:
        yield f"would harm another object: {line}"
