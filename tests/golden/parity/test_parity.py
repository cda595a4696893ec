"""What Contour said of the corpus and answered, as `make parity` recorded it: Isoline says and answers the same."""

import functools
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from e2e.support import Isoline
from isoline.cluster.store import Store
from isoline.controllers.statuses import extension_status, proxy_status
from isoline.objects import ExtensionService, HTTPProxy
from isoline.objects.decoding import decode_documents
from isoline.objects.encoding import to_dict
from isoline.objects.meta import Object
from isoline.routing.gateway import gateway_from_config
from isoline.routing.indexes import INDEXES
from isoline.routing.scheduler import Scheduler
from isoline.routing.settings import settings_from_config
from parity import cases, corpus, report, settings
from parity.echo import Echoes
from parity.report import Answers, Row
from parity.statuses import by_name
from unit.xds.edge import free_port

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def with_date(item: corpus.Object, date: str) -> corpus.Object:
    return {**item, "metadata": {**item["metadata"], "creationTimestamp": date, "generation": 1}}


def decoded(everything: corpus.Corpus) -> tuple[Object, ...]:
    config = settings.gateway_config(everything, http_port=80, https_port=443)
    dated = [with_date(each, OLD) for each in everything.at_first] + [with_date(each, NEW) for each in everything.later]
    found = decode_documents(yaml.dump_all([config, *dated], Dumper=yaml.CSafeDumper))
    assert not found.errors, found.errors
    return tuple(found.objects)


def status_of(item: Object, found: Any) -> Any:
    if isinstance(item, HTTPProxy):
        return proxy_status(item, found, now=0.0)
    return extension_status(item, found, now=0.0) if isinstance(item, ExtensionService) else None


@functools.cache
def statuses() -> dict[str, Any]:
    """What Isoline says of each object of the corpus."""
    store = Store(INDEXES)
    store.apply(decoded(corpus.load()))
    scheduler = Scheduler(
        store,
        settings_of=partial(settings_from_config, one_machine=True),
        gateway_of=partial(gateway_from_config, http_port=80, https_port=443),
    )
    found = {key: status for update in scheduler.start() for key, status in update.statuses.items()}
    items = [item for kind in ("HTTPProxy", "ExtensionService") for item in store.of_kind(kind)]
    return by_name([{**to_dict(item), "status": to_dict(status_of(item, found.get(item.key)))} for item in items])


def wrong(rows: list[Row], part: str) -> str:
    return report.text([row for row in rows if row.part == part and row.verdict == "wrong"])


def test_every_status_is_contours_or_better() -> None:
    recorded = report.recorded()
    about = {name: status for name, status in recorded.statuses.items() if not name.startswith("Ingress ")}
    rows = report.compare(Answers(about, {}), Answers(statuses(), {}))
    assert len(rows) == len(about) > 200
    assert not wrong(rows, "status")


def test_the_corpus_has_every_reason_that_contour_gives_through_an_api_server() -> None:
    """The list is Contour's documentation's; what the schema refuses before Contour sees it cannot be in the corpus."""
    reasons = {
        finding["reason"]
        for status in report.recorded().statuses.values()
        for condition in status.get("conditions", ())
        for finding in (*condition.get("errors", ()), *condition.get("warnings", ()))
    }
    assert REASONS - reasons == set()


REASONS = {
    *("DuplicateVhost", "RootProxyNotAllowedInNamespace", "NothingDefined", "IgnoredField", "Orphaned"),
    *("TLSConfigNotValid", "TLSIncompatibleFeatures", "SecretNotValid", "DelegationNotPermitted"),
    *("FallbackNotDelegated", "ClientValidationInvalid", "CACertificateNotDelegated"),
    *("IncludeNotFound", "RootIncludesRoot", "IncludeCreatesCycle", "DuplicateMatchConditions"),
    *("PathMatchConditionsNotValid", "HeaderMatchConditionsNotValid", "QueryParameterMatchConditionsNotValid"),
    *("RouteActionCountNotValid", "RequestHeadersPolicyInvalid", "ResponseHeaderPolicyInvalid"),
    *("ResponseHeadersPolicyInvalid", "CookieRewritePoliciesInvalid", "TimeoutPolicyNotValid"),
    *("RateLimitPolicyNotValid", "RequestRedirectPolicy", "MustHavePrefix", "DuplicateReplacement"),
    *("AmbiguousReplacement", "ServiceUnresolvedReference", "TLSUpstreamValidation", "SlowStartInvalid"),
    *("OnlyOneMirror", "TLSMustBeConfigured", "NoServicesAndInclude", "IncompatibleIPAddressFilters"),
    *("InvalidCIDR", "IPFilterPolicyNotValid", "PolicyDidNotParse", "AuthNotPermitted", "AuthBadResourceVersion"),
    *("AuthResponseTimeoutInvalid", "ExtensionServiceNotFound", "JWTVerificationNotPermitted"),
    *("DuplicateProviderName", "MultipleDefaultProvidersSpecified", "RemoteJWKSURIInvalid"),
    *("RemoteJWKSSchemeInvalid", "RemoteJWKSTimeoutInvalid", "RemoteJWKSCacheDurationInvalid"),
    *("RemoteJWKSUpstreamValidationInvalid", "RemoteJWKSCACertificateNotDelegated", "JWTProviderNotDefined"),
    "InvalidJWTVerificationPolicy",
}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Isoline]:
    """The corpus, served from a directory, with the echo behind it."""
    ports = corpus.Ports(free_port(), free_port())
    everything = corpus.load(network="127.77", ports=ports)
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    isoline = Isoline(tmp_path, manifests)
    config = settings.gateway_config(everything, http_port=isoline.http_port, https_port=isoline.https_port)
    write(manifests / "corpus.yaml", [config, *everything.at_first])
    with Echoes(everything.backends, ports):
        isoline.up()
        until_answered(isoline, "plain.routes.example")
        write(manifests / "later.yaml", everything.later)
        until_answered(isoline, "checked.patience.example")
        try:
            yield isoline
        finally:
            isoline.interrupt()


def write(path: Path, items: list[corpus.Object]) -> None:
    path.write_text(yaml.dump_all(items, Dumper=yaml.CSafeDumper, sort_keys=False))


def ask(isoline: Isoline, case: cases.Case) -> list[cases.Answer]:
    return cases.ask(case, "127.0.0.1", isoline.http_port, isoline.https_port)


def until_answered(isoline: Isoline, host: str) -> None:
    deadline = time.monotonic() + 60
    while ask(isoline, cases.Case(name="witness", host=host))[0].status != 200:
        assert time.monotonic() < deadline, isoline.said()
        time.sleep(0.1)


@pytest.mark.xdist_group("parity")
def test_every_request_is_answered_as_by_contour_or_better(gateway: Isoline) -> None:
    requests = cases.load()
    answers = {each.name: msgspec.to_builtins(ask(gateway, each)) for each in requests}
    recorded = report.recorded().traffic
    assert len(requests) == len(recorded) > 100
    assert not wrong(report.compare(Answers({}, recorded), Answers({}, answers)), "traffic")
