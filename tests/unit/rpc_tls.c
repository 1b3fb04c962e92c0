/* Who gets in: certificates of every wrong kind are refused and logged, and new ones are taken up
 * without a restart. */
#include "rpc_raw.h"

#define HEALTH "/grpc.health.v1.Health/Check"

static void issue_odd(const char *name, const struct pki_authority *authority, const char *names,
		      long from_s, long until_s)
{
	char folder[PKI_PATH];
	const struct pki_leaf leaf = {.names = names, .from_s = from_s, .until_s = until_s};
	pki_issue(fixture_path(name, folder), authority, &fixture.authority, &leaf);
}

/* What is logged goes to a file, to be read again. */
static FILE *log_file;
static int stderr_saved;

static void log_begin(void)
{
	fflush(stderr);
	stderr_saved = dup(2);
	log_file = tmpfile();
	dup2(fileno(log_file), 2);
}

static bool log_ends_with(const char *needle)
{
	rt_clock_sleep_us(100 * RT_US_PER_MS);
	fflush(stderr);
	dup2(stderr_saved, 2);
	close(stderr_saved);
	char *text = calloc(1, 65536);
	rewind(log_file);
	size_t length = fread(text, 1, 65535, log_file);
	text[length] = '\0';
	fclose(log_file);
	bool found = strstr(text, needle) != NULL;
	if (!found)
		fprintf(stderr, "the log has no %s:\n%s\n", needle, text);
	free(text);
	return found;
}

static grpc_status_code check_health(const char *folder)
{
	struct raw raw = raw_new(folder, fixture.address);
	grpc_status_code code = raw_unary(&raw, HEALTH, "", 0);
	raw_free(&raw);
	return code;
}

static int start(void **state)
{
	(void)state;
	setenv("TEST_LOG", "warn", 0);
	fixture_init();
	fixture.config = (struct rt_server_config){.common = &fixture.common};
	fixture_start();
	issue_odd("foreign", &fixture.stranger, SPIFFE("gateway"), -60, A_DAY);
	issue_odd("expired", &fixture.authority, SPIFFE("gateway"), -7200, -3600);
	issue_odd("future", &fixture.authority, SPIFFE("gateway"), 3600, 7200);
	issue_odd("double", &fixture.authority,
		  SPIFFE("gateway") ",URI:spiffe://" DOMAIN "/operator", -60, A_DAY);
	issue_odd("mixed", &fixture.authority, SPIFFE("gateway") ",URI:https://daler.test/", -60,
		  A_DAY);
	issue_odd("nobody", &fixture.authority, "DNS:localhost", -60, A_DAY);
	issue_odd("unknown", &fixture.authority, SPIFFE("stranger"), -60, A_DAY);
	issue_odd("elsewhere", &fixture.authority, "URI:spiffe://other.test/gateway,DNS:localhost",
		  -60, A_DAY);
	issue_odd("long", &fixture.authority, SPIFFE("gateway/x"), -60, A_DAY);
	return 0;
}

static void test_good_ones_get_in(void **state)
{
	(void)state;
	assert_int_equal(check_health("gateway"), GRPC_STATUS_OK);
	assert_int_equal(check_health("monitor"), GRPC_STATUS_OK);
	assert_int_equal(check_health("operator"), GRPC_STATUS_OK);
}

static void check_handshake_refused(const char *folder)
{
	log_begin();
	grpc_status_code code = check_health(folder);
	bool logged = log_ends_with("tls_handshake_failed");
	assert_int_equal(code, GRPC_STATUS_UNAVAILABLE);
	assert_true(logged);
}

static void test_no_certificate(void **state)
{
	(void)state;
	check_handshake_refused(NULL);
}

static void test_other_authority(void **state)
{
	(void)state;
	check_handshake_refused("foreign");
}

static void test_expired(void **state)
{
	(void)state;
	check_handshake_refused("expired");
	check_handshake_refused("future");
}

static void check_identity_refused(const char *folder)
{
	log_begin();
	grpc_status_code code = check_health(folder);
	bool logged = log_ends_with("IDENTITY_INVALID");
	assert_int_equal(code, GRPC_STATUS_UNAUTHENTICATED);
	assert_true(logged);
}

