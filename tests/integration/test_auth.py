"""auth through its wire: users, logins, keys."""

import json
import secrets
import time
import unittest

import grpc

from support import environment, tokens, world
from support.cases import Case, having
from support.client import Stub
from support.contracts import auth as u
from support.world import new_id

PASSWORD = "correct horse battery"


def new_user(role=u.ROLE_PLAYER, **changes):
    return u.CreateUserRequest(**{
        "user_id": new_id(), "username": f"user-{secrets.token_hex(6)}", "password": PASSWORD, "role": role,
        **changes})


class CreateUser(Case):
    def setUp(self):
        self.operator = world.operator("auth")
        self.gateway = Stub("auth", "gateway")

    def test_gateway_creates_a_player(self):
        request = new_user()
        reply = self.gateway.call("CreateUser", request)
        self.assertFalse(reply.replayed)
        self.assertEqual((reply.user.user_id, reply.user.username, reply.user.role),
                         (request.user_id, request.username, u.ROLE_PLAYER))
        self.assertLess(abs(reply.user.create_time.seconds - time.time()), 60)

    def test_operator_creates_every_role(self):
        for role in (u.ROLE_PLAYER, u.ROLE_OPERATOR, u.ROLE_AUDITOR):
            with self.subTest(role=role):
                self.assertEqual(self.operator.call("CreateUser", new_user(role)).user.role, role)

    def test_gateway_creates_players_only(self):
        for role in (u.ROLE_OPERATOR, u.ROLE_AUDITOR):
            with self.subTest(role=role), self.refused(grpc.StatusCode.PERMISSION_DENIED, "ROLE_DENIED"):
                self.gateway.call("CreateUser", new_user(role))
        operator_token_at_the_gateway = Stub("auth", "gateway", world.operator_token())
        with self.refused(grpc.StatusCode.PERMISSION_DENIED, "ROLE_DENIED"):
            operator_token_at_the_gateway.call("CreateUser", new_user(u.ROLE_OPERATOR))

    def test_repeated_it_is_the_same_user(self):
        request = new_user()
        first = self.gateway.call("CreateUser", request)
        again = self.gateway.call("CreateUser", request)
        self.assertTrue(again.replayed)
        self.assertEqual(again.user, first.user)

    def test_same_id_other_content_is_refused(self):
        request = new_user()
        self.gateway.call("CreateUser", request)
        for change in ({"username": "other-" + request.username}, {"password": PASSWORD + "!"}):
            changed = u.CreateUserRequest()
            changed.CopyFrom(request)
            for name, value in change.items():
                setattr(changed, name, value)
            with self.subTest(change=list(change)), self.mismatch():
                self.gateway.call("CreateUser", changed)

    def test_username_of_another(self):
        taken = self.gateway.call("CreateUser", new_user()).user.username
        with self.refused(grpc.StatusCode.ALREADY_EXISTS, "USERNAME_TAKEN"):
            self.gateway.call("CreateUser", new_user(username=taken))

    def test_bad_input(self):
        with self.nothing_written("auth"):
            self.check_bad_input(self.gateway, "CreateUser", new_user(), [
                (having(user_id=""), "INVALID_UUID", "user_id"),
                (having(user_id="not-a-uuid"), "INVALID_UUID", "user_id"),
                (having(user_id="00000000-0000-0000-0000-000000000000"), "INVALID_UUID", "user_id"),
                (having(username="ab"), "INVALID_LENGTH", "username"),
                (having(username="a" * 65), "INVALID_LENGTH", "username"),
                (having(username="Upper"), "INVALID_TEXT", "username"),
                (having(username="with space"), "INVALID_TEXT", "username"),
                (having(username="umläut"), "INVALID_TEXT", "username"),
                (having(password="1234567"), "INVALID_LENGTH", "password"),
                (having(password="x" * 257), "INVALID_LENGTH", "password"),
                (having(role=u.ROLE_UNSPECIFIED), "INVALID_FIELD", "role"),
                (having(role=99), "INVALID_FIELD", "role"),
            ])

    def test_password_is_stored_as_argon2id_alone(self):
        request = new_user()
        self.gateway.call("CreateUser", request)
        row = environment.sql("auth", f"SELECT u::text FROM users u WHERE user_id = '{request.user_id}'")[0][0]
        self.assertIn("$argon2id$", row)
        self.assertNotIn(PASSWORD, row)


