/* The decisions of the RPC runtime that need no network: identity, admission, breaker, backoff,
 * status on the wire, descriptors, unpacking. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

#include "../../runtime/base/base64url.h"
#include "../../runtime/rpc/admission.h"
#include "../../runtime/rpc/breaker.h"
#include "../../runtime/rpc/descriptors.h"
#include "../../runtime/rpc/message.h"
#include "../../runtime/rpc/wire_status.h"
#include "daler/accounts/v1/accounts.pb-c.h"
#include "rt/clock.h"
#include "rt/rpc_server.h"
#include "rt_descriptors.h"

static void test_identity(void **state)
{
	(void)state;
	enum rt_identity identity = RT_ID_COUNT;
	assert_true(
		rt_identity_from_spiffe("spiffe://daler.local/payments", "daler.local", &identity));
	assert_int_equal(identity, RT_ID_PAYMENTS);
	for (int i = 0; i < RT_ID_COUNT; i++) {
		assert_true(rt_identity_parse(rt_identity_name((enum rt_identity)i), &identity));
		assert_int_equal(identity, i);
	}
	static const char *const wrong[] = {"",
					    "payments",
					    "spiffe://",
					    "spiffe://daler.local",
					    "spiffe://daler.local/",
					    "spiffe://daler.local/Payments",
					    "spiffe://daler.local/payments/",
					    "spiffe://daler.local//payments",
					    "spiffe://daler.local/x/payments",
					    "spiffe://daler.local.evil/payments",
					    "spiffe://daler.locale/payments",
					    "spiffe://evil/daler.local/payments",
					    "SPIFFE://daler.local/payments",
					    "https://daler.local/payments",
					    "spiffe://daler.local/payments?x",
					    "spiffe://daler.local/payments "};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(rt_identity_from_spiffe(wrong[i], "daler.local", &identity));
	assert_false(rt_identity_from_spiffe("spiffe:///payments", "", &identity));
}

static struct rt_status admit(struct rt_peer peer, const char *id)
{
	enum rt_identity identity;
	snprintf(peer.spiffe_id, sizeof(peer.spiffe_id), "%s", id);
	return rt_admit_peer(&peer, "daler.local", &identity);
}

static void test_peer(void **state)
{
	(void)state;
	const char *good = "spiffe://daler.local/gateway";
	struct rt_peer peer = {.secure = true, .spiffe_ids = 1, .uris = 1};
	assert_int_equal(admit(peer, good).code, RT_OK);
	assert_int_equal(admit((struct rt_peer){false, 1, 1, ""}, good).code, RT_UNAUTHENTICATED);
	assert_int_equal(admit((struct rt_peer){true, 0, 0, ""}, "").code, RT_UNAUTHENTICATED);
	assert_int_equal(admit((struct rt_peer){true, 0, 2, ""}, "").code, RT_UNAUTHENTICATED);
	assert_int_equal(admit((struct rt_peer){true, 1, 2, ""}, good).code, RT_UNAUTHENTICATED);
	assert_int_equal(admit((struct rt_peer){true, 2, 2, ""}, good).code, RT_UNAUTHENTICATED);
	assert_int_equal(admit((struct rt_peer){true, 0, 1, ""}, good).code, RT_UNAUTHENTICATED);
	assert_int_equal(admit(peer, "spiffe://daler.local/stranger").code, RT_UNAUTHENTICATED);
}

static void test_matrix(void **state)
{
	(void)state;
	const uint64_t callers = RT_ALLOW(GATEWAY, RT_ROLE_PLAYER) |
				 RT_ALLOW(PAYMENTS, RT_ROLE_NONE) |
				 RT_ALLOW(OPERATOR, RT_ROLE_OPERATOR | RT_ROLE_AUDITOR);
	static const enum rt_role roles[] = {RT_ROLE_PLAYER, RT_ROLE_OPERATOR, RT_ROLE_AUDITOR};
	for (int i = 0; i < RT_ID_COUNT; i++) {
		enum rt_identity identity = (enum rt_identity)i;
		bool named = identity == RT_ID_GATEWAY || identity == RT_ID_PAYMENTS ||
			     identity == RT_ID_OPERATOR;
		struct rt_status status = rt_admit_identity(callers, identity);
		assert_int_equal(status.code, named ? RT_OK : RT_PERMISSION_DENIED);
		if (!named)
			continue;
		uint32_t allowed = rt_allowed_roles(callers, identity);
		status = rt_admit_token(allowed, false);
		assert_int_equal(status.code,
				 identity == RT_ID_PAYMENTS ? RT_OK : RT_UNAUTHENTICATED);
		assert_int_equal(rt_admit_token(allowed, true).code, RT_OK);
		for (size_t j = 0; j < 3; j++) {
			bool fits =
				identity == RT_ID_PAYMENTS || (allowed & (uint32_t)roles[j]) != 0;
			assert_int_equal(rt_admit_role(allowed, roles[j]).code,
					 fits ? RT_OK : RT_PERMISSION_DENIED);
		}
	}
	for (int i = 0; i < RT_ID_COUNT; i++)
		assert_int_equal(rt_admit_identity(RT_ALLOW_ANY_IDENTITY, (enum rt_identity)i).code,
				 RT_OK);
}

static void test_deadline(void **state)
{
	(void)state;
	const int64_t now_us = 1000000;
	assert_int_equal(rt_admit_deadline_us(now_us, RT_NO_DEADLINE, 5), now_us + 5000);
	assert_int_equal(rt_admit_deadline_us(now_us, 3000, 5), now_us + 3000);
	assert_int_equal(rt_admit_deadline_us(now_us, 9000, 5), now_us + 5000);
	assert_int_equal(rt_admit_deadline_us(now_us, -7, 5), now_us - 7);
	assert_int_equal(rt_admit_deadline_us(now_us, 9000, RT_STREAM_FOREVER), now_us + 9000);
	assert_int_equal(rt_admit_deadline_us(now_us, RT_NO_DEADLINE, RT_STREAM_FOREVER),
			 RT_NO_DEADLINE);
	assert_int_equal(rt_admit_deadline_us(now_us, RT_NO_DEADLINE - 1, RT_STREAM_FOREVER),
			 RT_NO_DEADLINE);
	assert_int_equal(rt_admit_deadline_us(now_us, RT_NO_DEADLINE, INT64_MAX - 1),
			 RT_NO_DEADLINE);
}

static void test_bearer(void **state)
{
	(void)state;
	assert_string_equal(rt_admit_bearer("Bearer abc"), "abc");
	assert_string_equal(rt_admit_bearer("bearer  abc"), "abc");
	assert_null(rt_admit_bearer("Bearer"));
	assert_null(rt_admit_bearer("Bearer "));
	assert_null(rt_admit_bearer("Basic abc"));
	assert_null(rt_admit_bearer(""));
}

static bool admits(struct rt_breaker *breaker, int64_t now_us)
{
	uint32_t probe = 0;
	return rt_breaker_admit(breaker, now_us, &probe);
}

static void miss(struct rt_breaker *breaker, int64_t now_us, int times)
{
	for (int i = 0; i < times; i++) {
		uint32_t probe = 7;
		assert_true(rt_breaker_admit(breaker, now_us, &probe));
		assert_int_equal(probe, 0);
		rt_breaker_missed(breaker, now_us, probe);
	}
}

static uint32_t probe_of(struct rt_breaker *breaker, int64_t now_us)
{
	uint32_t probe = 0;
	assert_true(rt_breaker_admit(breaker, now_us, &probe));
	assert_int_not_equal(probe, 0);
	return probe;
}

static void test_breaker(void **state)
{
	(void)state;
	struct rt_breaker breaker = {0};
	int64_t now_us = 0;
	miss(&breaker, now_us, 4);
	rt_breaker_reached(&breaker); /* in a row, or it doesn't count */
	miss(&breaker, now_us, 5);
	assert_false(admits(&breaker, now_us + 249000));
	now_us += 250000;
	uint32_t probe = probe_of(&breaker, now_us);
	assert_false(admits(&breaker, now_us));
	rt_breaker_missed(&breaker, now_us, probe);
	assert_false(admits(&breaker, now_us + 499000));
	now_us += 500000;
	probe = probe_of(&breaker, now_us);
	rt_breaker_unknown(&breaker, probe); /* says nothing: another one may try */
	probe_of(&breaker, now_us);
	assert_false(admits(&breaker, now_us + 9999999));
	probe_of(&breaker, now_us + 10000000); /* the probe is lost */
	rt_breaker_reached(&breaker);
	assert_true(admits(&breaker, now_us));
	assert_true(admits(&breaker, now_us));
}