static void test_identities_that_are_none(void **state)
{
	(void)state;
	check_identity_refused("double");
	check_identity_refused("mixed");
	check_identity_refused("nobody");
	check_identity_refused("unknown");
	check_identity_refused("elsewhere");
	check_identity_refused("long");
}

static void test_plaintext_is_refused(void **state)
{
	(void)state;
	grpc_init();
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	struct raw raw = {.queue = grpc_completion_queue_create_for_pluck(NULL),
			  .channel = grpc_channel_create(fixture.address, credentials, NULL)};
	grpc_channel_credentials_release(credentials);
	assert_int_equal(raw_unary(&raw, HEALTH, "", 0), GRPC_STATUS_UNAVAILABLE);
	raw_free(&raw);
}

static void test_client_wants_the_right_server(void **state)
{
	(void)state;
	struct peer peer = peer_to("gateway", fixture.address, RT_ID_PAYMENTS);
	log_begin();
	struct rt_status status = ask(&peer, &(struct asking){.method = "Inline"}, NULL);
	bool logged = log_ends_with("tls_server_refused");
	assert_int_equal(status.code, RT_UNAVAILABLE);
	assert_string_equal(status.reason, "UNREACHABLE");
	assert_true(logged);
	peer_free(&peer);
}

static void test_unreadable_files(void **state)
{
	(void)state;
	char paths[3][PKI_PATH];
	struct rt_tls tls = fixture_tls("absent", paths);
	struct rt_client *client = NULL;
	struct rt_status status = rt_client_new(&tls, &client);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "TLS_UNREADABLE");
	tls = fixture_tls("gateway", paths);
	char key[PKI_PATH];
	fixture_path("operator/tls.key", key);
	tls.key = key;
	status = rt_client_new(&tls, &client);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "TLS_UNREADABLE");
}

/* The serial number that the server shows now. */
static long shown_serial(void)
{
	struct raw raw = raw_new("gateway", fixture.address);
	struct raw_call call = raw_open(&raw, HEALTH, 5000, NULL);
	raw_send_bytes(&call, "", 0);
	raw_half_close(&call);
	raw_receive_headers(&call);
	long serial = 0;
	grpc_auth_context *context = grpc_call_auth_context(call.call);
	grpc_auth_property_iterator found = grpc_auth_context_find_properties_by_name(
		context, GRPC_X509_PEM_CERT_PROPERTY_NAME);
	const grpc_auth_property *property = grpc_auth_property_iterator_next(&found);
	if (property != NULL) {
		BIO *bio = BIO_new_mem_buf(property->value, (int)property->value_length);
		X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		serial = ASN1_INTEGER_get(X509_get_serialNumber(certificate));
		X509_free(certificate);
		BIO_free(bio);
	}
	grpc_auth_context_release(context);
	raw_skip(&call);
	assert_int_equal(raw_finish(&call), GRPC_STATUS_OK);
	raw_free(&raw);
	return serial;
}

static void test_new_certificate_without_restart(void **state)
{
	(void)state;
	char folder[PKI_PATH];
	fixture_path("accounts", folder);
	long before = pki_serial(folder);
	assert_int_equal(shown_serial(), before);
	struct peer old = peer_new("gateway");
	assert_true(rt_channel_ready(old.channel, rt_clock_mono_us() + 3 * RT_US_PER_S));
	fixture_issue("accounts", SPIFFE("accounts"));
	long after = pki_serial(folder);
	assert_true(after > before);
	int64_t deadline_us = rt_clock_mono_us() + 5 * RT_US_PER_S;
	while (shown_serial() != after) {
		assert_true(rt_clock_mono_us() < deadline_us);
		rt_clock_sleep_us(200 * RT_US_PER_MS);
	}
	assert_true(rt_channel_ready(old.channel, rt_clock_mono_us() + RT_US_PER_S));
	peer_free(&old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_ones_get_in),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_other_authority),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_identities_that_are_none),
		cmocka_unit_test(test_plaintext_is_refused),
		cmocka_unit_test(test_client_wants_the_right_server),
		cmocka_unit_test(test_unreadable_files),
		cmocka_unit_test(test_new_certificate_without_restart),
	};
	return cmocka_run_group_tests(tests, start, fixture_teardown);
}
