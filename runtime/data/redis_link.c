/* hiredis connects; the bytes go by here, because its 0.14, which Debian 12 has, knows no TLS, and
 * later ones neither check a server's name nor end a handshake at a deadline.
 * Source: SSL_get_error(3), SSL_set1_host(3). */
#include "redis_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rt/assert.h"
#include "rt/clock.h"

struct redis_link {
	redisContext *connection; /* whose socket it is; reads and writes don't block */
	SSL *session;             /* NULL: plain */
};

static void explain(struct redis_why *why, const char *word, const char *explained)
{
	why->word = word;
	snprintf(why->explained, sizeof(why->explained), "%s", explained);
}

/* False when the deadline came first. */
static bool wait_for(const struct redis_link *link, short events, int64_t deadline_us)
{
	for (;;) {
		struct pollfd wait = {.fd = link->connection->fd, .events = events};
		int left_ms = rt_clock_left_ms(deadline_us, 60000);
		int ready = left_ms == 0 ? 0 : poll(&wait, 1, left_ms);
		if (ready > 0)
			return true;
		if (left_ms == 0 || (ready < 0 && errno != EINTR))
			return false;
	}
}

/* What an attempt that returned `result` waits for; 0 when it has failed for good. A session may
 * read in order to write, and the other way round. */