/* One probe at a time, whatever becomes of calls that were begun before the breaker opened, or of a
 * probe that was given up. */
static void test_breaker_listens_to_its_probe_alone(void **state)
{
	(void)state;
	struct rt_breaker breaker = {0};
	int64_t now_us = 0;
	miss(&breaker, now_us, 5);
	now_us += 250000;
	uint32_t lost = probe_of(&breaker, now_us);
	rt_breaker_unknown(&breaker, 0);
	assert_false(admits(&breaker, now_us));
	rt_breaker_missed(&breaker, now_us, 0);
	assert_int_equal(breaker.open_for_us, 250000);
	assert_false(admits(&breaker, now_us + 9999999));
	now_us += 10000000;
	uint32_t probe = probe_of(&breaker, now_us);
	assert_int_not_equal(probe, lost);
	rt_breaker_unknown(&breaker, lost);
	assert_false(admits(&breaker, now_us));
	rt_breaker_missed(&breaker, now_us, lost);
	assert_int_equal(breaker.open_for_us, 250000);
	rt_breaker_missed(&breaker, now_us, probe);
	assert_int_equal(breaker.open_for_us, 500000);
	rt_breaker_reached(&breaker);
	miss(&breaker, now_us, 5);
	now_us += 250000;
	assert_int_not_equal(probe_of(&breaker, now_us), probe); /* nor are numbers used again */
}

