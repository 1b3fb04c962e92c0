/* SSL_read and SSL_write for the whole program, in place of libssl's. gRPC 1.51 keeps some 10 KB
 * for each stream that a peer opens and resets, before it says that there is a call
 * (CVE-2023-44487), and reads a connection on while there is more, so that whoever sends without
 * end, be it nothing but PINGs, is all that it attends to. Here is where what a peer of a server
 * sends is plain and gRPC has not seen it yet: who sends more than it may is read no further, which
 * gRPC takes for a broken connection. What gRPC sends says which streams have ended. It has a
 * connection's SSL in one thread at a time.
 * Source: SSL_read(3); SSL_write(3); SSL_get_error(3); docs/decisions/0017-what-a-call-costs.md,
 * 0044-what-stays-unanswered.md. */
#include <dlfcn.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/frames.h"
#include "rpc/tls_read.h"
#include "rt/assert.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/metrics.h"

#define LOG_US RT_US_PER_S

static union {
	void *symbol;
	int (*call)(SSL *ssl, void *buffer, int bytes_max);
} libssl_read;
static union {
	void *symbol;
	int (*call)(SSL *ssl, const void *buffer, int bytes);
} libssl_write;

struct connection {
	struct rt_frames frames;
	bool trims; /* when it is freed */
};

static int slot; /* of the struct connection in an SSL of a server */
static struct rt_frames_common common;
static struct rt_series *closed_total[RT_FRAMES_KINDS];
static const char *const events[RT_FRAMES_KINDS] = {
	[RT_FRAMES_RESETS] = "connection_closed_for_resets",
	[RT_FRAMES_IDLE] = "connection_closed_for_frames",
	[RT_FRAMES_STREAMS] = "connection_closed_for_streams",
	[RT_FRAMES_UNANSWERED] = "connection_closed_for_unanswered",
};

/* By then its streams have gone too: malloc would keep what they took. */
static void free_connection(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long argl,
			    void *argp)
{
	(void)parent;
	(void)all;
	(void)index;
	(void)argl;
	(void)argp;
	struct connection *connection = data;
	if (connection == NULL)
		return;
	bool trims = connection->trims;
	rt_frames_deinit(&connection->frames);
	free(connection);
	if (trims)
		malloc_trim(0);
}

static void prepare(void)
{
	libssl_read.symbol = dlsym(RTLD_NEXT, "SSL_read");
	RT_ASSERT(libssl_read.symbol != NULL);
	libssl_write.symbol = dlsym(RTLD_NEXT, "SSL_write");
	RT_ASSERT(libssl_write.symbol != NULL);
	slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_connection);
	RT_ASSERT(slot >= 0);
	closed_total[RT_FRAMES_RESETS] = RT_SERIES(SERVER_CLOSED, "resets");
	closed_total[RT_FRAMES_IDLE] = RT_SERIES(SERVER_CLOSED, "frames");
	closed_total[RT_FRAMES_STREAMS] = RT_SERIES(SERVER_CLOSED, "streams");
	closed_total[RT_FRAMES_UNANSWERED] = RT_SERIES(SERVER_CLOSED, "unanswered");
}

static void prepare_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, prepare);
}

void rt_tls_read_watch(int64_t streams_max)
{
	prepare_once();
	atomic_store(&common.streams_max, streams_max);
}

/* The first URI name of the peer's certificate, cut when too long. */
static void copy_identity(const SSL *ssl, char *text, size_t room)
{
	text[0] = '\0';
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	GENERAL_NAMES *names =
		certificate != NULL
			? X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL)
			: NULL;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_URI)
			continue;
		const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
		size_t length = (size_t)ASN1_STRING_length(uri);
		length = length < room ? length : room - 1;
		memcpy(text, ASN1_STRING_get0_data(uri), length);
		text[length] = '\0';
		break;
	}
	GENERAL_NAMES_free(names);
}

/* Whose share it takes. Who is nobody that we know has the least's. */
static enum rt_identity identity_of(const SSL *ssl)
{
	char uri[128];
	copy_identity(ssl, uri, sizeof(uri));
	const char *name = strrchr(uri, '/');
	enum rt_identity identity = RT_ID_MONITOR;
	if (name != NULL)
		(void)rt_identity_parse(name + 1, &identity);
	return identity;
}

static struct connection *connection_of(SSL *ssl)
{
	struct connection *connection = SSL_get_ex_data(ssl, slot);
	if (connection != NULL)
		return connection;
	connection = calloc(1, sizeof(*connection));
	RT_ASSERT(connection != NULL);
	rt_frames_init(&connection->frames, &common, identity_of(ssl));
	RT_ASSERT(SSL_set_ex_data(ssl, slot, connection) == 1);
	return connection;
}

/* One line a second, however many they are. */
static void report(const SSL *ssl, enum rt_frames_kind kind)
{
	static _Atomic int64_t logged_us;
	rt_series_add(closed_total[kind], 1);
	int64_t now_us = rt_clock_mono_us();
	int64_t last_us = atomic_load(&logged_us);
	if (now_us - last_us < LOG_US ||
	    !atomic_compare_exchange_strong(&logged_us, &last_us, now_us))
		return;
	char identity[128];
	copy_identity(ssl, identity, sizeof(identity));
	RT_LOG(WARN, events[kind], RT_TEXT("identity", identity));
}

int SSL_read(SSL *ssl, void *buffer, int bytes_max)
{
	prepare_once();
	int count = libssl_read.call(ssl, buffer, bytes_max);
	if (count <= 0 || !SSL_is_server(ssl))
		return count;
	struct connection *connection = connection_of(ssl);
	enum rt_frames_kind kind =
		rt_frames_take(&connection->frames, buffer, (size_t)count, rt_clock_mono_us());
	if (kind == RT_FRAMES_KINDS)
		return count;
	connection->trims = kind != RT_FRAMES_IDLE;
	report(ssl, kind);
	ERR_raise(ERR_LIB_SSL, ERR_R_OPERATION_FAIL);
	return -1;
}

int SSL_write(SSL *ssl, const void *buffer, int bytes)
{
	prepare_once();
	int count = libssl_write.call(ssl, buffer, bytes);
	if (count > 0 && SSL_is_server(ssl))
		rt_frames_sent(&connection_of(ssl)->frames, buffer, (size_t)count);
	return count;
}
