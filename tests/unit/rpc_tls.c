/* Who gets in: certificates of every wrong kind are refused and logged, and new ones are taken up
 * without a restart. */
#include "rpc_raw.h"
#include "rt/metrics.h"

#define HEALTH "/grpc.health.v1.Health/Check"

static void issue_odd(const char *name, const struct pki_authority *authority, const char *names,
		      long from_s, long until_s)
{
	char folder[PKI_PATH];
	const struct pki_leaf leaf = {.names = names, .from_s = from_s, .until_s = until_s};
	pki_issue(fixture_path(name, folder), authority, &fixture.authority, &leaf);
}

static void issue_for(const char *name, const char *names, const char *usage)
{
	char folder[PKI_PATH];
	const struct pki_leaf leaf = {names, -60, A_DAY, usage};
	pki_issue(fixture_path(name, folder), &fixture.authority, &fixture.authority, &leaf);
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

static bool log_has(const char *needle)
{
	fflush(stderr);
	char *text = calloc(1, 65536);
	ssize_t length = pread(fileno(log_file), text, 65535, 0);
	bool found = length >= 0 && strstr(text, needle) != NULL;
	free(text);
	return found;
}

static bool log_ends_with(const char *needle)
{
	rt_clock_sleep_us(100 * RT_US_PER_MS);
	bool found = log_has(needle);
	dup2(stderr_saved, 2);
	close(stderr_saved);
	fclose(log_file);
	if (!found)
		fprintf(stderr, "the log has no %s\n", needle);
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
	fixture.common.tls_reload_ms = 50;
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
	issue_for("client-only", SPIFFE("accounts"), "clientAuth");
	issue_for("server-only", SPIFFE("gateway"), "serverAuth");
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

/* A server of gRPC's own that shows whatever certificate, to anybody, and whether it was asked. */
struct impostor {
	grpc_server *server;
	grpc_completion_queue *queue;
	pthread_t thread;
	bool asked;
	char address[64];
};

static void *impostor_run(void *context)
{
	struct impostor *impostor = context;
	grpc_call *call = NULL;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_call_details_init(&details);
	grpc_metadata_array_init(&metadata);
	grpc_server_request_call(impostor->server, &call, &details, &metadata, impostor->queue,
				 impostor->queue, &call);
	for (;;) {
		grpc_event event = grpc_completion_queue_next(
			impostor->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			break;
		if (event.tag == impostor)
			grpc_completion_queue_shutdown(impostor->queue);
		else if (event.success) {
			impostor->asked = true;
			grpc_call_cancel_with_status(call, GRPC_STATUS_ABORTED, "asked", NULL);
			grpc_call_unref(call);
		}
	}
	grpc_metadata_array_destroy(&metadata);
	grpc_call_details_destroy(&details);
	return NULL;
}

static void impostor_start(struct impostor *impostor, const char *shows)
{
	char folder[PKI_PATH];
	grpc_init();
	fixture_path(shows, folder);
	char *key = pki_read(folder, "tls.key");
	char *chain = pki_read(folder, "tls.crt");
	grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = chain};
	grpc_server_credentials *credentials = grpc_ssl_server_credentials_create_ex(
		NULL, &pair, 1, GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, NULL);
	*impostor = (struct impostor){
		.server = grpc_server_create(NULL, NULL),
		.queue = grpc_completion_queue_create_for_next(NULL),
	};
	grpc_server_register_completion_queue(impostor->server, impostor->queue, NULL);
	int port = grpc_server_add_http2_port(impostor->server, "127.0.0.1:0", credentials);
	assert_true(port > 0);
	snprintf(impostor->address, sizeof(impostor->address), "127.0.0.1:%d", port);
	grpc_server_credentials_release(credentials);
	free(key);
	free(chain);
	grpc_server_start(impostor->server);
	assert_int_equal(pthread_create(&impostor->thread, NULL, impostor_run, impostor), 0);
}

static void impostor_stop(struct impostor *impostor)
{
	grpc_server_shutdown_and_notify(impostor->server, impostor->queue, impostor);
	grpc_server_cancel_all_calls(impostor->server);
	pthread_join(impostor->thread, NULL);
	grpc_server_destroy(impostor->server);
	grpc_completion_queue_destroy(impostor->queue);
	grpc_shutdown();
}

/* What OpenSSL says on the side that verifies. */
#define UNVERIFIED "certificate verify failed"

/* Whether accounts, as which it is called, is asked at a server that shows this certificate. */
static bool is_asked(const char *shows, const char *logged, struct rt_status *status)
{
	struct impostor impostor;
	impostor_start(&impostor, shows);
	struct peer peer = peer_to("gateway", impostor.address, RT_ID_ACCOUNTS);
	log_begin();
	*status = ask(&peer, &(struct asking){.method = "Inline"}, NULL);
	assert_true(log_ends_with(logged));
	peer_free(&peer);
	impostor_stop(&impostor);
	return impostor.asked;
}

static void test_client_wants_the_right_server(void **state)
{
	(void)state;
	static const struct {
		struct pki_leaf shown;
		const char *logged;
		const struct pki_authority *authority;
	} cases[] = {
		{{SPIFFE("accounts") ",URI:spiffe://" DOMAIN "/auth", -60, A_DAY, NULL},
		 "\"uris\":2",
		 &fixture.authority},
		{{SPIFFE("accounts") ",URI:https://daler.test/", -60, A_DAY, NULL},
		 "\"uris\":2",
		 &fixture.authority},
		{{"DNS:localhost,IP:127.0.0.1", -60, A_DAY, NULL},
		 "\"uris\":0",
		 &fixture.authority},
		{{"URI:spiffe://other.test/accounts,DNS:localhost", -60, A_DAY, NULL},
		 "\"uri\":\"spiffe://other.test/accounts\"",
		 &fixture.authority},
		{{SPIFFE("payments"), -60, A_DAY, NULL}, "/payments\"", &fixture.authority},
		{{SPIFFE("accounts/x"), -60, A_DAY, NULL}, "/accounts/x\"", &fixture.authority},
		{{SPIFFE("accounts"), -60, A_DAY, NULL}, UNVERIFIED, &fixture.stranger},
		{{SPIFFE("accounts"), -7200, -3600, NULL}, UNVERIFIED, &fixture.authority},
		{{SPIFFE("accounts"), 3600, 7200, NULL}, UNVERIFIED, &fixture.authority},
		{{SPIFFE("accounts"), -60, A_DAY, "clientAuth"}, UNVERIFIED, &fixture.authority},
	};
	struct rt_status status;
	char folder[PKI_PATH];
	fixture_path("impostor", folder);
	assert_true(is_asked("accounts", "", &status));
	assert_int_equal(status.code, RT_ABORTED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pki_issue(folder, cases[i].authority, &fixture.authority, &cases[i].shown);
		assert_false(is_asked("impostor", cases[i].logged, &status));
		assert_int_equal(status.code, RT_UNAVAILABLE);
		assert_string_equal(status.reason, "UNREACHABLE");
	}
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
	tls = fixture_tls("server-only", paths);
	status = rt_client_new(&tls, &client);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "TLS_UNTRUSTED");
	tls = fixture_tls("gateway", paths);
	char key[PKI_PATH];
	fixture_path("operator/tls.key", key);
	tls.key = key;
	status = rt_client_new(&tls, &client);
	assert_int_equal(status.code, RT_FAILED_PRECONDITION);
	assert_string_equal(status.reason, "TLS_UNREADABLE");
}

/* Nobody is asked for it, though an answer waits. */
static void test_a_key_with_a_passphrase(void **state)
{
	(void)state;
	char folder[PKI_PATH];
	char paths[3][PKI_PATH];
	int ends[2];
	fixture_issue("sealed", SPIFFE("gateway"));
	pki_encrypt_key(fixture_path("sealed", folder), "passphrase");
	int saved = dup(0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "passphrase\n", 11), 11);
	close(ends[1]);
	dup2(ends[0], 0);
	close(ends[0]);
	struct rt_tls tls = fixture_tls("sealed", paths);
	struct rt_client *client = NULL;
	struct rt_status status = rt_client_new(&tls, &client);
	dup2(saved, 0);
	close(saved);
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

static void wait_until_shown(long serial)
{
	int64_t deadline_us = rt_clock_mono_us() + 20 * RT_US_PER_S;
	while (shown_serial() != serial) {
		assert_true(rt_clock_mono_us() < deadline_us);
		rt_clock_sleep_us(100 * RT_US_PER_MS);
	}
}

static void test_new_certificate_without_restart(void **state)
{
	(void)state;
	char folder[PKI_PATH];
	fixture_path("accounts", folder);
	long before = pki_serial(folder);
	assert_int_equal(shown_serial(), before);
	struct peer old = peer_new("gateway");
	assert_true(peer_serves(&old, patient(3000)));
	fixture_issue("accounts", SPIFFE("accounts"));
	long after = pki_serial(folder);
	assert_true(after > before);
	wait_until_shown(after);
	assert_true(peer_serves(&old, patient(1000)));
	peer_free(&old);
}

/* In the place of the server's own file: somebody else's, or the beginning of one. */
static void spoil(const char *file, const char *source, size_t part_percent)
{
	char folder[PKI_PATH];
	char path[PKI_PATH];
	char fresh[PKI_PATH];
	char *text = pki_read(fixture_path(source, folder), file);
	FILE *written = fopen(pki_path(fresh, fixture_path("accounts", folder), "fresh"), "w");
	RT_ASSERT(written != NULL);
	fwrite(text, 1, strlen(text) * part_percent / 100, written);
	fclose(written);
	rename(fresh, pki_path(path, folder, file));
	free(text);
}

static int64_t reloads(const char *result)
{
	char series[64];
	size_t length;
	snprintf(series, sizeof(series), "daler_tls_reloads_total{result=\"%s\"} ", result);
	char *text = rt_metrics_text(&length);
	const char *found = strstr(text, series);
	int64_t count = found != NULL ? strtoll(found + strlen(series), NULL, 10) : 0;
	free(text);
	return count;
}

/* Whatever is wrong with new files, the ones before are shown, and the log says what it is. */
static void test_bad_files_are_not_taken(void **state)
{
	(void)state;
	/* The reasons of neighbours differ, because the same one is logged once. */
	static const struct {
		const char *cert, *key, *ca; /* whose */
		size_t cert_percent, key_percent, ca_percent;
		const char *logged;
	} cases[] = {
		{"operator", "operator", "operator", 50, 100, 100, "(tls_cert)"},
		{"operator", "operator", "operator", 100, 50, 100, "(tls_key)"},
		{"operator", "operator", "operator", 0, 0, 0, "(tls_cert)"},
		{"other", "other", "other", 100, 100, 50, "(tls_ca)"},
		{"other", "operator", "other", 100, 100, 100, "(tls_key)"},
		{"foreign", "foreign", "foreign", 100, 100, 100, "TLS_UNTRUSTED"},
		{"expired", "expired", "expired", 100, 100, 100, "certificate has expired"},
		{"operator", "operator", "operator", 100, 100, 100,
		 "is of operator, and this is accounts"},
		{"double", "double", "double", 100, 100, 100, "has 2 URIs"},
		{"nobody", "nobody", "nobody", 100, 100, 100, "has 0 URIs"},
		{"client-only", "client-only", "client-only", 100, 100, 100, "certificate purpose"},
	};
	char folder[PKI_PATH];
	long before = pki_serial(fixture_path("accounts", folder));
	wait_until_shown(before);
	fixture_issue("other", SPIFFE("accounts"));
	int64_t refused = reloads("refused");
	int64_t taken = reloads("taken");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log_begin();
		spoil("tls.crt", cases[i].cert, cases[i].cert_percent);
		spoil("tls.key", cases[i].key, cases[i].key_percent);
		spoil("ca.crt", cases[i].ca, cases[i].ca_percent);
		int64_t deadline_us = rt_clock_mono_us() + 20 * RT_US_PER_S;
		while (!log_has(cases[i].logged) && rt_clock_mono_us() < deadline_us)
			rt_clock_sleep_us(20 * RT_US_PER_MS);
		assert_true(log_ends_with(cases[i].logged));
		assert_int_equal(shown_serial(), before);
	}
	assert_true(reloads("refused") >= refused + (int64_t)(sizeof(cases) / sizeof(cases[0])));
	assert_int_equal(reloads("taken"), taken);
	fixture_issue("accounts", SPIFFE("accounts"));
	wait_until_shown(pki_serial(fixture_path("accounts", folder)));
	assert_true(reloads("taken") > taken);
}