static void test_breaker_is_open_for_two_seconds_at_most(void **state)
{
	(void)state;
	struct rt_breaker breaker = {0};
	int64_t now_us = 0;
	miss(&breaker, now_us, 5);
	for (int i = 0; i < 20; i++) {
		now_us += 2 * RT_US_PER_S;
		uint32_t probe = probe_of(&breaker, now_us);
		rt_breaker_missed(&breaker, now_us, probe);
		rt_breaker_missed(&breaker, now_us, probe); /* a late one doesn't prolong it */
	}
}

static void test_backoff(void **state)
{
	(void)state;
	for (unsigned repeat = 0; repeat < 70; repeat++) {
		int64_t most_us = repeat < 5 ? (int64_t)50000 << repeat : 1000000;
		for (uint64_t random = 0; random < 200; random++) {
			int64_t wait_us = rt_backoff_us(repeat, 0, random * 7919);
			assert_in_range(wait_us, most_us / 2, most_us);
		}
	}
	assert_in_range(rt_backoff_us(0, 2000, 0), 2025000, 2050000);
}

static const char *const told_apart[] = {"TOLD_APART", NULL};

static struct rt_status there_and_back(const struct rt_status *status, bool *from_service)
{
	struct rt_trace trace = {0};
	char message[RT_WIRE_MESSAGE_BYTES];
	uint8_t bytes[RT_WIRE_STATUS_BYTES_MAX];
	rt_wire_message(status, &trace, message);
	size_t length = rt_wire_status_pack(status, message, bytes);
	assert_true(length > 0);
	return rt_wire_status_unpack(rt_code_grpc(status->code), message, bytes, length, told_apart,
				     from_service);
}

static void test_wire_status(void **state)
{
	(void)state;
	bool from_service = false;
	for (enum rt_code code = RT_CANCELLED; code <= RT_OUTCOME_UNKNOWN; code++) {
		struct rt_status status =
			rt_status_make(code, "SOME_REASON", __FILE__, __LINE__, "what happened");
		status.retry_after_ms = 12345;
		snprintf(status.field, sizeof(status.field), "groups[3].amount");
		struct rt_status back = there_and_back(&status, &from_service);
		assert_true(from_service);
		assert_int_equal(back.code, code);
		assert_string_equal(back.reason, "SOME_REASON");
		assert_int_equal(back.retry_after_ms, 12345);
		bool internal = code == RT_INTERNAL;
		assert_string_equal(back.field, internal ? "" : "groups[3].amount");
		assert_int_equal(strcmp(back.detail, "what happened") == 0, !internal);
	}
}

