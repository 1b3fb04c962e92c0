#include "admin_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/cleanup.h"

#define BACKLOG 64

struct address {
	char host[256]; /* empty: every address */
	const char *port;
};

/* getaddrinfo would cut a larger number to 16 bits without a word. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits <= 5 && text[digits] == '\0' &&
	       strtol(text, NULL, 10) <= UINT16_MAX;
}

static bool split(const char *text, struct address *address)
{
	const char *colon = strrchr(text, ':');
	if (colon == NULL || !is_port(colon + 1))
		return false;
	size_t length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length) != NULL) {
		return false;
	}
	if (length >= sizeof(address->host))
		return false;
	memcpy(address->host, text, length);
	address->host[length] = '\0';
	address->port = colon + 1;
	return true;
}

static void free_addresses(struct addrinfo **addresses)
{
	if (*addresses != NULL)
		freeaddrinfo(*addresses);
}

/* Returns -1 with errno. */
static int open_socket(const struct addrinfo *address)
{
	const int on = 1;
	int opened = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (opened < 0)
		return -1;
	if (setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(opened, address->ai_addr, address->ai_addrlen) == 0 &&
	    listen(opened, BACKLOG) == 0)
		return opened;
	int saved_errno = errno;
	close(opened);
	errno = saved_errno;
	return -1;
}

struct rt_status admin_listen(const char *address, int *socket)
{
	struct address parts;
	if (!split(address, &parts))
		return RT_BAD_FIELD("INVALID_SETTING", "admin_listen",
				    "must be host:port or [IPv6]:port");
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	CLEANUP(free_addresses) struct addrinfo *addresses = NULL;
	int failed = getaddrinfo(parts.host[0] == '\0' ? NULL : parts.host, parts.port, &hints,
				 &addresses);
	if (failed != 0)
		return RT_BAD_FIELD("INVALID_SETTING", "admin_listen",
				    "the address is not known: %s", gai_strerror(failed));
	errno = 0;
	for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
		*socket = open_socket(at);
		if (*socket >= 0)
			return rt_ok();
	}
	return RT_FAIL(FAILED_PRECONDITION, "LISTEN_FAILED", "can't listen on %.60s: %s", address,
		       strerrordesc_np(errno));
}

uint16_t admin_listen_port(int socket)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = {0};
	socklen_t length = sizeof(bound);
	if (getsockname(socket, &bound.any, &length) != 0)
		return 0;
	return ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
}