static short awaited(const struct redis_link *link, ssize_t result, short plain)
{
	bool later = result < 0 && (errno == EAGAIN || errno == EINTR);
	if (link->session == NULL && later)
		return plain;
	if (link->session == NULL)
		return 0;
	switch (SSL_get_error(link->session, (int)result)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

/* True: try again. */
static bool may_go_on(const struct redis_link *link, ssize_t result, short plain,
		      int64_t deadline_us, struct redis_why *why)
{
	short events = awaited(link, result, plain);
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	if (events == 0)
		explain(why, "lost", reason != NULL ? reason : "");
	else if (!wait_for(link, events, deadline_us))
		explain(why, "timeout", "");
	else
		return true;
	return false;
}

static int at_most(size_t count)
{
	return count < INT32_MAX ? (int)count : INT32_MAX;
}

bool redis_link_send(struct redis_link *link, const char *bytes, size_t count, int64_t deadline_us,
		     struct redis_why *why)
{
	while (count > 0) {
		ERR_clear_error();
		ssize_t done = link->session != NULL
				       ? SSL_write(link->session, bytes, at_most(count))
				       : send(link->connection->fd, bytes, count, MSG_NOSIGNAL);
		if (done > 0) {
			bytes += done;
			count -= (size_t)done;
		} else if (!may_go_on(link, done, POLLOUT, deadline_us, why)) {
			return false;
		}
	}
	return true;
}

size_t redis_link_receive(struct redis_link *link, char *bytes, size_t room, int64_t deadline_us,
			  struct redis_why *why)
{
	for (;;) {
		ERR_clear_error();
		ssize_t done = link->session != NULL ? SSL_read(link->session, bytes, at_most(room))
						     : recv(link->connection->fd, bytes, room, 0);
		if (done > 0)
			return (size_t)done;
		if (!may_go_on(link, done, POLLIN, deadline_us, why))
			return 0;
	}
}

bool redis_link_is_quiet(struct redis_link *link)
{
	struct pollfd wait = {.fd = link->connection->fd, .events = POLLIN};
	if (poll(&wait, 1, 0) == 0)
		return true;
	/* What TLS says for itself, such as tickets for later sessions, is not for us. */
	char byte;
	if (link->session == NULL)
		return false;
	ERR_clear_error();
	int done = SSL_peek(link->session, &byte, 1);
	return done <= 0 && SSL_get_error(link->session, done) == SSL_ERROR_WANT_READ;
}

/* Names the file that is of no use. */
static SSL_CTX *make_context(const struct redis_files *files, struct redis_why *why)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	RT_ASSERT(context != NULL);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
	const char *unusable = NULL;
	if (files->ca == NULL ? SSL_CTX_set_default_verify_paths(context) != 1
			      : SSL_CTX_load_verify_locations(context, files->ca, NULL) != 1)
		unusable = "the authorities' file can't be used";
	else if (files->cert != NULL &&
		 SSL_CTX_use_certificate_chain_file(context, files->cert) != 1)
		unusable = "the own certificate's file can't be used";
	else if (files->cert != NULL &&
		 (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
		  SSL_CTX_check_private_key(context) != 1))
		unusable = "the own key's file can't be used";
	if (unusable == NULL)
		return context;
	explain(why, "tls", unusable);
	SSL_CTX_free(context);
	return NULL;
}

/* The name is not const because a macro of OpenSSL's casts that away. */
static bool expect_name(SSL *session, char *host)
{
	struct in6_addr address;
	if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
	return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

static void explain_handshake(const SSL *session, struct redis_why *why)
{
	long verified = SSL_get_verify_result(session);
	if (strcmp(why->word, "timeout") == 0)
		explain(why, "tls", "no answer to the handshake in time");
	else if (verified != X509_V_OK)
		explain(why, "tls", X509_verify_cert_error_string(verified));
	else if (why->explained[0] == '\0')
		explain(why, "tls", "closed during the handshake");
	else
		why->word = "tls";
}

static bool shake_hands(struct redis_link *link, int64_t deadline_us, struct redis_why *why)
{
	for (;;) {
		ERR_clear_error();
		int done = SSL_connect(link->session);
		if (done == 1)
			return true;
		if (!may_go_on(link, done, POLLIN, deadline_us, why)) {
			explain_handshake(link->session, why);
			return false;
		}
	}
}

static bool start_tls(struct redis_link *link, const struct redis_url *url,
		      const struct redis_files *files, int64_t deadline_us, struct redis_why *why)
{
	SSL_CTX *context = make_context(files, why);
	if (context == NULL)
		return false;
	link->session = SSL_new(context);
	SSL_CTX_free(context); /* the session has it */
	RT_ASSERT(link->session != NULL);
	char host[sizeof(url->host)];
	snprintf(host, sizeof(host), "%s", url->host);
	if (expect_name(link->session, host) &&
	    SSL_set_fd(link->session, link->connection->fd) == 1)
		return shake_hands(link, deadline_us, why);
	explain(why, "tls", "the server can't be named");
	return false;
}

static bool connect_socket(struct redis_link *link, const struct redis_url *url,
			   int64_t deadline_us, struct redis_why *why)
{
	int64_t left_us = (int64_t)rt_clock_left_ms(deadline_us, 60000) * RT_US_PER_MS;
	struct timeval timeout = {.tv_sec = left_us / RT_US_PER_S,
				  .tv_usec = left_us % RT_US_PER_S};
	link->connection = redisConnectWithTimeout(url->host, url->port, timeout);
	if (link->connection == NULL)
		explain(why, "memory", "");
	else if (link->connection->err != 0 ||
		 fcntl(link->connection->fd, F_SETFL, O_NONBLOCK) != 0)
		explain(why, "connect", "");
	else
		return true;
	return false;
}

struct redis_link *redis_link_open(const struct redis_url *url, const struct redis_files *files,
				   int64_t deadline_us, struct redis_why *why)
{
	struct redis_link *link = calloc(1, sizeof(*link));
	RT_ASSERT(link != NULL);
	if (connect_socket(link, url, deadline_us, why) &&
	    (!url->tls || start_tls(link, url, files, deadline_us, why)))
		return link;
	redis_link_close(link);
	return NULL;
}

void redis_link_close(struct redis_link *link)
{
	if (link == NULL)
		return;
	SSL_free(link->session);
	if (link->connection != NULL)
		redisFree(link->connection);
	free(link);
}