static void test_wire_status_of_strangers(void **state)
{
	(void)state;
	bool from_service = true;
	struct rt_status back = rt_wire_status_unpack(14, "gone", NULL, 0, NULL, &from_service);
	assert_false(from_service);
	assert_int_equal(back.code, RT_UNAVAILABLE);
	assert_string_equal(back.detail, "gone");
	static const uint8_t garbage[] = {0x0a, 0x7f, 1, 2, 3};
	back = rt_wire_status_unpack(5, "x", garbage, sizeof(garbage), NULL, &from_service);
	assert_false(from_service);
	assert_int_equal(back.code, RT_NOT_FOUND);
	/* A reason that is none, and more reasons than a service has. */
	struct rt_status odd = RT_FAIL(ABORTED, "not a reason", "x");
	back = there_and_back(&odd, &from_service);
	assert_string_equal(back.reason, "REMOTE_ERROR");
	char reason[32];
	for (int i = 0; i < 600; i++) {
		snprintf(reason, sizeof(reason), "REASON_%d", i);
		odd.reason = reason;
		back = there_and_back(&odd, &from_service);
	}
	assert_string_equal(back.reason, "REMOTE_ERROR");
	odd.reason = "SOME_REASON";
	assert_string_equal(there_and_back(&odd, &from_service).reason, "SOME_REASON");
	/* But what the caller decides by is known all the same. */
	odd.reason = "TOLD_APART";
	assert_ptr_equal(there_and_back(&odd, &from_service).reason, told_apart[0]);
	/* What a client says of calls that it never made. */
	odd.reason = "BREAKER_OPEN";
	assert_string_equal(there_and_back(&odd, &from_service).reason, "REMOTE_ERROR");
}

static size_t name_files(const struct rt_files *files, int file, const char *wanted)
{
	int closure[RT_FILES_MAX];
	size_t count = rt_files_closure(files, file, closure);
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		const struct rt_file *one = &files->files[closure[i]];
		found += one->name_length == strlen(wanted) &&
			 memcmp(one->name, wanted, one->name_length) == 0;
	}
	return found;
}

