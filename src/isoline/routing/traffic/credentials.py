"""API keys, and user names with passwords."""

import base64
import binascii
import hashlib
from collections.abc import Iterator

from isoline.objects import Secret
from isoline.objects.traffic_policy_access import APIKeys, BasicAuth
from isoline.routing import ir
from isoline.routing.httpproxy import header_names
from isoline.routing.traffic.place import Place
from isoline.routing.traffic.secrets import secret_of

_PLAIN = "kubernetes.io/basic-auth"
_SHA = "{SHA}"


def compile_api_keys(setting: APIKeys, place: Place) -> ir.ApiKeys:
    """Return whose keys are good. Raises Fault for a Secret that is missing, empty or ambiguous."""
    for field in ("header", "client_header"):
        _check_header(getattr(setting, field), field, place)
    if not setting.header:
        raise place.at("header").invalid("must not be empty")
    place_of_secret = place.at("secretName")
    secret = secret_of(setting.secret_name, place_of_secret)
    name = f'Secret "{place.namespace}/{setting.secret_name}"'
    clients: dict[bytes, str] = {}
    for client, value in sorted(secret.data.items()):
        key = bytes(value).strip()
        if not key or not _is_visible(key):
            text = f'{name} holds no key under "{client}": a key is of visible ASCII characters'
            raise place_of_secret.missing("SecretInvalid", text)
        if key in clients:
            text = f'{name} holds one key for two clients, "{clients[key]}" and "{client}"'
            raise place_of_secret.missing("SecretInvalid", text)
        clients[key] = client
    if not clients:
        raise place_of_secret.missing("SecretInvalid", f"{name} is empty")
    return ir.ApiKeys(
        clients=tuple((client, ir.PrivateBytes(key)) for key, client in clients.items()),
        header=setting.header.lower(),
        query=setting.query,
        client_header=setting.client_header.lower(),
    )


def compile_basic_auth(setting: BasicAuth, place: Place) -> ir.BasicAuth:
    """Return whose passwords are good, by their SHA-1, which is what Envoy checks. Raises Fault."""
    _check_header(setting.user_header, "user_header", place)
    place_of_secret = place.at("secretName")
    secret = secret_of(setting.secret_name, place_of_secret)
    users: dict[str, str] = {}
    for user, digest in _plain(secret, place_of_secret) or _lines(secret, setting.key, place_of_secret):
        if user in users:
            raise place_of_secret.missing("SecretInvalid", f'the user "{user}" has two passwords')
        users[user] = digest
    if not users:
        text = f'Secret "{place.namespace}/{setting.secret_name}" has no user under "{setting.key}"'
        raise place_of_secret.missing("SecretInvalid", text)
    text = "".join(f"{user}:{_SHA}{digest}\n" for user, digest in users.items())
    return ir.BasicAuth(users=ir.PrivateBytes(text.encode()), user_header=setting.user_header.lower())


def _plain(secret: Secret, place: Place) -> list[tuple[str, str]]:
    """The one user of a Secret that holds a password as it is; none of another type."""
    if secret.type != _PLAIN:
        return []
    name, password = (bytes(secret.data.get(key, b"")) for key in ("username", "password"))
    user = name.decode(errors="replace")
    if not password or not _is_user(user):
        text = "username and password are needed, and the name is of visible characters without a colon"
        raise place.missing("SecretInvalid", text)
    return [(user, base64.b64encode(hashlib.sha1(password, usedforsecurity=False).digest()).decode())]


def _lines(secret: Secret, key: str, place: Place) -> Iterator[tuple[str, str]]:
    text = bytes(secret.data.get(key, b"")).decode(errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        user, colon, password = line.strip().partition(":")
        if not colon or not _is_user(user):
            raise place.missing("SecretInvalid", f'line {number} of "{key}" is no user, colon and password')
        if not password.startswith(_SHA) or not _is_digest(password.removeprefix(_SHA)):
            text = f'the password on line {number} of "{key}" is not of the form {_SHA}; write it with htpasswd -s'
            raise place.missing("SecretInvalid", text)
        yield user, password.removeprefix(_SHA)


def _is_user(text: str) -> bool:
    return bool(text) and text.isprintable() and ":" not in text


def _is_digest(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == hashlib.sha1(usedforsecurity=False).digest_size
    except (binascii.Error, ValueError):
        return False


def _is_visible(text: bytes) -> bool:
    return all(0x21 <= character <= 0x7E for character in text)


def _check_header(name: str, field: str, place: Place) -> None:
    if name and not header_names.is_name(name):
        first, *rest = field.split("_")
        raise place.at(first + "".join(map(str.capitalize, rest))).invalid(f"{name!r} is no header name")
