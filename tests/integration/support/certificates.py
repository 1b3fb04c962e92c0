"""Certificates that must not be accepted, made with the openssl CLI."""

import os
import pathlib
import subprocess

import grpc

NAMES = "DNS:localhost,DNS:operator,IP:127.0.0.1"
SPIFFE = "spiffe://daler.local"


def _openssl(*words):
    result = subprocess.run(["openssl", *words], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


def own_ca():
    folder = pathlib.Path(os.environ["DALER_CERT_DIR"]) / "ca"
    return folder / "ca.crt", folder / "ca.key"


def other_ca(folder):
    """A CA that nobody trusts, with the same name."""
    crt, key = pathlib.Path(folder) / "stranger-ca.crt", pathlib.Path(folder) / "stranger-ca.key"
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/O=Daler development/CN=Daler development CA", "-keyout", str(key), "-out", str(crt))
    return crt, key


def leaf(folder, name, alternative_names, ca=None, days="2", not_after=None):
    """(chain, key) files of a new certificate; not_after as in 20200101000000Z makes it end then."""
    folder = pathlib.Path(folder)
    ca_crt, ca_key = ca or own_ca()
    key, request, crt = (folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
    extensions = folder / f"{name}.ext"
    extensions.write_text(
        "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
        f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName={alternative_names}\n")
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
             "-keyout", str(key), "-out", str(request))
    if not_after is None:
        _openssl("x509", "-req", "-in", str(request), "-CA", str(ca_crt), "-CAkey", str(ca_key), "-set_serial", "77",
                 "-days", days, "-extfile", str(extensions), "-out", str(crt))
    else:
        _ca_sign(folder, name, request, extensions, crt, ca_crt, ca_key, not_after)
    return crt, key


def _ca_sign(folder, name, request, extensions, crt, ca_crt, ca_key, not_after):
    """`openssl ca`, which alone can set the end of the validity in the past."""
    database = folder / f"{name}.index"
    database.write_text("")
    config = folder / f"{name}.cnf"
    config.write_text(f"""[ca]
default_ca = d
[d]
database = {database}
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = p
[p]
commonName = supplied
""")
    _openssl("ca", "-batch", "-notext", "-config", str(config), "-cert", str(ca_crt), "-keyfile", str(ca_key),
             "-startdate", "20190101000000Z", "-enddate", not_after, "-extfile", str(extensions),
             "-in", str(request), "-out", str(crt))


def channel_credentials(files):
    """Credentials with the right authorities and the given (chain, key); None: without a certificate."""
    authorities = own_ca()[0].read_bytes()
    if files is None:
        return grpc.ssl_channel_credentials(authorities)
    crt, key = files
    return grpc.ssl_channel_credentials(authorities, key.read_bytes(), crt.read_bytes())
