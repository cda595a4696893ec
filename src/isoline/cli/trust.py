"""`isoline trust`: the local certificate authority in the system's store, and a word on browsers."""

import hashlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from isoline.cli.errors import FoundWrongError
from isoline.cli.output import say
from isoline.cluster.state import StateFolder


class SystemStore(NamedTuple):
    """Where a system keeps authorities that its owner added, and what makes it read them."""

    folder: Path
    update: tuple[str, ...]


STORES = (
    SystemStore(Path("/usr/local/share/ca-certificates"), ("update-ca-certificates",)),
    SystemStore(Path("/etc/pki/ca-trust/source/anchors"), ("update-ca-trust", "extract")),
    SystemStore(Path("/etc/ca-certificates/trust-source/anchors"), ("update-ca-trust",)),
)


def trust(state: Path, *, remove: bool, stores: tuple[SystemStore, ...] = STORES) -> None:
    """Adds or removes the authority. Raises FoundWrongError with the command to give where it may not."""
    authority = StateFolder(state).ca_certificate
    if not authority.exists() and not remove:
        raise FoundWrongError(f"{authority} is not there: `isoline up` makes it when the first certificate is needed")
    store = next((each for each in stores if each.folder.is_dir() and shutil.which(each.update[0])), None)
    if store is None:
        raise FoundWrongError(f"no store of authorities is known on this system. {_elsewhere(authority)}")
    # One name a state folder, so that two of them do not replace each other's.
    installed = store.folder / f"isoline-{hashlib.blake2b(os.fsencode(state), digest_size=4).hexdigest()}.crt"
    change = f"rm -f {shlex.quote(str(installed))}" if remove else shlex.join(["cp", str(authority), str(installed)])
    try:
        if remove:
            installed.unlink(missing_ok=True)
        else:
            shutil.copyfile(authority, installed)
            installed.chmod(0o644)
    except PermissionError as error:
        command = f"sudo sh -c {shlex.quote(f'{change} && {shlex.join(store.update)}')}"
        raise FoundWrongError(f"{store.folder} may be changed by root only. Run this:\n  {command}") from error
    answer = subprocess.run(store.update, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise FoundWrongError(f"{shlex.join(store.update)} failed: {answer.stderr.strip() or answer.stdout.strip()}")
    say(f"{'no longer trusted' if remove else 'trusted'} by this system: {installed}")
    if not remove:
        say(_elsewhere(authority))


def _elsewhere(authority: Path) -> str:
    path = shlex.quote(str(authority))
    return (
        "Browsers have stores of their own:\n"
        "  Firefox            Settings, Privacy & Security, View Certificates, Authorities, Import…\n"
        "  Chrome, Chromium   certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n isoline -i "
        f"{path}   (package libnss3-tools)\n"
        f"  one command only   curl --cacert {path}, SSL_CERT_FILE, REQUESTS_CA_BUNDLE, NODE_EXTRA_CA_CERTS"
    )
