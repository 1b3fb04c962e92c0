"""Tokens that auth would not make: expired, forged, altered."""

import base64
import json
import os
import pathlib
import subprocess
import tempfile
import time


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token):
    """(header, claims) of a token."""
    header, claims, _ = token.split(".")
    return json.loads(unb64(header)), json.loads(unb64(claims))


def own_key():
    """The environment's signing key: a file."""
    return pathlib.Path(os.environ["DALER_HOME"]) / "secrets" / "auth-signing.key"


def other_key(folder):
    """A signing key that auth does not know."""
    path = pathlib.Path(folder) / "other.key"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(path)],
                   check=True, capture_output=True)
    return path


def _raw_signature(der):
    """r and s, 32 bytes each, out of the DER of an ECDSA signature."""
    assert der[0] == 0x30
    at, numbers = 2, []
    for _ in range(2):
        assert der[at] == 0x02
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big"))
        at += 2 + length
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def sign(key, header, claims):
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode())
        file.flush()
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(key), file.name], check=True,
                             capture_output=True).stdout
    return f"{text}.{b64(_raw_signature(der))}"


def altered(token, key, header=None, **claims):
    """The token with other header fields and claims (None: without), signed with the key."""
    old_header, old_claims = parts(token)
    new_claims = {name: value for name, value in {**old_claims, **claims}.items() if value is not None}
    return sign(key, {**old_header, **(header or {})}, new_claims)


def expired(token):
    now = int(time.time())
    return altered(token, own_key(), iat=now - 4000, nbf=None, exp=now - 3000)


def unsigned(token):
    header, claims = parts(token)
    return f"{b64(json.dumps({**header, 'alg': 'none'}).encode())}.{b64(json.dumps(claims).encode())}."
