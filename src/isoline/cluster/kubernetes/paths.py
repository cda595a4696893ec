"""Where objects are in an API server's tree of URLs."""

from isoline.objects.registry import Kind


def collection(kind: Kind, namespace: str | None = None) -> str:
    """Return the path of all objects of a kind, of one namespace where one is given."""
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
    where = f"/namespaces/{namespace}" if namespace and kind.namespaced else ""
    return f"{root}{where}/{kind.plural}"


def item(kind: Kind, namespace: str, name: str, *, part: str = "") -> str:
    """Return the path of one object, or of a subresource of it, such as `status`."""
    path = f"{collection(kind, namespace)}/{name}"
    return f"{path}/{part}" if part else path
