"""The answer to a Kubernetes admission review (admission.k8s.io/v1), for a webhook to send."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isoline.cluster.store import Change, Store
from isoline.console.changes import changes_of
from isoline.objects.decoding import decode_object, find_kind_of
from isoline.objects.errors import Finding, ObjectError
from isoline.routing.admission import Review, review
from isoline.routing.foresight import Foresight

Foreseer = Callable[[Sequence[Change]], Foresight]

_UNPROCESSABLE = 422


def admission_answer(request: Mapping[str, Any], store: Store, foresee: Foreseer) -> dict[str, Any]:
    """Return the AdmissionReview that answers one.

    What the compiler would refuse is denied with every error. Whom else it would harm, and what has to come yet, are
    warnings: who deletes a namespace, or applies a Service after the proxy that names it, must not be stopped.
    """
    asked = request.get("request") or {}
    try:
        found = _review(asked, store, foresee)
    except ObjectError as error:
        return _answer(asked, [str(problem) for problem in error.problems], [])
    warnings = [
        *(f"would harm {each}" for each in found.harmed),
        *(f"until what it needs is there, {each}" for each in found.awaited),
        *(str(each) for each in found.warnings),
    ]
    return _answer(asked, [str(each) for each in found.refused], warnings)


def _review(asked: Mapping[str, Any], store: Store, foresee: Foreseer) -> Review:
    deleted = asked.get("operation") == "DELETE"
    data = asked.get("oldObject" if deleted else "object")
    if not isinstance(data, dict) or isinstance(find_kind_of(data), Finding):
        # Nothing that we compile.
        return review({}, ())
    item = decode_object(data)
    changes = changes_of(store, {}, [item.key]) if deleted else changes_of(store, {item.key: item})
    return review(foresee(changes).previews, () if deleted else {item.key})


def _answer(asked: Mapping[str, Any], errors: Sequence[str], warnings: Sequence[str]) -> dict[str, Any]:
    response: dict[str, Any] = {"uid": asked.get("uid", ""), "allowed": not errors}
    if errors:
        response["status"] = {"code": _UNPROCESSABLE, "reason": "Invalid", "message": "\n".join(errors)}
    if warnings:
        response["warnings"] = list(warnings)
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
