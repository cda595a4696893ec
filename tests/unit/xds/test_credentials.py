"""The certificates of the xDS server: what is wrong with their files is told by name."""

from pathlib import Path

import pytest

from isoline.xds.credentials import CertificateFiles, CredentialsError, server_credentials


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "ca.crt")
    with pytest.raises(CredentialsError, match=r"tls\.crt: cannot be read: No such file"):
        server_credentials(files)


def test_a_file_without_pem_is_named(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "tls.crt", tmp_path / "tls.key", tmp_path / "ca.crt")
    for path in files:
        path.write_bytes(b"-----BEGIN something")
    files.key.write_bytes(b"")
    with pytest.raises(CredentialsError, match=r"tls\.key: holds no PEM"):
        server_credentials(files)
