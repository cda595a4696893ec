"""Which objects are ours: ingress classes."""

from collections.abc import Mapping

from isoline.routing.settings import Settings

_ANNOTATIONS = ("projectcontour.io/ingress.class", "kubernetes.io/ingress.class")


def is_ours(annotations: Mapping[str, str], class_name: str, settings: Settings) -> bool:
    """Return whether an object's class is the one that this gateway serves.

    Annotations beat the field, an empty annotation falls through. Without a configured class, no class and `contour`
    match; with one, only itself does (Contour's rule).
    """
    for name in _ANNOTATIONS:
        if annotations and annotations.get(name):
            class_name = annotations[name]
            break
    if settings.ingress_class:
        return class_name == settings.ingress_class
    return class_name in {"", "contour"}