static void test_descriptors(void **state)
{
	(void)state;
	static struct rt_files files;
	assert_true(rt_files_read(rt_descriptors, rt_descriptors_size, &files));
	static const char *const known[] = {"daler.accounts.v1.AccountsService",
					    "daler.accounts.v1.AccountsService.Post",
					    "daler.accounts.v1.PostRequest",
					    "grpc.health.v1.HealthCheckResponse.ServingStatus",
					    "google.rpc.BadRequest.FieldViolation",
					    "google.rpc.BadRequest.FieldViolation.field",
					    "google.protobuf.Timestamp",
					    "daler.auth.v1.Role"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(rt_files_by_symbol(&files, known[i]) >= 0);
	static const char *const unknown[] = {"",
					      ".",
					      "daler",
					      "daler.accounts.v1",
					      "daler.accounts.v1.",
					      "daler.accounts.v1.AccountsService.Pos",
					      "AccountsService",
					      "daler.accounts.v1.AccountsService.Post.x",
					      "google.rpc.BadRequest.Field"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(rt_files_by_symbol(&files, unknown[i]), -1);
	int file = rt_files_by_symbol(&files, "daler.accounts.v1.AccountsService");
	assert_int_equal(name_files(&files, file, "google/protobuf/timestamp.proto"), 1);
	assert_int_equal(name_files(&files, file, "daler/accounts/v1/accounts.proto"), 1);
	for (size_t cut = 1; cut < 200; cut++) /* cut anywhere: never a crash */
		rt_files_read(rt_descriptors, rt_descriptors_size - cut, &files);
}

static void test_every_cut_and_flip_of_a_message(void **state)
{
	(void)state;
	Daler__Accounts__V1__GetAccountRequest request =
		DALER__ACCOUNTS__V1__GET_ACCOUNT_REQUEST__INIT;
	char id[] = "0190a0a0-0000-7000-8000-000000000001";
	request.ledger_id = id;
	request.account_id = id;
	uint8_t bytes[256];
	size_t length = protobuf_c_message_pack(&request.base, bytes);
	for (size_t i = 0; i < length * 8; i++) {
		struct rt_arena arena;
		rt_arena_init(&arena, (size_t)64 * 1024);
		uint8_t flipped[256];
		memcpy(flipped, bytes, length);
		flipped[i / 8] ^= (uint8_t)(1 << (i % 8));
		const ProtobufCMessage *message = NULL;
		struct rt_status status =
			rt_message_unpack(&daler__accounts__v1__get_account_request__descriptor,
					  flipped, length - i % 3, &arena, &message);
		assert_true(rt_is_ok(&status) == (message != NULL));
		assert_true(rt_is_ok(&status) || status.code == RT_INVALID_ARGUMENT);
		rt_arena_deinit(&arena);
	}
	struct rt_arena small;
	rt_arena_init(&small, 16);
	const ProtobufCMessage *message = NULL;
	struct rt_status status =
		rt_message_unpack(&daler__accounts__v1__get_account_request__descriptor, bytes,
				  length, &small, &message);
	assert_int_equal(status.code, RT_RESOURCE_EXHAUSTED);
	rt_arena_deinit(&small);
}

static void test_bad_text_is_named_by_its_path(void **state)
{
	(void)state;
	Daler__Accounts__V1__Transfer good = DALER__ACCOUNTS__V1__TRANSFER__INIT;
	Daler__Accounts__V1__Transfer bad = DALER__ACCOUNTS__V1__TRANSFER__INIT;
	char text[] = "EU\xff";
	bad.currency = text;
	Daler__Accounts__V1__Transfer *transfers[] = {&good, &good, &bad};
	Daler__Accounts__V1__Group group = DALER__ACCOUNTS__V1__GROUP__INIT;
	group.n_transfers = 3;
	group.transfers = transfers;
	Daler__Accounts__V1__Group empty = DALER__ACCOUNTS__V1__GROUP__INIT;
	Daler__Accounts__V1__Group *groups[] = {&empty, &group};
	Daler__Accounts__V1__PostBatchRequest request =
		DALER__ACCOUNTS__V1__POST_BATCH_REQUEST__INIT;
	request.n_groups = 2;
	request.groups = groups;
	uint8_t bytes[256];
	size_t length = protobuf_c_message_pack(&request.base, bytes);
	struct rt_arena arena;
	rt_arena_init(&arena, (size_t)64 * 1024);
	const ProtobufCMessage *message = NULL;
	struct rt_status status =
		rt_message_unpack(&daler__accounts__v1__post_batch_request__descriptor, bytes,
				  length, &arena, &message);
	assert_int_equal(status.code, RT_INVALID_ARGUMENT);
	assert_string_equal(status.reason, "INVALID_TEXT");
	assert_string_equal(status.field, "groups[1].transfers[2].currency");
	rt_arena_deinit(&arena);
}

static void test_base64url(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char text[16];
		uint8_t bytes[16];
		size_t length = 0;
		rt_base64url_encode((const uint8_t *)pairs[i][0], strlen(pairs[i][0]), text);
		assert_string_equal(text, pairs[i][1]);
		assert_true(rt_base64url_decode(text, strlen(text), bytes, sizeof(bytes), &length));
		assert_int_equal(length, strlen(pairs[i][0]));
		assert_memory_equal(bytes, pairs[i][0], length);
	}
	uint8_t bytes[4];
	size_t length = 0;
	static const char *const wrong[] = {
		"Z", "Zh", "Zm9", "Zg==", "Z+8", "Z/8", "Zm 8", "Zm9vYmFy"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(rt_base64url_decode(wrong[i], strlen(wrong[i]), bytes, sizeof(bytes),
						 &length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_bearer),
		cmocka_unit_test(test_breaker),
		cmocka_unit_test(test_breaker_listens_to_its_probe_alone),
		cmocka_unit_test(test_breaker_is_open_for_two_seconds_at_most),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_wire_status),
		cmocka_unit_test(test_wire_status_of_strangers),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_every_cut_and_flip_of_a_message),
		cmocka_unit_test(test_bad_text_is_named_by_its_path),
		cmocka_unit_test(test_base64url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
