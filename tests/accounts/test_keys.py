"""Keys that sign access tokens: three algorithms, names of keys, and changing from one to the next."""

from __future__ import annotations

import io

import jwt
import pytest
from django.core.management import call_command

from accounts.actions.session import start_session
from accounts.tokens import access_token

ME, KEYS = "/api/v1/me", "/.well-known/jwks.json"


def new_key(kind):
    out = io.StringIO()
    call_command("new_key", kind, stdout=out)
    return out.getvalue().strip()


def pair(kind):
    """A private and a public key in PEM, as the command prints them."""
    private, _, public = new_key(kind).partition("-----BEGIN PUBLIC KEY-----")
    return private, "-----BEGIN PUBLIC KEY-----" + public


@pytest.fixture(scope="module")
def pairs():
    return {kind: (pair(kind.lower()), pair(kind.lower())) for kind in ("RS256", "ES256")}


@pytest.fixture
def signing(settings):
    """`signing(**fields)` changes auth.jwt."""

    def change(**fields):
        auth = settings.CONFIG.auth
        changed = auth.model_copy(update={"jwt": auth.jwt.model_copy(update=fields)})
        settings.CONFIG = settings.CONFIG.model_copy(update={"auth": changed})

    return change


def me(api, token):
    return api(None).get(ME, headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("method", ["RS256", "ES256"])
def test_others_can_check_tokens_with_the_published_key(api, browse, cast, signing, pairs, method):
    (private, _public), _ = pairs[method]
    signing(signing_method=method, private_key=private)
    token = access_token(start_session(cast.owner))
    assert me(api, token) == 200
    answer = browse(None).get(KEYS)
    assert "public" in answer["Cache-Control"]
    [published] = answer.json()["keys"]
    assert not {"d", "p", "q"} & set(published)
    assert (published["alg"], published["use"]) == (method, "sig")
    assert jwt.get_unverified_header(token)["kid"] == published["kid"]
    found = jwt.PyJWKSet.from_dict(answer.json())[published["kid"]]
    claims = jwt.decode(token, found.key, algorithms=[method], audience="tmi", issuer="tmi")
    assert claims["sub"] == str(cast.owner.pk)


@pytest.mark.parametrize("method", ["RS256", "ES256"])
def test_tokens_of_the_key_before_hold_while_it_is_listed(api, browse, cast, signing, pairs, method):
    (old, old_public), (new, _) = pairs[method]
    signing(signing_method=method, private_key=old)
    token = access_token(start_session(cast.owner))
    signing(private_key=new, verification_keys=[old_public])
    assert len(browse(None).get(KEYS).json()["keys"]) == 2
    assert me(api, token) == 200
    assert me(api, access_token(start_session(cast.owner))) == 200
    signing(verification_keys=[])
    assert me(api, token) == 401


def test_a_shared_secret_is_changed_the_same_way_and_never_published(api, browse, cast, signing, settings):
    old = settings.CONFIG.auth.jwt.secret
    token = access_token(start_session(cast.owner))
    assert browse(None).get(KEYS).json() == {"keys": []}
    signing(secret=new_key("secret"), previous_secrets=[old])
    assert me(api, token) == 200
    newer = access_token(start_session(cast.owner))
    assert jwt.get_unverified_header(newer)["kid"] != jwt.get_unverified_header(token)["kid"]
    signing(previous_secrets=[])
    assert (me(api, token), me(api, newer)) == (401, 200)


def forged(token, key, method, **header):
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, key, algorithm=method, headers=header)


def test_a_key_name_of_somebodys_own_opens_nothing(api, cast, signing, pairs, settings):
    secret = settings.CONFIG.auth.jwt.secret
    token = access_token(start_session(cast.owner))
    kid = jwt.get_unverified_header(token)["kid"]
    assert me(api, forged(token, secret, "HS256", kid=kid)) == 200
    assert me(api, forged(token, secret, "HS256", kid="../../dev/null")) == 401
    assert me(api, forged(token, secret, "HS256", kid="")) == 401
    assert me(api, forged(token, "x" * 64, "HS256", kid=kid)) == 401
    assert me(api, forged(token, secret, "HS512", kid=kid)) == 401


def hmac_token(claims, key, **header):
    """Signed with any bytes, as the library refuses to do with a public key."""
    import base64
    import hashlib
    import hmac
    import json

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT", **header}) + b"." + part(claims)
    mac = base64.urlsafe_b64encode(hmac.new(key.encode(), signed, hashlib.sha256).digest()).rstrip(b"=")
    return (signed + b"." + mac).decode()


def test_a_public_key_is_no_shared_secret(api, cast, signing, pairs):
    (private, public), _ = pairs["RS256"]
    signing(signing_method="RS256", private_key=private)
    token = access_token(start_session(cast.owner))
    claims = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    for key in (public, public.strip() + "\n"):
        assert me(api, hmac_token(claims, key, kid=kid)) == 401


@pytest.mark.asvs("v5.0.0-9.1.3")
def test_headers_of_a_token_fetch_no_key(api, cast, signing, pairs):
    (private, _), (other, _) = pairs["RS256"]
    signing(signing_method="RS256", private_key=private)
    token = access_token(start_session(cast.owner))
    claims = jwt.decode(token, options={"verify_signature": False})
    evil = jwt.encode(
        claims,
        other,
        algorithm="RS256",
        headers={"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/"},
    )
    assert me(api, evil) == 401
