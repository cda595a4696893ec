"""`isoline crds`: the CustomResourceDefinitions of our own kinds, to be applied to a Kubernetes cluster."""

from isoline.cli.output import say
from isoline.objects.crds import crd_documents
from isoline.objects.encoding import to_yaml


def crds() -> None:
    say(to_yaml(*crd_documents()).rstrip())