/* gRPC needs no root: whatever stands in tls_ca is trusted. */
static void test_an_authority_that_is_no_root(void **state)
{
	(void)state;
	struct pki_authority below = pki_authority_below("authority below", &fixture.authority);
	char folder[PKI_PATH];
	const struct pki_leaf accounts = {SPIFFE("accounts"), -60, A_DAY, NULL};
	const struct pki_leaf gateway = {SPIFFE("gateway"), -60, A_DAY, NULL};
	pki_issue(fixture_path("accounts", folder), &below, &below, &accounts);
	pki_issue(fixture_path("below", folder), &below, &below, &gateway);
	struct peer peer = peer_to("below", fixture.address, RT_ID_ACCOUNTS);
	assert_true(peer_serves(&peer, patient(5000)));
	peer_free(&peer);
	pki_authority_free(&below);
	fixture_issue("accounts", SPIFFE("accounts"));
	int64_t deadline_us = rt_clock_mono_us() + 20 * RT_US_PER_S;
	while (check_health("gateway") != GRPC_STATUS_OK) {
		assert_true(rt_clock_mono_us() < deadline_us);
		rt_clock_sleep_us(100 * RT_US_PER_MS);
	}
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
		cmocka_unit_test(test_a_key_with_a_passphrase),
		cmocka_unit_test(test_new_certificate_without_restart),
		cmocka_unit_test(test_bad_files_are_not_taken),
		cmocka_unit_test(test_an_authority_that_is_no_root),
	};
	return cmocka_run_group_tests(tests, start, fixture_teardown);
}