class GetUser(Case):
    def test_player_reads_own_user_only(self):
        player, other = world.person(), world.person()
        self.assertEqual(player.at("auth").GetUser(user_id=player.user_id).user.username, player.username)
        with self.refused(grpc.StatusCode.PERMISSION_DENIED, "ROLE_DENIED"):
            player.at("auth").GetUser(user_id=other.user_id)
        with self.refused(grpc.StatusCode.PERMISSION_DENIED, "ROLE_DENIED"):
            player.at("auth").GetUser(user_id=new_id())  # not told apart from one who is there

    def test_staff_read_all(self):
        player = world.person()
        for token in (world.operator_token(), world.auditor_token()):
            reply = Stub("auth", "operator", token).GetUser(user_id=player.user_id)
            self.assertEqual((reply.user.username, reply.user.role), (player.username, u.ROLE_PLAYER))

    def test_not_found_and_bad_input(self):
        with self.not_found("USER_NOT_FOUND"):
            world.operator("auth").GetUser(user_id=new_id())
        with self.invalid("INVALID_UUID", "user_id"):
            world.operator("auth").GetUser(user_id="x")


class LogIn(Case):
    def test_token_says_who(self):
        player = world.person()
        header, claims = tokens.parts(player.token)
        self.assertEqual(header["alg"], "ES256")
        self.assertEqual(claims["sub"], player.user_id)
        self.assertLessEqual(claims["exp"], time.time() + 3600)

    def test_wrong_password_and_unknown_user_look_alike(self):
        player = world.person()
        stub = Stub("auth", "gateway")
        messages = set()
        for username, password in ((player.username, "wrong password"), ("nobody-" + player.username, PASSWORD)):
            with self.refused(grpc.StatusCode.UNAUTHENTICATED, "BAD_CREDENTIALS") as caught:
                stub.LogIn(username=username, password=password)
            messages.add(caught.exception.message)
        self.assertEqual(len(messages), 1)

    def test_wrong_password_and_unknown_user_take_alike(self):
        player = world.person()
        stub = Stub("auth", "gateway")
        seconds = {}
        for username in (player.username, "nobody-" + player.username):
            runs = []
            for _ in range(7):
                start = time.monotonic()
                with self.refused(grpc.StatusCode.UNAUTHENTICATED, "BAD_CREDENTIALS"):
                    stub.LogIn(username=username, password="wrong password")
                runs.append(time.monotonic() - start)
            seconds[username] = sorted(runs)[1]
        known, unknown = seconds.values()
        self.assertGreater(unknown, known / 2)  # without a hash it would be a tenth
        self.assertGreater(known, unknown / 2)

    def test_bad_input(self):
        stub = Stub("auth", "gateway")
        with self.nothing_written("auth"):
            self.check_bad_input(stub, "LogIn", u.LogInRequest(username="somebody", password=PASSWORD), [
                (having(username=""), "INVALID_LENGTH", "username"),
                (having(username="A B"), "INVALID_TEXT", "username"),
                (having(password=""), "INVALID_LENGTH", "password"),
                (having(password="x" * 257), "INVALID_LENGTH", "password"),
            ])

    def test_every_attempt_is_audited(self):
        player = world.person()
        where = f"FROM audit_events WHERE action = 'log_in' AND subject_user_id = '{player.user_id}'"
        with self.refused(grpc.StatusCode.UNAUTHENTICATED, "BAD_CREDENTIALS"):
            Stub("auth", "gateway").LogIn(username=player.username, password="wrong password")
        self.assertEqual(environment.sql("auth", f"SELECT outcome {where} ORDER BY created_at"),
                         [["ok"], ["refused"]])

    def test_staff_do_not_log_in_through_the_gateway(self):
        request = new_user(u.ROLE_OPERATOR)
        world.operator("auth").call("CreateUser", request)
        with self.refused(grpc.StatusCode.UNAUTHENTICATED, "BAD_CREDENTIALS"):
            Stub("auth", "gateway").LogIn(username=request.username, password=PASSWORD)


class GetKeys(Case):
    def test_public_keys_alone(self):
        keys = json.loads(Stub("auth", "accounts").GetKeys().jwks_json)["keys"]
        self.assertEqual({key["kty"] for key in keys}, {"EC"})
        for key in keys:
            self.assertNotIn("d", key)
        header, _ = tokens.parts(world.operator_token())
        self.assertIn(header["kid"], {key["kid"] for key in keys})


if __name__ == "__main__":
    unittest.main()
